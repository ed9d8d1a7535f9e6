"""Keeps the small file that tells later runs what became of this one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from gonogo import outcomes
from gonogo.cli import screen
from gonogo.clock import moment, stamp
from gonogo.outcomes import Outcome
from gonogo.plan.model import Plan
from gonogo.report.words import duration
from gonogo.run.journal import Event
from gonogo.run.release import EXIT_CODES
from gonogo.runbook.canonical import rollback_digest

VALID_S = 30 * 24 * 3600.0
"""How long a drill counts when nobody says otherwise."""
_WENT_BACK = EXIT_CODES["rolled back"]


def opened(folder: Path, run: str, plan: Plan, started: Event) -> None:
    """Write what is known when a run starts.

    Raises:
        OSError: the folder cannot be written.
    """
    body = started.body
    outcomes.write(
        folder,
        Outcome(
            run=run,
            service=plan.service,
            environment=str(body.get("environment") or ""),
            release=str(body.get("release") or ""),
            who=started.who,
            started=started.at,
            drill=body.get("drill") is True,
            rollback=rollback_digest(plan),
            stated_s=stated_s(plan),
        ),
    )


def closed(folder: Path, events: Sequence[Event]) -> list[str]:
    """Write what became of the run, and return in words what could not be written.

    Never raises: a verdict counts also where nothing can be kept of it.
    """
    known = outcomes.read(folder)
    given = next((event for event in events if event.kind == "verdict.given"), None)
    if known is None or given is None:
        return []
    went_back = given.body.get("exit_code") == _WENT_BACK
    times = given.body.get("times")
    done = dataclasses.replace(
        known,
        ended=given.at,
        verdict="rolled back" if went_back else str(given.body.get("verdict", "")),
        times={str(k): float(v) for k, v in times.items()} if isinstance(times, dict) else {},
        why=str(given.body.get("why", "")),
    )
    if known.drill:
        done = _certified(done, events, went_back=went_back)
    try:
        outcomes.write(folder, done)
    except OSError as error:
        return [f"{outcomes.FILE}: {error.strerror or error}"]
    return []


def certify(folder: Path, exit_code: int) -> int:
    """Say what a drill proved; 0 when it passed, 1 when it did not, else the run's exit code."""
    done = outcomes.read(folder)
    if done is None or not done.ended:
        return exit_code
    if not done.passed:
        screen.tell(f"drill failed: {done.why}")
        return EXIT_CODES["no-go"]
    limit = f", stated {duration(done.stated_s)}" if done.stated_s is not None else ""
    until = f"; counts until {done.expires[:10]}"
    screen.tell(f"drill passed: the way back took {duration(done.took_s)}{limit}{until}")
    return EXIT_CODES["go"]


def stated_s(plan: Plan) -> float | None:
    """Return how long the way back may take by the runbook: the section's word, else the first."""
    if plan.rollback is None:
        return None
    if plan.rollback.stated_s is not None or not plan.rollback.options:
        return plan.rollback.stated_s
    return plan.rollback.options[0].stated_s


def _certified(done: Outcome, events: Sequence[Event], *, went_back: bool) -> Outcome:
    """Say whether a drill passed: it went back, was proved, and took no longer than stated."""
    valid_s = events[0].body.get("valid_s")
    ends = moment(done.ended) + timedelta(seconds=float(str(valid_s or VALID_S)))
    done = dataclasses.replace(done, expires=stamp(ends))
    if not went_back:
        return dataclasses.replace(done, why=done.why or f"it ended in {done.verdict}")
    if any(moment(later.at) < moment(before.at) for before, later in pairwise(events)):
        return dataclasses.replace(done, why="the clock was set back meanwhile: no time is certain")
    if done.stated_s is not None and done.took_s > done.stated_s:
        late = f"it took {done.took_s:g} s, stated {done.stated_s:g} s"
        return dataclasses.replace(done, why=late)
    return dataclasses.replace(done, passed=True)
