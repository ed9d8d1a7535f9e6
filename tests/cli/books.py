"""Runbooks that the tests of the command line carry out."""

from __future__ import annotations

GO = """\
---
gonogo: 1
service: web
---
# Web: release

## Pre-deployment

- [ ] Disk has room

  ```bash
  test -d .
  ```

## Deployment

1. Switch to the new version (about 2 seconds)

   ```bash
   {spoil}echo new > state
   ```

   - Undo:

     ```bash
     echo old > state
     ```

## Smoke tests

- [ ] ⚠️ The new version answers

  ```bash
  cat state
  ```

  - Expect: output = "{answer}"
"""

BEFORE = """\
---
gonogo: 1
service: web
---
# Web: release

## Pre-deployment

- [ ] ⚠️ Größe → enough

  ```bash
  touch here
  false
  ```

## Deployment

1. Switch

   ```bash
   echo new > state
   ```
"""

QUESTIONS = """\
---
gonogo: 1
service: web
---
# Web: release

## Pre-deployment

- [ ] The status page says so
{parallel}- [ ] Support knows about it
{parallel}  - Owner: ana

## Deployment

1. Switch

   ```bash
   echo new > state
   ```
"""

# `begun` and `gate` are pipes: a test reads the one to know, and writes to the other to let go.
WAITS = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Before

   ```bash
   echo before >> order
   ```

   - Undo:

     ```bash
     echo undone >> order
     ```

2. Wait for the gate

   ```bash
   #| timeout: 90s
   echo begun >> order
   echo > begun
   cat gate > /dev/null
   echo ended >> order
   ```

## Smoke tests

- [ ] It was done once

  ```bash
  grep --count begun order
  ```

  - Expect: output = "1"
"""

ASSISTED = """\
# Web: release

## Deployment

1. Switch

   ```bash
   echo new > state
   ```

2. Tell support

3. Clean up

   ```bash
   echo clean >> state
   ```
"""

REFUSED = """\
# Web: release

## Deployment

### 1. Look at the log

```bash
curl -H "Authorization: Bearer $ADMIN_TOKEN" \\
  http://localhost:1/metrics
tail -f app.log
```
"""

DESTROYS = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Forget the old files

   ```bash
   rm -rf old-files
   ```

   - No dump: nothing reads them any more
"""

UNREACHABLE = """\
---
gonogo: 1
service: web
targets:
  app: ${APP_URL}
  db: ${DATABASE_URL}
  gone: ${GONE_URL}
---
# Web: release

## Pre-deployment

- [ ] The app answers

  ```http
  GET {{app}}/health
  Authorization: Bearer {{API_TOKEN}}
  ```

  - Expect: status = 200

- [ ] The database answers

  ```sql
  --| on: db
  SELECT 1 AS one;
  ```

  - Expect: one = 1

- [ ] The other database answers

  ```sql
  --| on: gone
  SELECT 1 AS one;
  ```

  - Expect: one = 1

- [ ] The shell says what it knows

  ```bash
  echo "at $DATABASE_URL with $API_TOKEN"
  echo "at $DATABASE_URL with $API_TOKEN" >&2
  ```

  - Expect: exit code = 0
"""


def go() -> str:
    """Return a runbook that ends in go."""
    return GO.replace("{answer}", "new").replace("{spoil}", "")


def rolled_back() -> str:
    """Return a runbook that is rolled back, and that stands where its report will be."""
    spoil = 'mkdir -p ".gonogo/runs/$GONOGO_RUN/report.html/here"\n   '
    return GO.replace("{answer}", "old").replace("{spoil}", spoil)


def questions(*, at_once: bool = True) -> str:
    """Return a runbook that asks two questions, at once or in turn, and then changes something."""
    return QUESTIONS.replace("{parallel}", "  - Parallel: yes\n" if at_once else "")
