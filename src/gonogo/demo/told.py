"""Compares what the run says of itself with what the story announced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gonogo.clock import SystemClock
from gonogo.demo.inbox import Message, begun
from gonogo.demo.pace import Pace
from gonogo.demo.proof import Claim
from gonogo.demo.story import Expected
from gonogo.store.journal import SqliteJournal

LOUDNESS = ("warn", "page", "critical")
SOONEST = 1  # buckets from the fault to the start of the rollback


def claims(expected: Expected, code: int, evidence: Path, recovered: str) -> tuple[Claim, ...]:
    """Compare the exit code of the run, its evidence, and how its rollback ended."""
    meaning = f" ({expected.meaning})" if code == expected.exit_code else ""
    wanted = f"{expected.exit_code} ({expected.meaning})"
    ended = Claim("its exit code", wanted, f"{code}{meaning}")
    if not evidence.is_file():
        return (ended, Claim("its evidence", "written", "missing"))
    data = json.loads(evidence.read_text(encoding="utf-8"))
    failed = [
        step["title"]
        for phase in data["phases"]
        for step in phase["steps"]
        if (step["finding"] or {}).get("status") in ("fail", "error")
    ]
    rule = _fired(data, "rollback")
    heard = [word for word in LOUDNESS if _fired(data, word)]
    found = (
        Claim("the step that failed", expected.failing, ", ".join(failed) or "none"),
        Claim("the alerts that fired", expected.alerts, ", ".join(heard) or "none"),
        Claim("the trigger that fired", expected.rule, ", ".join(rule) or "none"),
    )
    chain = Claim("the chain of its events", "intact", "intact" if data["intact"] else "broken")
    if data["rollback"] is None:
        return (ended, *found, chain)
    return (ended, *found, Claim("after going back", expected.recovered, recovered), chain)


def speed(planted: Sequence[datetime], evidence: Path, pace: Pace, latest: int) -> Claim:
    """Compare the time from the fault to the start of the rollback with what the rule promises."""
    said = f"{SOONEST} to {latest} buckets of {pace.bucket_s} s"
    if not planted:
        return Claim("the fault came", "in the middle of the watch", "never")
    started = None
    if evidence.is_file():
        data = json.loads(evidence.read_text(encoding="utf-8"))
        started = (data["rollback"] or {}).get("started")
    text = f"the fault came at {planted[0]:%H:%M:%S} UTC and was answered"
    if started is None:
        return Claim(text, said, "never")
    took = datetime.fromisoformat(started) - planted[0]
    in_time = timedelta(seconds=SOONEST * pace.bucket_s) <= took
    in_time &= took <= timedelta(seconds=latest * pace.bucket_s)
    shown = f"{took.total_seconds():.1f} s"
    return Claim(f"{text} {shown} later", said, said if in_time else shown)


def arrived(expected: Expected, messages: Sequence[Message]) -> Claim:
    """Compare the severities of the alerts that arrived with those that were announced."""
    heard = ", ".join(begun(messages)) or "none"
    return Claim("the alerts that arrived", expected.arrived, heard)


def recovery(folder: Path) -> str:
    """Return the last word of the newest run in `folder` about the figures after going back."""
    file = folder / ".gonogo" / "journal.db"
    if not file.exists():
        return "no run"
    journal = SqliteJournal(file, SystemClock(), create=False)
    try:
        events = journal.events(journal.runs()[-1])
    finally:
        journal.close()
    seen = [str(event.body["says"]) for event in events if event.kind == "recovery.seen"]
    return seen[-1] if seen else "no watch had begun"


def _fired(data: Mapping[str, Any], consequence: str) -> list[str]:
    """Return the rules with a consequence that fired, as they are written, each once."""
    return list(dict.fromkeys(_firing(data, consequence)))


def _firing(data: Mapping[str, Any], consequence: str) -> Iterator[str]:
    for watch in filter(None, (phase["watch"] for phase in data["phases"])):
        texts = {rule["id"]: rule["text"] for rule in watch["rules"]}
        for move in watch["moves"]:
            if move["consequence"] == consequence and move["after"] == "firing":
                yield texts.get(move["rule"], move["rule"])
