"""A rule that went from one state to another, and how the slices that count are said in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gonogo.judge.streaks import Event, State
from gonogo.plan.model import Consequence

_MOST_TIMES = 6  # in a sentence; a longer streak names its first and its last


@dataclass(frozen=True, slots=True)
class Move:
    """One rule went from one state to another when a slice was closed."""

    rule: str
    consequence: Consequence
    at_ms: int  # start of the slice
    closed_ms: int  # its end
    before: State
    after: State
    event: Event
    reason: str  # one sentence with the values
    slices: tuple[int, ...] = ()  # starts of the slices that count
    values: Mapping[str, str] = field(default_factory=dict)  # subject -> what was seen

    def as_json(self) -> dict[str, object]:
        """Return the form in which a move is journaled."""
        return {
            "rule": self.rule,
            "consequence": self.consequence.value,
            "at_ms": self.at_ms,
            "closed_ms": self.closed_ms,
            "before": self.before.value,
            "after": self.after.value,
            "event": self.event.value,
            "reason": self.reason,
            "slices": list(self.slices),
            "values": dict(self.values),
        }


def clock_time(at_ms: int, width_ms: int, today_ms: int) -> str:
    """Return a moment as `14:05` UTC, with seconds for short slices, with days for another day."""
    minutes, seconds = divmod(at_ms // 1000 % 86_400, 60)
    said = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if width_ms % 60_000:
        said += f":{seconds:02d}"
    days = today_ms // 86_400_000 - at_ms // 86_400_000
    return said if not days else f"{said} {days} d before"


def times(starts: Sequence[int], width_ms: int, today_ms: int) -> str:
    """Return the starts of slices in words, the middle left out of a long row."""
    said = [clock_time(at, width_ms, today_ms) for at in starts]
    if len(said) > _MOST_TIMES:
        said = [*said[: _MOST_TIMES - 1], "…", said[-1]]
    return ", ".join(said)
