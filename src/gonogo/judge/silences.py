"""A metric without data, told at once and for too long: the rule that nobody writes."""

from __future__ import annotations

from collections.abc import Iterable

from gonogo.judge.buckets import Bucket
from gonogo.judge.moves import Move, clock_time
from gonogo.judge.questions import no_data
from gonogo.judge.streaks import Event, Pattern, State, Streak
from gonogo.plan.model import Consequence


class Silence:
    """The rule that nobody writes: a metric without data, at once and for too long."""

    __slots__ = ("consequence", "id", "metric", "streak")

    def __init__(self, metric: str, consequence: Consequence, pattern: Pattern) -> None:
        """Begin quiet; `pattern` says after how many slices without data it fires."""
        self.metric = metric
        self.consequence = consequence
        word = "no-data" if consequence is Consequence.WARN else "blind"
        self.id = f"{word}/{metric or 'value'}"
        self.streak = Streak(pattern)

    def judge(self, start_ms: int, width_ms: int, bucket: Bucket | None) -> Move | None:
        """Judge one slice; return the move when the state is another one after it."""
        streak = self.streak
        before = streak.state
        event = Event.GOOD
        if no_data(bucket):
            event = Event.BREACH
        if streak.feed(event, start_ms) is before:
            return None
        if streak.state in {State.PENDING, State.FIRING}:
            since = clock_time(streak.breaches[0], width_ms, start_ms)
            why = "; ".join((*bucket.flaws, *bucket.reasons)) if bucket is not None else ""
            reason = f"no data since {since}" + (f" ({why})" if why else "")
        else:
            reason = "data again"
        return Move(
            self.id,
            self.consequence,
            start_ms,
            start_ms + width_ms,
            before,
            streak.state,
            Event.NO_DATA if event is Event.BREACH else Event.GOOD,
            reason,
            streak.breaches,
        )


def silences_of(metrics: Iterable[str], blind: int) -> list[Silence]:
    """Return for each metric who warns at once, and who pages after `blind` slices."""
    return [
        Silence(name, consequence, pattern)
        for name in metrics
        for consequence, pattern in (
            (Consequence.WARN, Pattern()),
            (Consequence.PAGE, Pattern(blind, blind, 1)),
        )
    ]
