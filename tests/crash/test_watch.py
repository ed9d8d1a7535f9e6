"""SIGKILL in the middle of a watch over a log that is really being written.

The streak goes on, every line is counted in its slice exactly once, the time without a process is a
gap for what keeps no record, and the rollback happens once.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from random import Random

import pytest
from tests.crash.lives import Killer, Nursery, Run, left_behind, live
from tests.crash.toys import Toy

from gonogo.clock import SystemClock, moment, stamp
from gonogo.plan.samples import to_ms
from gonogo.run.journal import broken_link
from gonogo.run.sampling import NOT_RUNNING

WIDTH_MS = 2_000
KILLS = 6
BAD, GREEN = 10, 8  # slices: three for each kill, as a life on a busy machine starts slowly
RUNBOOK = f"""---
gonogo: 1
service: shop
recovery: {{ green: {GREEN} buckets }}
metrics:
  error rate: {{ log: access.jsonl, ratio: "status >= 500", every: 1s }}
  cpu usage: {{ host: cpu, every: 1s }}
---
# Shop: release

## Deployment

- Ship it
  ```bash
  echo ship >>effects
  ```
  - Kind: action

## Watch for 40 seconds in 2-second buckets

### Alerts
- **Warn**: error rate > 5% for 1 bucket

## Rollback

### Triggers
- Error rate > 10% for {BAD} consecutive buckets

### Option 1: previous release

- Go back
  ```bash
  echo back >>effects
  ```
  - Kind: action
"""


class Service:
    """Writes about 30 lines a second: every second one is an error until somebody went back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[int] = []  # the time of each line
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _serve(self) -> None:
        effects = self.folder / "effects"
        with (self.folder / "access.jsonl").open("a") as log:
            while not self._over.wait(1 / 30):
                healed = effects.exists() and "back" in effects.read_text()
                said = stamp(SystemClock().now())
                status = 500 if len(self.written) % 2 and not healed else 200
                self.written.append(to_ms(moment(said)))
                log.write(json.dumps({"time": said, "status": status}) + "\n")
                log.flush()


def in_the_watch(random: Random) -> Killer:
    """Kill a life up to a bucket after it has closed its first one, seven times out of eight."""
    moments: dict[int, float] = {}
    closed: dict[int, int] = {}

    def kill(run: Run, _known: int, passed: float) -> bool:
        events = run.events()
        now = sum(e.kind in ("bucket.closed", "recovery.seen") for e in events)
        before = closed.setdefault(run.kills, now)
        if run.kills >= KILLS or now == before:
            return False
        return passed >= moments.setdefault(run.kills, passed + random.uniform(0, 1.2))

    return kill


@pytest.mark.timeout(300)
def test_killed_again_and_again_while_it_watches(nursery: Nursery, tmp_path: Path) -> None:
    run = Run(tmp_path / "shop", Toy(1, RUNBOOK, "{}"))
    try:
        with Service(run.folder) as service:
            live(run, nursery, in_the_watch(Random(8)))
        assert run.code == 4, run.errors()
        assert run.kills == KILLS
        _prove(run, service)
        assert left_behind(run.folder) == []
        assert "Traceback" not in run.errors()
    finally:
        run.close()


def _prove(run: Run, service: Service) -> None:
    events = run.events()
    assert broken_link(events) is None
    started = next(int(str(e.body["started_ms"])) for e in events if e.kind == "watch.started")
    closed = [e.body for e in events if e.kind == "bucket.closed"]
    starts = [int(str(body["start_ms"])) for body in closed]
    assert starts == list(range(starts[0], starts[-1] + 1, WIDTH_MS)), "each slice once, in order"
    for body, start in zip(closed, starts, strict=True):
        metrics = body["metrics"]
        assert isinstance(metrics, dict)
        said = metrics["error rate"]
        lines = [at for at in service.written if start <= at < start + WIDTH_MS]
        if start <= started:  # some lines of its first second lie before it
            assert said["count"] <= len([at for at in lines if at >= started])
            assert said["count"] >= len([at for at in lines if at >= started + 1_000])
        else:
            assert said["count"] == len(lines), f"{start}: {body}"
        assert said["late"] == 0
    gaps = [
        b["metrics"]["cpu usage"] for b in closed if NOT_RUNNING in b["metrics"]["cpu usage"]["why"]
    ]  # type: ignore[index]
    assert len(gaps) >= 2
    assert all(gap["coverage"] < 1 for gap in gaps)
    _prove_trigger(run, starts)


def _prove_trigger(run: Run, starts: list[int]) -> None:
    moves = [e for e in run.events() if e.kind == "rule.moved"]
    fired = [e.body for e in moves if e.body["consequence"] == "rollback"]
    assert [body["after"] for body in fired] == ["pending", "firing"]
    slices = fired[1]["slices"]
    assert slices == list(range(starts[-1] - (BAD - 1) * WIDTH_MS, starts[-1] + 1, WIDTH_MS))
    assert len({(e.item, e.body["after"]) for e in moves}) == len(moves), "nothing is said twice"
    warned = [e.body for e in moves if str(e.body["rule"]).startswith("warn/")]
    told = [(body["after"], "way" in body) for body in warned]
    assert told == [("firing", False), ("resolved", True)], "good again, once, after going back"
    assert run.effects() == ["ship", "back"]
    kinds = [e.kind for e in run.events()]
    assert kinds.count("rollback.started") == kinds.count("verdict.given") == 1
    assert "recovery.seen" in kinds


@pytest.mark.timeout(60)
def test_a_question_that_nobody_answers_does_not_end_a_watch(
    nursery: Nursery, tmp_path: Path
) -> None:
    text = RUNBOOK.replace("40 seconds", "4 seconds").replace(
        "### Alerts", "- [ ] Somebody looked at the dashboard\n\n### Alerts"
    )
    run = Run(tmp_path / "shop", Toy(2, text, "{}"))
    try:
        (run.folder / "access.jsonl").touch()
        live(run, nursery, lambda *_: False)
        assert run.code == 3, run.errors()
        ended = [e.body for e in run.events() if e.kind == "watch.ended"]
        assert ended == [{"why": "planned end", "complete": True}]
    finally:
        run.close()
