"""What is lost by a statement or command, found in a text by offsets."""

from __future__ import annotations

from dataclasses import dataclass

from gonogo.plan.kinds import Destruction
from gonogo.plan.places import Places

LONGEST = 100
"""Characters of a statement that are shown."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A destructive statement found in a text, by offsets."""

    statement: str
    target: str
    at: int
    end: int


def as_destructions(text: str, losses: tuple[Loss, ...]) -> tuple[Destruction, ...]:
    """Give each loss its place in the text; the same loss at the same place counts once."""
    places = Places(text)
    found = dict.fromkeys(
        Destruction(loss.statement, loss.target, places.span(loss.at, loss.end)) for loss in losses
    )
    return tuple(sorted(found, key=lambda d: d.span))
