"""How long each watch of a release lasts, and from when that counts."""

from __future__ import annotations

from collections.abc import Iterable

from gonogo.plan.kinds import Role
from gonogo.plan.model import Phase


def lengths(phases: Iterable[Phase]) -> dict[str, float | None]:
    """Return how long each watch lasts after the end of the one before, by its id, in seconds.

    `First day` behind `First hour` lasts the 23 hours that are left: both count from the begin of
    the first watch. A watch without a length of its own is None: its longest rule decides.
    """
    found: dict[str, float | None] = {}
    passed = 0.0
    for phase in phases:
        if phase.role is not Role.WATCH:
            continue
        span = phase.span_s
        left = max(span - passed, 0.0) if span is not None and phase.from_first else span
        found[phase.id] = left
        passed += left or 0.0
    return found
