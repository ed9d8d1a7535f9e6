"""The facts of a run: append-only events in a hash chain, and the answers people give.

An event is written once and never changed. `hash` covers the event and the hash before it in the
same run, so that a later edit shows (`gonogo report --verify`).

    run.started        -         runbook, text, digest, plan (summary), mode, service, title,
                                 release, environment, bindings (names only), folder, host, version
    run.resumed        -         pid, gap_s
    phase.started      phase     title, role
    step.started       step      title, line, effect, command
    step.looked        step      `Unless:` was looked at: command
    step.tried         step      an attempt that will be repeated: status, actual, why
    step.finished      step      a `Finding`
    question.asked     step/gate question, form, choices, detail, line; deadline (where it has one)
    answer.given       step/gate answer, reason, link, expires (`who` gave it)
    answer.refused     step/gate answer, why (the question stays open)
    question.closed    question  why (nobody needs to answer any more)
    watch.started      phase     started_ms, positions of logs, width_ms, planned, blind_after_s,
                                 metrics, rules; first_ms (where a watch came before), baseline,
                                 calendar (where it is scaled)
    checkpoints.began  phase     started_ms, checkpoints (title, begins_s, ends_s, steps)
    look.taken         step      checkpoint, due_ms, status, actual, why
    look.missed        step      checkpoint, due_ms, why
    checkpoints.ended  phase     -
    baseline.recorded  step      figures (subject, value, unit, samples, why), from_ms, until_ms,
                                 violated (rules that are broken already)
    bucket.closed      phase@ms  start_ms, rules (says, event, state, count, need, of, value, unit,
                                 limit), metrics (count, coverage, late, why)
    rule.moved         rule@ms   a `Move`: before, after, event, reason, slices, values; phase; way
                                 where an alert moves after going back
    rule.judged        rule      a `Finding`: what a rule came to in a watch; phase
    watch.ended        phase     why, complete
    gate.decided       phase     verdict, counts, reasons; trigger (the move that rolls back)
    abort.requested    -         reason (`who` asked)
    rollback.started   rollback  reason, item (what led to it), way (options or undo), why,
                                 choice (the option that a person chose)
    option.started     option    title, stated_s, loses, destructive
    recovery.started   option    started_ms, positions of logs
    recovery.seen      option@ms way, start_ms, says (what is not green in that bucket), look, count
                                 (green ones in a row), need; rules: what those alerts saw that fire
    recovery.judged    rollback  a `Finding`: the time that it took beside what is allowed
    option.finished    option    status (`skipped`: not open, and never begun), why
    rollback.finished  rollback  status, option, why
    verdict.given      -         verdict, exit_code, why; after a no-go way, rollback (what came of
                                 it); after a rollback that worked times (four parts), recovery
                                 (took_s, limit_s, strict, line, status, says, warnings)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of a run. `at` is ISO 8601 UTC; `hash` covers all fields and the hash before."""

    seq: int  # 1, 2, 3 … within the run, without gaps
    run: str
    epoch: int
    at: str
    who: str
    kind: str
    item: str
    attempt: int
    body: Mapping[str, object]
    hash: str

    def sealed(self, before: str) -> str:
        """Return the hash that this event must carry after an event with hash `before`."""
        facts = [self.seq, self.run, self.epoch, self.at, self.who, self.kind, self.item]
        text = json.dumps(
            [before, *facts, self.attempt, self.body],
            sort_keys=True,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(text.encode()).hexdigest()


def broken_link(events: Sequence[Event]) -> int | None:
    """Return the `seq` of the first event of one run that does not follow; None when all do."""
    before = GENESIS
    for place, event in enumerate(events, start=1):
        if event.seq != place or event.hash != _sealed(event, before):
            return event.seq
        before = event.hash
    return None


def _sealed(event: Event, before: str) -> str | None:
    """Return the hash that an event must carry; None for what no event of ours can hold."""
    try:
        return event.sealed(before)
    except (ValueError, TypeError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said to one question; the first answer wins."""

    run: str
    epoch: int
    item: str
    answer: str  # yes, no, skip, run, by hand, go, no-go, the typed name …
    who: str
    at: str
    reason: str = ""
    link: str = ""
    expires: str = ""


ABORT = "_abort"
"""The inbox item that asks a run to stop and roll back."""


class Journal(Protocol):
    """Where the facts of runs are kept; one process writes events, any process may answer."""

    def append(  # noqa: PLR0913 - all but three are keywords
        self,
        run: str,
        kind: str,
        item: str = "",
        *,
        body: Mapping[str, object] | None = None,
        who: str = "gonogo",
        attempt: int = 0,
        durable: bool = False,
    ) -> Event:
        """Write one event; with `durable` it is on disk before this returns."""
        ...

    def events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events of a run with `seq` > `after`, in order."""
        ...

    def of_item(self, run: str, item: str) -> tuple[Event, ...]:
        """Return the events of one item of a run, in order."""
        ...

    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs, oldest first."""
        ...

    def put(self, answer: Answer) -> bool:
        """Keep an answer; False when that question has one already."""
        ...

    def answer(self, run: str, item: str) -> Answer | None:
        """Return the answer to a question, if there is one."""
        ...

    def withdraw(self, run: str, item: str) -> None:
        """Take back an answer that did not fit its question, so that it can be given again."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
