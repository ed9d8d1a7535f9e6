"""The ladder in `gonogo plan`: rank, stated time, loss, condition, and when going back is over."""

from __future__ import annotations

import pytest

from gonogo import catalog
from gonogo.cli.planned import lines
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source

RUNBOOK = """---
gonogo: 1
metrics:
  errors: { log: a.jsonl, ratio: "status >= 500" }
recovery: { green: 3 buckets, within: 30m, rto: 15m }
---
# Search

## Deployment

1. Apply the migration
   ```bash
   ./migrate up
   ```

## Watch for 1 hour

### Objectives

- errors < 1%

## Rollback

### Option 1: previous release (about 2 minutes)

- Only if: not Apply the migration

```bash
./back
```

### Option 2: restore the backup (about 12 minutes)

- Loses: everything since the backup

```bash
pg_dump shop >dump.sql
dropdb shop
```
"""


def shown(text: str) -> str:
    plan = assemble(read(Source("deploy.md", text)), catalog.load())
    return "\n".join(lines(plan, 80))


def test_each_rung_says_what_it_takes() -> None:
    told = shown(RUNBOOK)
    named = "Way back: by itself, but for a name that a person types before 2, the first that works"
    assert named in " ".join(told.split())
    assert " 1. previous release (about 2 minutes)" in told
    assert "stated 2m" in told
    assert "    only if `Apply the migration` was not begun" in told
    assert " 2. restore the backup (about 12" in told
    assert "destructive, typed confirmation, stated 12m" in told
    assert "    loses everything since the backup" in told
    assert "point of no return" in told
    assert max(len(line) for line in told.split("\n")) <= 80


def test_when_it_is_over_and_how_long_it_may_take() -> None:
    told = " ".join(shown(RUNBOOK).split())
    assert "over when the figures are green for 3 buckets in a row, within 30m after it" in told
    assert "recovery takes at most 15m (line 5)" in told
    usual = RUNBOOK.replace("recovery: { green: 3 buckets, within: 30m, rto: 15m }\n", "")
    assert "over when the figures are green for 1 bucket (default)" in shown(usual)


def test_a_person_who_is_asked_may_choose() -> None:
    told = shown(RUNBOOK.replace("gonogo: 1\n", "gonogo: 1\nrollback: ask\n"))
    assert "Way back: after a person's yes, who may choose the way" in told


HARMLESS = RUNBOOK.replace("dropdb shop", "./restore")
FIRST = """
### Option 1: previous release (about 2 minutes)

- Only if: not Apply the migration

```bash
./back
```
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HARMLESS, "Way back: by itself, the first that works"),
        (
            RUNBOOK.replace(FIRST, ""),
            "Way back: after a person has typed the name of what it destroys ",
        ),
        (
            RUNBOOK.replace("./back", "pg_dump shop >d.sql\ndropdb old"),
            "Way back: a person chooses, and types the name of what it destroys ",
        ),
    ],
    ids=["harmless", "only one, which destroys", "both destroy"],
)
def test_who_has_to_be_there_is_said_above_the_ways(text: str, said: str) -> None:
    assert said in " ".join(shown(text).split()) + " "
