"""Plays a row of the fault table: a real release on real servers, with a fault per bucket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

from tests.demo.acting import value

from gonogo.clock import SystemClock
from gonogo.demo.inbox import Inbox, Message, read
from gonogo.demo.pace import Pace
from gonogo.demo.performance import RUN
from gonogo.demo.traffic import Visitors
from gonogo.demo.workspace import Workspace
from gonogo.run.journal import Event
from gonogo.store.journal import SqliteJournal

AWAY = "nobody asks"  # in place of a fault: the visitors stay away for that bucket
TWICE = "refresh fails twice"
THRICE = "refresh fails three times"
TIMES = {TWICE: 2, THRICE: 3}
LOOK_EVERY_S = 0.05
CLOCK_MAY_TURN_S = 1.0  # the clock of the wall, by which buckets begin; it is read so often
LATE_S = 1.2  # so much of the first bucket may be as it was before
ENDS_AFTER_BUCKETS = 12


@dataclass(frozen=True)
class Row:
    """One row: what is planted in each full bucket of the watch, and what must come of it."""

    name: str
    faults: tuple[str, ...]
    alerts: tuple[tuple[str, int], ...] = ()  # severity, and the bucket at whose close it fires
    trigger: str = ""  # the rollback trigger, as it is written
    at: int = 0  # the bucket at whose close it fires
    code: int = 0
    before: str = "none"  # what is planted before the release
    early_s: float = 0.0  # figures that are read from the database are this late
    width_s: int = 5  # of its buckets, where they are short


@dataclass(frozen=True)
class Played:
    """What a row came to, told by the journal of its run and by the receiver of its alerts."""

    row: Row
    code: int
    text: str
    events: tuple[Event, ...]
    messages: tuple[Message, ...]
    first_ms: int  # the start of the first full bucket
    width_ms: int

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def fired(self, *consequences: str) -> tuple[tuple[str, int], ...]:
        """What fired in the watch: its consequence, and the number of the bucket."""
        kinds = self._consequences()
        moves = [
            event
            for event in self.of("rule.moved")
            if event.body["after"] == "firing" and "way" not in event.body  # those after going back
        ]
        found = [(kinds.get(event.body["rule"], ""), self._bucket(event)) for event in moves]
        return tuple(dict.fromkeys(each for each in found if each[0] in consequences))

    def trigger(self) -> tuple[str, int]:
        texts = {rule["id"]: rule for rule in self._rules()}
        for event in self.of("rule.moved"):
            rule = texts.get(event.body["rule"])
            fires = event.body["after"] == "firing"
            if fires and rule is not None and rule["consequence"] == "rollback":
                return rule["text"], self._bucket(event)
        return "", 0

    def _rules(self) -> list[dict[str, Any]]:
        started = self.of("watch.started")
        return started[0].body["rules"] if started else []

    def _consequences(self) -> dict[str, str]:
        return {rule["id"]: rule["consequence"] for rule in self._rules()}

    def _bucket(self, event: Event) -> int:
        start_ms = int(event.item.rpartition("@")[2])
        return (start_ms - self.first_ms) // self.width_ms + 1

    def story(self) -> list[str]:
        """What happened, in lines with times, for the log of a run in real time."""
        lines = []
        for event in self.events:
            at = event.at[11:19]
            body = event.body
            if event.kind == "watch.started":
                lines.append(f"{at}  the watch begins")
            elif event.kind == "bucket.closed":
                figures = [
                    f"{rule['says'].partition(', expected')[0]} ({rule['event']})"
                    for name, rule in body["rules"].items()
                    if name.startswith("objective") or "refresh" in name
                ]
                start = datetime.fromtimestamp(body["start_ms"] / 1000, UTC)
                lines.append(f"{at}  bucket {start:%H:%M:%S} closes: {'; '.join(figures)}")
            elif event.kind == "rule.moved" and body["after"] in ("firing", "resolved"):
                lines.append(f"{at}  {body['rule']} {body['after']}: {body['reason']}")
            elif event.kind in ("rollback.started", "rollback.finished", "recovery.seen"):
                lines.append(f"{at}  {event.kind}: {body.get('says') or body.get('reason') or ''}")
            elif event.kind == "verdict.given":
                lines.append(f"{at}  verdict: {body.get('verdict')}")
        return lines


def play(
    row: Row, workspace: Workspace, pace: Pace, per_second: int, watched: Callable[[], object]
) -> Played:
    """Release v2 in a workspace that is laid out, plant the row's faults, and see what comes.

    `watched` is called once when the load test is over: the watch has begun, or the run has ended.
    """
    workspace.watch(pace)
    runbook = workspace.folder / "deploy.md"
    patient = runbook.read_text(encoding="utf-8").replace("Retry: 8 times", "Retry: 40 times")
    runbook.write_text(patient, encoding="utf-8")  # rows that are played at once disturb each other
    program = workspace.folder / "bin" / "inbox"
    with Inbox(program, workspace.alerts) as inbox:
        ready = workspace.with_settings(ALERT_URL=inbox.url)
        ready.bring_up()
        ready.plant(row.before)
        output = ready.folder / "run.txt"
        questions = ready.folder / "queries.txt"
        with (
            Visitors(ready.settings["APP_URL"], questions, per_second) as visitors,
            output.open("w") as out,
            subprocess.Popen(
                [sys.executable, "-m", "gonogo", *RUN],
                cwd=ready.folder,
                env=dict(ready.settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                started_ms = _watch_started_ms(ready.folder, process)
                watched()
                first_ms = 0
                if started_ms is not None:
                    first_ms = _first_ms(started_ms, pace)
                    _meddle(row, ready, visitors, process, (first_ms, pace.bucket_s))
                code = process.wait(ENDS_AFTER_BUCKETS * pace.bucket_s + 60)
            finally:
                if process.poll() is None:
                    process.kill()
        events = _events(ready.folder)
        messages = read(ready.alerts)
    text = output.read_text(encoding="utf-8")
    return Played(row, code, text, events, messages, first_ms, pace.bucket_s * 1000)


def _first_ms(started_ms: int, pace: Pace) -> int:
    """Return when the first full bucket starts that can still be meddled with."""
    width_ms = pace.bucket_s * 1000
    first_ms = -(-started_ms // width_ms) * width_ms
    return first_ms + width_ms if time() > first_ms / 1000 + LATE_S else first_ms


def _meddle(
    row: Row,
    workspace: Workspace,
    visitors: Visitors,
    process: subprocess.Popen[bytes],
    buckets: tuple[int, int],
) -> None:
    """Plant each fault at the start of its bucket; `buckets`: the first in ms, the width in s."""
    first_ms, width_s = buckets
    planted = row.before
    for number, fault in enumerate((*row.faults, "none")):
        if not _wait_until(first_ms / 1000 + number * width_s - row.early_s, process):
            break
        if fault == planted:
            continue
        if planted == AWAY:
            visitors.__enter__()
        if fault == AWAY:
            visitors.stop()
        elif fault in TIMES:
            _fail(workspace, process, TIMES[fault])
        else:
            workspace.plant(fault)
        planted = fault


def _fail(workspace: Workspace, process: subprocess.Popen[bytes], times: int) -> None:
    workspace.plant("refresh")
    while value(workspace, "SELECT failures FROM refresh_failures") < times:
        if _ended(process, LOOK_EVERY_S):
            break
    workspace.plant("none")


def _watch_started_ms(folder: Path, process: subprocess.Popen[bytes]) -> int | None:
    while not _ended(process, LOOK_EVERY_S * 4):
        for event in _events(folder):
            if event.kind == "watch.started":
                return int(event.body["started_ms"])
    return None


def _wait_until(at_s: float, process: subprocess.Popen[bytes]) -> bool:
    """Wait for a moment of the wall clock; False when the run has ended before."""
    while (left_s := at_s - time()) > 0:
        if _ended(process, min(left_s, CLOCK_MAY_TURN_S)):
            return False
    return True


def _ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Wait for the end of the run, at most so long, and say whether it has come."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _events(folder: Path) -> tuple[Event, ...]:
    file = folder / ".gonogo" / "journal.db"
    if not (folder / ".gonogo" / "runs").is_dir() or not file.exists():
        return ()
    journal = SqliteJournal(file, SystemClock(), create=False)
    try:
        known = journal.runs()
        return journal.events(known[-1]) if known else ()
    finally:
        journal.close()
