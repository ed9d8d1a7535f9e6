"""What becomes an alert: a rule that fires, a metric without data, and every rollback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gonogo.plan.model import Consequence
from gonogo.plan.notices import Severity, moment

ROLLBACK = "rollback"
"""The rule of the alert that every rollback raises, whatever the author wrote."""
BLIND, NO_DATA = "blind", "no-data"
UNWATCHED = "unwatched"
"""The rule of the alert that tells of a time in which no gonogo was there to watch."""
_SHORT_GAP_S, _LONG_GAP_S = 60.0, 600.0

_OF_CONSEQUENCE: Mapping[str, Severity] = {
    Consequence.WARN.value: Severity.WARN,
    Consequence.PAGE.value: Severity.PAGE,
    Consequence.CRITICAL.value: Severity.CRITICAL,
    **{severity.value: severity for severity in Severity},
}


@dataclass(frozen=True, slots=True)
class Raising:
    """Something that people must be told of; `rule` is the same each time it happens."""

    rule: str
    severity: Severity
    text: str
    since_ms: int
    always: bool = False  # no planned window silences it
    metrics: str = ""  # names of the figures that it is about
    within_s: float | None = None  # to be mended in this time, where the runbook says so
    once: bool = False  # a fact that is over when it is told


@dataclass(frozen=True, slots=True)
class Clearing:
    """The end of something that people were told of."""

    rule: str
    text: str


def of_move(move: Mapping[str, object]) -> Raising | Clearing | None:
    """Return what a move of a rule (as journaled) means for alerts; None when nothing.

    A missed objective tells nobody; a rollback trigger is told by the rollback itself.
    """
    severity = _OF_CONSEQUENCE.get(str(move["consequence"]))
    if severity is None:
        return None
    rule, text = str(move["rule"]), str(move["reason"])
    kind, _, metric = rule.partition("/")
    if kind in (BLIND, NO_DATA):  # rules that nobody wrote: their reason does not name the figure
        text = f"{metric}: {text}"
    if move["after"] == "firing" and move["before"] != "firing":
        slices, closed = move.get("slices"), move["closed_ms"]
        first = slices[0] if isinstance(slices, list | tuple) and slices else closed
        assert isinstance(first, int)
        return Raising(rule, severity, text, first)
    if move["before"] == "firing" and move["after"] != "firing":
        return Clearing(rule, text)
    return None


def no_data_alert(metric: str, why: str, since_ms: int, *, blind: bool = False) -> Raising:
    """Return the alert of a metric without data; with `blind` it lasts too long and pages."""
    rule, severity = (BLIND, Severity.PAGE) if blind else (NO_DATA, Severity.WARN)
    return Raising(f"{rule}/{metric}", severity, f"{metric}: no data ({why})", since_ms)


def rollback_alert(why: str, at_ms: int, *, failed: bool = False) -> Raising:
    """Return the alert of a rollback that began, or (worse) of one that failed; never silenced."""
    if failed:
        text = f"the rollback failed: {why}" if why else "the rollback failed"
        return Raising(ROLLBACK, Severity.CRITICAL, text, at_ms, always=True)
    return Raising(ROLLBACK, Severity.PAGE, f"rolling back: {why}", at_ms, always=True)


def rollback_over(why: str = "") -> Clearing:
    """Return the end of the alert of a rollback that was proved."""
    return Clearing(ROLLBACK, f"rolled back, the old state is proved{': ' + why if why else ''}")


def unwatched(gap_s: float, until_ms: int, *, width_s: float = 0.0) -> Raising | None:
    """Return what people are told of a gap in a watch; None when it was a moment only.

    `gap_s` counts from the last that was journaled, which may be the close of a bucket of
    `width_s`. A gap that is surely as long as a metric may be blind wakes people up.
    """
    if gap_s < _SHORT_GAP_S:
        return None
    since_ms = until_ms - int(gap_s * 1000)
    severity = Severity.PAGE if gap_s - width_s >= _LONG_GAP_S else Severity.WARN
    minutes, seconds = divmod(round(gap_s), 60)
    hours, minutes = divmod(minutes, 60)
    lasted = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
    text = f"nobody watched for up to {lasted}, {moment(since_ms)} to {moment(until_ms)}: "
    return Raising(UNWATCHED, severity, text + "gonogo was not running", since_ms, once=True)
