"""What becomes an alert: a rule that fires, a metric without data, and every rollback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gonogo.plan.model import Consequence
from gonogo.plan.notices import Severity

ROLLBACK = "rollback"
"""The rule of the alert that every rollback raises, whatever the author wrote."""
BLIND, NO_DATA = "blind", "no-data"

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
