"""A plan whose calendar runs faster: a week of watching rehearsed in a quarter of an hour."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from gonogo.plan.model import Checkpoint, Phase, Plan, Step

SETTING = "calendar"
"""Where a plan says how fast its calendar runs, as in `1/720`."""
_FORM = re.compile(r"1\s*/\s*([1-9]\d{0,6})")


def read_calendar(text: str) -> int | None:
    """Return how many times faster `1/720` is; None for anything else."""
    found = _FORM.fullmatch(text.strip())
    return int(found[1]) if found else None


def say(times: int) -> str:
    """Return what everybody must know of a run on such a calendar."""
    return (
        f"scaled calendar 1/{times}: watches, checkpoints, cadences and deadlines run {times} times"
        " faster; latencies, buckets and `for` windows do not"
    )


def hastened(plan: Plan, times: int) -> Plan:
    """Return the plan with the lengths of its watches, its checkpoints and its deadlines divided.

    What is measured stays as it is: latencies, buckets and the windows of rules. With 1 nothing
    changes.
    """
    if times == 1:
        return plan
    phases = tuple(_phase(phase, times) for phase in plan.phases)
    return replace(plan, phases=phases, settings={**plan.settings, SETTING: f"1/{times}"})


def _shorter(seconds: float | None, times: int) -> float | None:
    return None if seconds is None else float(Fraction(seconds) / times)


def _phase(phase: Phase, times: int) -> Phase:
    return replace(
        phase,
        span_s=_shorter(phase.span_s, times),
        checkpoints=tuple(_checkpoint(one, times) for one in phase.checkpoints),
        steps=tuple(_step(step, times) for step in phase.steps),
    )


def _checkpoint(one: Checkpoint, times: int) -> Checkpoint:
    return replace(
        one,
        begins_s=one.begins_s / times,
        ends_s=one.ends_s / times,
        every_s=_shorter(one.every_s, times),
    )


def _step(step: Step, times: int) -> Step:
    return replace(
        step,
        deadline_s=_shorter(step.deadline_s, times),
        every_s=_shorter(step.every_s, times),
    )
