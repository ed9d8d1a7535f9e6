"""The looks of a checkpoint: when each was due, what was seen, which were missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gonogo.report import reading, words
from gonogo.run.journal import Event

MISSED = "missed"
_MOST = 40
_GOOD = ("pass", "waived")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a step; a missed one was not made up."""

    checkpoint: str
    due: str
    at: str  # when it was journaled
    status: str  # pass, fail, error, unknown, missed
    said: str = ""

    @property
    def line(self) -> str:
        """Return `2026-03-01 14:05:00  fail  status 500 (First hour)`."""
        said = f"  {words.one_line(self.said)}" if self.said else ""
        when = words.day_and_time(self.due) if self.due else "-"
        return f"{when}  {self.status}{said} ({words.one_line(self.checkpoint)})"


def look_of(event: Event) -> Look:
    """Read a look from its event."""
    body = event.body
    said = reading.text(body, "why") or reading.text(body, "actual")
    status = reading.text(body, "status") or MISSED
    due = words.at_ms(body.get("due_ms"))
    return Look(reading.text(body, "checkpoint"), due, event.at, status, said)


def lines(looks: Sequence[Look], most: int = _MOST) -> Iterator[str]:
    """Yield a line per look; of many the last ones, and those that were not good first of all."""
    places = sorted(range(len(looks)), key=lambda n: (looks[n].status in _GOOD, -n))[:most]
    for place in sorted(places):
        yield looks[place].line
    if len(looks) > most:
        yield f"{words.count(len(looks) - most, 'look')} left out; the JSON form has them"
