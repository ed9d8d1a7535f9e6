"""Several looks at one thing as one finding: a bad look is never wiped out by a later good one."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.judge.verdict import ORDER, Status

_GOOD = (Status.PASS, Status.WAIVED)


def together(looks: Sequence[Status | None]) -> Status:
    """Return what looks in order of time come to; None is a look that was missed.

    One that failed decides. Else the last look decides, with all before it since the last good
    one: what could not be seen and then was seen to be good is good. When fewer than half of the
    looks gave an answer, nothing is known. Adding a look that is not good never improves it.
    """
    if Status.FAIL in looks:
        return Status.FAIL
    seen = [Status.UNKNOWN if look is None else look for look in looks]
    tail: list[Status] = []
    for status in reversed(seen):
        if status in _GOOD:
            break
        tail.append(status)
    answered = sum(status in _GOOD for status in seen)
    if 2 * answered < len(seen) or not seen:
        tail.append(Status.UNKNOWN)
    return max(tail, key=ORDER.index) if tail else Status.PASS


def say(looks: Sequence[Status | None]) -> str:
    """Return how many looks there were and how they went: `3 of 4 looks pass, 1 missed`."""
    good = sum(look in _GOOD for look in looks)
    parts = [f"{good} of {len(looks)} looks pass"]
    for status in (Status.FAIL, Status.ERROR, Status.UNKNOWN):
        number = sum(look is status for look in looks)
        if number:
            parts.append(f"{number} {status.value}")
    missed = sum(look is None for look in looks)
    return ", ".join([*parts, *([f"{missed} missed"] if missed else [])])
