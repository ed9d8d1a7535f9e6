"""Steps in the background, with real commands: who waits for them, and what a kill leaves."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cli.running import finish, gonogo, start

# `gate` is a pipe: the step in the background ends only once a later step has written to it.
BOOK = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Warm the cache

   ```bash {background=true name=warm}
   echo warm >> order
   cat gate > got
   echo warmed >> order
   %s
   ```

2. Switch

   ```bash
   echo switch >> order
   %s
   ```

3. See the cache

   ```bash
   echo seen >> order
   test -s got
   ```

   - Needs: Warm the cache

## Smoke tests

- [ ] All of it was done

  ```bash
  cat order
  ```
"""
LET_GO = "echo go > gate"


def order(folder: Path) -> list[str]:
    return (folder / "order").read_text().split()


def test_the_steps_after_it_do_not_wait_but_what_needs_it_does(pipes: Path) -> None:
    (pipes / "deploy.md").write_text(BOOK % ("", LET_GO))
    done = gonogo("run", "deploy.md", "--yes", cwd=pipes)
    assert done.code == 0, done.both
    assert sorted(order(pipes)[:2]) == ["switch", "warm"]
    assert order(pipes)[2:] == ["warmed", "seen"]


def test_its_failure_counts_at_the_gate_and_stops_what_needs_it(pipes: Path) -> None:
    (pipes / "deploy.md").write_text(BOOK % ("false", LET_GO))
    done = gonogo("run", "deploy.md", "--yes", cwd=pipes)
    assert done.code == 1, done.both
    assert "seen" not in order(pipes)
    report = gonogo("report", "--json", cwd=pipes).out
    assert "not run: needs `warm`, which did not pass" in report


def test_killed_in_its_middle_it_is_found_again_and_nothing_is_done_twice(pipes: Path) -> None:
    book = BOOK % ("", "echo > begun")
    (pipes / "deploy.md").write_text(book)
    served = start("run", "deploy.md", "--yes", cwd=pipes)
    (pipes / "begun").read_bytes()  # the step after it has run while it still waits
    served.send_signal(signal.SIGKILL)
    assert finish(served).code == -signal.SIGKILL
    resumed = start("resume", cwd=pipes)
    (pipes / "gate").write_text("go\n")
    done = finish(resumed)
    assert done.code == 0, done.both
    assert sorted(order(pipes)) == ["seen", "switch", "warm", "warmed"]
    assert gonogo("report", "--verify", cwd=pipes).code == 0


def test_lint_and_plan_print_it(pipes: Path) -> None:
    (pipes / "deploy.md").write_text(BOOK % ("", LET_GO))
    linted = gonogo("lint", "deploy.md", cwd=pipes)
    assert linted.code == 0, linted.both
    assert "background: only the gate waits for this step" in linted.out
    assert "in the background  line 9" in gonogo("plan", "deploy.md", cwd=pipes).out


def test_a_command_that_never_ends_is_a_mistake_there_too(pipes: Path) -> None:
    (pipes / "deploy.md").write_text(BOOK.replace("cat gate > got", "tail -f log") % ("", LET_GO))
    linted = gonogo("lint", "deploy.md", cwd=pipes)
    assert linted.code == 2
    assert "error[GN502]" in linted.err


ROLLBACK = """\

## Rollback

1. Go back

   ```bash {background=true}
   echo back >> order
   ```
"""


def test_in_a_rollback_it_changes_nothing_and_lint_says_so(pipes: Path) -> None:
    (pipes / "deploy.md").write_text(BOOK % ("", LET_GO) + ROLLBACK)
    linted = gonogo("lint", "deploy.md", cwd=pipes)
    assert linted.code == 0, linted.both
    assert "warning[GN519]: `background` changes nothing here" in linted.err
