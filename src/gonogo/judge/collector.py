"""From observations in any order to closed slices: nothing invented, nothing lost, gaps are gaps.

The collector is told what time it is and never asks. A slice closes when its end and the grace
have passed; what comes later is counted and not fed. How much of a slice was watched follows from
the moments at which the collector was told the time: a step longer than `longest_step_s`, or one
backwards, is time in which nobody looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gonogo.judge.buckets import (
    MOST_REASONS,
    Amount,
    Body,
    Bucket,
    Figure,
    Form,
    Given,
    Grid,
    Shape,
    Share,
)
from gonogo.judge.sketch import EXACT, Refusal, SketchBuilder, exact_value

Stretch = tuple[int, int]
"""A stretch of time: from, and up to but not including, in milliseconds."""

MOST_AT_ONCE = 10_000
"""How many slices are closed in one call; the rest follow in the next."""


def without(stretches: Iterable[Stretch], holes: Iterable[Stretch]) -> list[Stretch]:
    """Return the union of the stretches without the holes, in order."""
    marks = [(at, side, 0) for pair in stretches for at, side in zip(pair, (1, -1), strict=True)]
    marks += [(at, 0, side) for pair in holes for at, side in zip(pair, (1, -1), strict=True)]
    found: list[Stretch] = []
    inside = masked = 0
    since: int | None = None
    for at, opened, hidden in sorted(marks):
        inside += opened
        masked += hidden
        seen = inside > 0 and masked == 0
        if seen and since is None:
            since = at
        elif not seen and since is not None:
            if at > since:
                found.append((since, at))
            since = None
    return found


def length_within(stretches: Iterable[Stretch], start: int, end: int) -> int:
    """Return how many milliseconds of [start, end) lie in stretches that do not overlap."""
    return sum(max(0, min(up_to, end) - max(since, start)) for since, up_to in stretches)


class _Slice:
    """One slice of one metric while it is open."""

    __slots__ = ("amount", "bad", "count", "figures", "hits", "sketch", "total")

    def __init__(self, limits: Iterable[Decimal]) -> None:
        self.sketch = SketchBuilder(limits)
        self.hits = self.total = self.count = 0
        self.amount = Decimal(0)
        self.figures = Given()
        self.bad: dict[str, int] = {}

    def body(self, shape: Shape) -> Body:
        """Return what was fed, closed."""
        match shape:
            case Shape.SAMPLES:
                return self.sketch.done()
            case Shape.SHARE:
                return Share(self.hits, self.total)
            case Shape.AMOUNT:
                return Amount(self.amount, self.count)
            case Shape.GIVEN:
                return self.figures


@dataclass(slots=True)
class _Series:
    """One metric over the open slices."""

    form: Form
    limits: tuple[Decimal, ...]
    open: dict[int, _Slice] = field(default_factory=dict)
    blind: list[tuple[int, int, str]] = field(default_factory=list)
    covered: list[Stretch] = field(default_factory=list)  # read back from a log afterwards
    late: int = 0
    strays: dict[str, int] = field(default_factory=dict)  # bad samples that belong to no open slice


class Collector:
    """Takes observations of several metrics and gives back closed buckets, in order of time."""

    def __init__(
        self,
        grid: Grid,
        forms: Mapping[str, Form],
        started_ms: int,
        *,
        limits: Mapping[str, Iterable[Decimal]] | None = None,
        resume_ms: int | None = None,
        longest_step_s: int = 60,
    ) -> None:
        """Begin to watch at `started_ms`; `resume_ms` is the end of the last bucket on record.

        `limits` are counted exactly (`gonogo.judge.measures.limits_of`). After a restart the
        collector continues with the slice at `resume_ms`; what was not watched meanwhile is a gap.
        """
        self.grid = grid
        self.forms = dict(forms)
        self._begin = started_ms
        self._next = grid.start_of(started_ms if resume_ms is None else resume_ms)
        self._now = started_ms
        self._latest = started_ms  # the latest believed time: closing never goes back
        self._doubted: int | None = None
        self._step = longest_step_s * 1000
        self._watched: list[Stretch] = []
        known = limits or {}
        self._series = {
            name: _Series(form, tuple(known.get(name, ()))) for name, form in forms.items()
        }

    @property
    def next_ms(self) -> int:
        """Return the start of the oldest slice that is still open."""
        return self._next

    def value(self, metric: str, at_ms: int, value: object) -> None:
        """Feed one sample (shape `samples`) or what was added since the last one (`amount`)."""
        series = self._series[metric]
        number = exact_value(value)
        if isinstance(number, Refusal):
            self.bad(metric, at_ms, number)
            return
        slot = self._slot(series, at_ms)
        if slot is None:
            return
        if series.form.shape is Shape.AMOUNT:
            slot.amount = EXACT.add(slot.amount, number)
            slot.count += 1
        else:
            assert series.form.shape is Shape.SAMPLES, f"`{metric}` has no single values"
            slot.sketch.add(number)

    def share(self, metric: str, at_ms: int, hits: int, total: int = 1) -> None:
        """Feed hits out of a total."""
        series = self._series[metric]
        assert series.form.shape is Shape.SHARE, f"`{metric}` is no share"
        if hits < 0 or total < 0 or hits > total:
            self.bad(
                metric, at_ms, Refusal.NEGATIVE if total < 0 or hits < 0 else Refusal.IMPOSSIBLE
            )
            return
        slot = self._slot(series, at_ms)
        if slot is not None:
            slot.hits += hits
            slot.total += total

    def figure(
        self, metric: str, at_ms: int, stat: str, value: object, samples: int | None = None
    ) -> None:
        """Feed a statistic that the source has worked out itself; `stat` may be empty."""
        series = self._series[metric]
        assert series.form.shape is Shape.GIVEN, f"`{metric}` is not worked out by its source"
        number = exact_value(value)
        if isinstance(number, Refusal):
            self.bad(metric, at_ms, number)
            return
        slot = self._slot(series, at_ms)
        if slot is not None:
            figure = Figure(at_ms, number, samples)
            slot.figures = slot.figures.merge(Given({stat: figure}))

    def bad(self, metric: str, at_ms: int, why: Refusal) -> None:
        """Count a sample that cannot be fed."""
        series = self._series[metric]
        slot = self._slot(series, at_ms)
        if slot is not None:
            slot.bad[why.value] = slot.bad.get(why.value, 0) + 1

    def blind(self, metric: str, since_ms: int, until_ms: int, why: str) -> None:
        """Say that the source of a metric could not be read for a while, and why."""
        if until_ms > since_ms:
            self._series[metric].blind.append((since_ms, until_ms, why))

    def covered(self, metric: str, since_ms: int, until_ms: int) -> None:
        """Say that a source has everything of a stretch although nobody looked then: a log."""
        if until_ms > since_ms:
            self._series[metric].covered.append((since_ms, until_ms))

    def _slot(self, series: _Series, at_ms: int) -> _Slice | None:
        """Return the open slice of a moment; None when it is closed, before the watch or ahead."""
        start = self.grid.start_of(at_ms)
        stray = None
        if at_ms < self._begin:
            stray = Refusal.BEFORE
        elif start > max(self._latest, self._doubted or 0) + self.grid.width_ms:
            stray = Refusal.FUTURE
        elif start < self._next:
            series.late += 1
            return None
        if stray is not None:
            series.strays[stray.value] = series.strays.get(stray.value, 0) + 1
            return None
        slot = series.open.get(start)
        if slot is None:
            slot = series.open[start] = _Slice(series.limits)
        return slot

    @property
    def believed_ms(self) -> int:
        """Return the latest time that is believed: nothing closes behind it."""
        return self._latest

    def advance(self, now_ms: int) -> tuple[Bucket, ...]:
        """Say what time it is; return the buckets that are closed by it, oldest first.

        After a restart or a gap: say the time, feed what the sources have kept, say it again.
        A jump forward is believed at the second call that agrees with it, so that a clock that is
        wrong for a moment closes nothing. At most `MOST_AT_ONCE` slices are closed in a call.
        """
        self.tell(now_ms)
        return () if self._doubted is not None else self.close_until(self._latest)

    def tell(self, now_ms: int) -> None:
        """Say what time it is and close nothing yet: the sources may have more up to then."""
        if now_ms - self._now > self._step:
            if not self._agrees(now_ms):
                self._doubted = now_ms
                return
            self._now = self._doubted or now_ms
        self._doubted = None
        self._pass(now_ms)

    def close_until(self, moment_ms: int) -> tuple[Bucket, ...]:
        """Return the buckets whose grace is over at a moment that is believed, oldest first."""
        return self._close_until(min(moment_ms, self._latest) - self.grid.grace_ms)

    def _pass(self, now_ms: int) -> None:
        """Take the time since the last call as watched, unless it is too long or negative."""
        if 0 < now_ms - self._now <= self._step:
            self._watch(self._now, now_ms)
        self._now = now_ms
        self._latest = max(self._latest, now_ms)

    def _agrees(self, now_ms: int) -> bool:
        return self._doubted is not None and 0 <= now_ms - self._doubted <= self._step

    def _watch(self, since: int, until: int) -> None:
        if self._watched and self._watched[-1][1] == since:
            self._watched[-1] = (self._watched[-1][0], until)
        else:
            self._watched.append((since, until))

    def finish(self, now_ms: int) -> tuple[Bucket, ...]:
        """End the watch: close all slices that have begun, the last one with what was watched."""
        self._pass(now_ms)
        return self._close_until(self.grid.first_whole(self._latest))

    def _close_until(self, moment_ms: int) -> tuple[Bucket, ...]:
        closed: list[Bucket] = []
        width = self.grid.width_ms
        for _ in range(MOST_AT_ONCE):
            if self._next + width > moment_ms:
                break
            closed += [self._bucket(name, self._next) for name in self._series]
            self._next += width
        if closed:
            self._forget()
        return tuple(closed)

    def _bucket(self, name: str, start: int) -> Bucket:
        series = self._series[name]
        end = start + self.grid.width_ms
        slot = series.open.pop(start, None) or _Slice(series.limits)
        mine = [(since, until) for since, until, _ in series.blind if since < end and until > start]
        seen = without([*self._watched, *series.covered], mine)
        whys = {why for since, until, why in series.blind if since < end and until > start}
        bad = dict(slot.bad)
        for reason, number in series.strays.items():
            bad[reason] = bad.get(reason, 0) + number
        late, series.late, series.strays = series.late, 0, {}
        return Bucket(
            name,
            start,
            self.grid.width_ms,
            slot.body(series.form.shape),
            length_within(seen, start, end),
            bad,
            late,
            tuple(sorted(whys)[:MOST_REASONS]),
        )

    def _forget(self) -> None:
        """Drop what no open slice needs, so that a week of watching keeps no more than a minute."""
        self._watched = [pair for pair in self._watched if pair[1] > self._next]
        for series in self._series.values():
            series.blind = [pair for pair in series.blind if pair[1] > self._next]
            series.covered = [pair for pair in series.covered if pair[1] > self._next]
