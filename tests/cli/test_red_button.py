"""The red button on the command line: in a rollback, on a parked run, by what a person saw."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import finish, gonogo, start
from tests.cli.test_stopping import open_the_gate, order, wait_until_begun

RUNBOOK = """---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Ship it
   ```bash
   echo ship >>order{broken}
   ```

## Smoke tests

- [ ] The page is there
  ```bash
  true
  ```
{question}
## Rollback

### Criteria for rollback

- A security vulnerability is discovered
- Data is lost

### Option 1: previous release

```bash
{wait}echo back >>order
```
"""
WAIT = "echo begun >begun; cat gate >/dev/null; "


def write(folder: Path, **more: str) -> None:
    text = RUNBOOK.format(**{"broken": "", "question": "", "wait": "", **more})
    (folder / "deploy.md").write_text(text)


def test_an_abort_while_the_way_back_is_taken_changes_nothing(pipes: Path) -> None:
    write(pipes, broken="; false", wait=WAIT)
    served = start("run", "deploy.md", "--yes", "--by", "ana", cwd=pipes)
    wait_until_begun(pipes)
    asked = gonogo("abort", "--by", "bo", cwd=pipes)
    assert (asked.code, asked.out) == (0, "")
    assert "goes back already, once" in asked.err
    open_the_gate(pipes)
    done = finish(served)
    assert done.code == 4, done.both
    assert order(pipes) == ["ship", "back"]


def test_a_parked_run_is_aborted_and_goes_back_in_the_same_process(pipes: Path) -> None:
    write(pipes, question="- [ ] Somebody looked at it\n")
    assert gonogo("run", "deploy.md", "--yes", "--by", "ana", cwd=pipes).code == 3
    done = gonogo("abort", "--by", "bo", "--reason", "customers call", cwd=pipes)
    assert done.code == 4, done.both
    assert "aborted by bo: customers call" in " ".join(done.both.split())
    assert order(pipes) == ["ship", "back"]


def test_a_criterion_that_is_seen_goes_back_with_that_reason(pipes: Path) -> None:
    write(pipes)
    parked = gonogo("run", "deploy.md", "--yes", "--by", "ana", cwd=pipes)
    assert parked.code == 3, parked.both
    asked = json.loads(gonogo("answer", "--json", cwd=pipes).out)
    assert [one["choices"] for one in asked] == [["yes", "no", "seen", "skip"]] * 2
    said = gonogo(
        "answer", "vulnerability", "seen", "--by", "bo", "--reason", "CVE-2026-1", cwd=pipes
    )
    assert said.code == 0, said.both
    done = gonogo("resume", cwd=pipes)
    assert done.code == 4, done.both
    back = json.loads(gonogo("report", "--json", cwd=pipes).out)["rollback"]
    told = "aborted by bo: A security vulnerability is discovered, seen: CVE-2026-1"
    assert (back["reason"], back["status"]) == (told, "pass")
    assert order(pipes) == ["ship", "back"]
