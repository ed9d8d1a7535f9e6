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
   echo new > state
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
service: {service}
---
# Web: release

## Pre-deployment

- [ ] The status page says so
  - Parallel: yes
- [ ] Support knows about it
  - Parallel: yes
  - Owner: ana

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

SPOILS_ITS_REPORT = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Stand where the report will be

   ```bash
   mkdir -p ".gonogo/runs/$GONOGO_RUN/report.html/here"
   ```

   - Undo:

     ```bash
     true
     ```
"""


def go(*, answer: str = "new") -> str:
    """Return a runbook that ends in go, or (with another answer) is rolled back."""
    return GO.replace("{answer}", answer)


def questions(service: str = "web") -> str:
    """Return a runbook that asks two questions and then changes something."""
    return QUESTIONS.replace("{service}", service)
