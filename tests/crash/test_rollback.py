"""SIGKILL in the middle of a rollback and of a recovery, a way back that hangs, a red button."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.crash.lives import Killer, Nursery, Run, left_behind, live
from tests.crash.test_watch import Service
from tests.crash.toys import Toy

from gonogo.clock import SystemClock, stamp
from gonogo.run.journal import Answer, Event, broken_link
from gonogo.store.journal import SqliteJournal

RUNBOOK = """---
gonogo: 1
service: shop
metrics:
  error rate: { log: access.jsonl, ratio: "status >= 500", every: 1s }
recovery: { green: 2 buckets, within: 60s }
---
# Shop: release

## Pre-deployment

- [ ] The release that is live
  ```bash
  cat live
  ```
  - Expect: output = "v1"
  - Record: output as previous release

## Deployment

1. Apply the migration
   ```bash
   echo migrate >>effects
   ```
2. Ship it
   ```bash
   echo v2 >live; echo ship >>effects
   ```

## Watch for 40 seconds in 2-second buckets

- [ ] Nobody has called
TRIGGERS
## Rollback

- RTO: 10 minutes

### Triggers

- Error rate > 10% for 2 consecutive buckets
- A security vulnerability is discovered

### Option 1: code only

- Only if: not Apply the migration

```bash
echo never >>effects
```

### Option 2: code and schema

OPTION
### Option 3: restore the backup (about 5 minutes)

- Loses: everything since the backup

```bash
echo restore >>effects; echo back >>effects; echo v1 >live
```

### Check that the old version is back

- [ ] It is the release from before
  ```bash
  cat live
  ```
  - Expect: output = recorded previous release
"""
STEPS = """1. Step back
   ```bash
   echo one >>effects
   ```
2. Look around
   ```bash
   echo two >>effects; sleep 0.4
   ```
3. Switch
   ```bash
   echo v1 >live; echo back >>effects
   ```
"""
HANGS = """1. Step back
   ```bash
   echo hangs >>effects; sleep 600
   ```
   - Timeout: 1s
"""


class Healthy(Service):
    """The same service, which never fails."""

    def _serve(self) -> None:
        (self.folder / "effects").touch()
        (self.folder / "effects").write_text("back\n")
        super()._serve()


def runbook(option: str = STEPS) -> str:
    return RUNBOOK.replace("OPTION", option).replace("TRIGGERS", "")


ANSWERS = '{"Nobody has called": "yes", "A security vulnerability is discovered": "yes"}'


def at(moments: Sequence[Callable[[Event], bool]]) -> Killer:
    """Kill once at each of these moments, in this order, right after its event."""
    left = list(moments)

    def kill(run: Run, _known: int, _passed: float) -> bool:
        events = run.events()
        if not left or not any(left[0](event) for event in events):
            return False
        left.pop(0)
        return True

    return kill


def seen(kind: str, ends: str = "") -> Callable[[Event], bool]:
    return lambda event: event.kind == kind and event.item.endswith(ends)


@pytest.mark.timeout(120)
def test_killed_in_a_rollback_and_in_a_recovery(nursery: Nursery, tmp_path: Path) -> None:
    run = Run(tmp_path / "shop", Toy(1, runbook(), ANSWERS))
    (run.folder / "live").write_text("v1\n")
    moments = [
        seen("rollback.started"),
        seen("option.started"),
        seen("step.finished", "step-back"),
        seen("step.started", "look-around"),
        seen("step.finished", "switch"),
        seen("recovery.started"),
        seen("recovery.seen"),
    ]
    try:
        with Service(run.folder):
            live(run, nursery, at(moments))
        assert run.code == 4, run.errors()
        assert run.kills == len(moments)
        assert run.effects() == ["migrate", "ship", "one", "two", "back"]
        events = run.events()
        assert broken_link(events) is None
        kinds = [e.kind for e in events]
        for once in ("rollback.started", "option.started", "rollback.finished", "verdict.given"):
            assert kinds.count(once) == 1, once
        ends = [(e.item, e.body["status"]) for e in events if e.kind == "option.finished"]
        assert [status for _, status in ends] == ["skipped", "pass"]
        green = [e.body for e in events if e.kind == "recovery.seen"]
        assert [green[-1]["look"], green[-1]["count"]] == ["green", 2]
        assert len({body["start_ms"] for body in green}) == len(green)
        verdict = next(e.body for e in events if e.kind == "verdict.given")
        held = verdict["recovery"]
        assert isinstance(held, dict)
        assert held["status"] == "pass"
        assert str(held["says"]).endswith("at most 10 min")
        assert left_behind(run.folder) == []
        assert "Traceback" not in run.errors()
    finally:
        run.close()


@pytest.mark.timeout(120)
def test_a_way_back_that_hangs_ends_at_its_deadline(nursery: Nursery, tmp_path: Path) -> None:
    run = Run(tmp_path / "shop", Toy(2, runbook(HANGS), ANSWERS))
    (run.folder / "live").write_text("v1\n")
    try:
        with Service(run.folder):
            live(run, nursery, lambda *_: False)
        assert run.code == 4, run.errors()
        assert run.effects() == ["migrate", "ship", "hangs", "restore", "back"]
        ends = [e.body for e in run.events() if e.kind == "option.finished"]
        assert [body["status"] for body in ends] == ["skipped", "fail", "pass"]
        assert "1 s" in str(ends[1]["why"])
        assert left_behind(run.folder) == []
    finally:
        run.close()


def press(folder: Path, over: threading.Event) -> None:
    """Answer `seen` once the first bucket is closed."""
    clock = SystemClock()
    file = folder / ".gonogo" / "journal.db"
    while not over.is_set() and not (file.exists() and file.stat().st_size):
        clock.wait(0.1)
    journal = SqliteJournal(file, clock, create=False)
    try:
        while not over.is_set():
            clock.wait(0.1)
            for name in journal.runs():
                events = journal.events(name)
                asked = [e.item for e in events if e.kind == "question.asked"]
                item = next((item for item in asked if "vulnerability" in item), "")
                if item and any(e.kind == "bucket.closed" for e in events):
                    said = stamp(clock.now())
                    journal.put(Answer(name, 1, item, "seen", "ana", said, "CVE-2026-1"))
                    return
    finally:
        journal.close()


@pytest.mark.timeout(120)
def test_a_person_who_saw_it_ends_the_watch_at_once(nursery: Nursery, tmp_path: Path) -> None:
    run = Run(tmp_path / "shop", Toy(3, runbook(), '{"Nobody has called": "yes"}'))
    (run.folder / "live").write_text("v1\n")

    over = threading.Event()
    person = threading.Thread(target=press, args=(run.folder, over))
    person.start()
    try:
        with Healthy(run.folder):
            live(run, nursery, lambda *_: False)
        assert run.code == 4, run.errors()
        ended = [e.body for e in run.events() if e.kind == "watch.ended"]
        assert [body["complete"] for body in ended] == [False]
        started = [e.body for e in run.events() if e.kind == "rollback.started"]
        assert len(started) == 1
        reason = str(started[0]["reason"])
        assert "A security vulnerability is discovered, seen: CVE-2026-1" in reason
        assert "ana" in reason
    finally:
        over.set()
        person.join()
        run.close()
