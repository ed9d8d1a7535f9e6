"""Time slices on a UTC grid: what was seen of one metric in one of them, closed and never changed.

Times are whole milliseconds since 1970 in UTC, so that neither a time zone, nor daylight saving,
nor a leap second makes or loses a slice. Buckets are stored whole: rules and tests run on them
again and give the same answer bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from gonogo.judge.sketch import EXACT, Sketch

MOST_REASONS = 8
"""How many reasons of being blind a bucket keeps: the first in alphabetical order."""


class Shape(StrEnum):
    """What a metric is made of."""

    SAMPLES = "samples"  # single values: latencies, or a gauge that is read now and then
    SHARE = "share"  # hits out of a total, in %: error rate, cache hit rate
    AMOUNT = "amount"  # how much was added: failures, jobs; the deltas of a counter
    GIVEN = "given"  # figures that the source has worked out itself: a 5-minute table, a query


@dataclass(frozen=True, slots=True)
class Form:
    """What a metric's figures are: shape, unit, statistic when none is said, least samples.

    `least` replaces the minimum that follows from the statistic or the limit. A source that works
    out its figures itself and does not say from how many samples is judged with `least=0` only.
    """

    shape: Shape
    unit: str = ""  # canonical spelling; `%` for a share
    stat: str = "avg"  # for samples: what `cpu usage > 70 %` means
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Hits out of a total."""

    hits: int = 0
    total: int = 0

    @property
    def count(self) -> int:
        """Return the number of samples behind it."""
        return self.total

    def merge(self, other: Share) -> Share:
        """Return both together."""
        return Share(self.hits + other.hits, self.total + other.total)

    def as_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"hits": self.hits, "total": self.total}


@dataclass(frozen=True, slots=True)
class Amount:
    """How much was added, in how many readings."""

    amount: Decimal = Decimal(0)
    count: int = 0

    def merge(self, other: Amount) -> Amount:
        """Return both together, exactly."""
        return Amount(EXACT.add(self.amount, other.amount), self.count + other.count)

    def as_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"amount": str(self.amount), "count": self.count}


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic as the source gave it; the latest one of a slice counts."""

    at_ms: int
    value: Decimal
    samples: int | None = None  # how many were behind it; None when the source does not say


@dataclass(frozen=True, slots=True)
class Given:
    """Statistics by name (`p99`, empty for the metric itself), the latest of each."""

    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return 1 when there is any figure; how many samples it had is the figure's own."""
        return 1 if self.figures else 0

    def merge(self, other: Given) -> Given:
        """Return the later figure of each; of two at once the larger, then the less proven."""
        figures = dict(self.figures)
        for name, figure in other.figures.items():
            mine = figures.get(name)
            figures[name] = figure if mine is None else max(mine, figure, key=_latest)
        return Given(figures)

    def as_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            name: [figure.at_ms, str(figure.value), figure.samples]
            for name, figure in sorted(self.figures.items())
        }


def _latest(figure: Figure) -> tuple[int, Decimal, int]:
    return figure.at_ms, figure.value, 0 if figure.samples is None else -figure.samples


Body = Sketch | Share | Amount | Given

EMPTY: Mapping[Shape, Body] = {
    Shape.SAMPLES: Sketch(),
    Shape.SHARE: Share(),
    Shape.AMOUNT: Amount(),
    Shape.GIVEN: Given(),
}


def shape_of(body: Body) -> Shape:
    """Return the shape that a body has."""
    match body:
        case Sketch():
            return Shape.SAMPLES
        case Share():
            return Shape.SHARE
        case Amount():
            return Shape.AMOUNT
        case Given():
            return Shape.GIVEN


@dataclass(frozen=True, slots=True)
class Grid:
    """Slices of one width on the UTC clock; closed `grace_s` after their end."""

    width_s: int = 300
    grace_s: int = 10

    def __post_init__(self) -> None:
        """Refuse a grid that has no slices."""
        if self.width_s < 1:
            msg = f"a slice of {self.width_s} s has no width"
            raise ValueError(msg)
        if self.grace_s < 0:
            msg = f"a grace of {self.grace_s} s is none"
            raise ValueError(msg)

    @property
    def width_ms(self) -> int:
        """Return the width in milliseconds."""
        return self.width_s * 1000

    @property
    def grace_ms(self) -> int:
        """Return the grace in milliseconds."""
        return self.grace_s * 1000

    def start_of(self, at_ms: int) -> int:
        """Return the start of the slice that a moment belongs to."""
        return at_ms - at_ms % self.width_ms

    def first_whole(self, at_ms: int) -> int:
        """Return the start of the first slice that begins at or after a moment."""
        return self.start_of(at_ms + self.width_ms - 1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A closed slice of one metric."""

    metric: str
    start_ms: int
    width_ms: int
    body: Body
    watched_ms: int  # for how much of the slice somebody looked and the source answered
    bad: Mapping[str, int] = field(default_factory=dict)  # reason -> samples not fed
    late: int = 0  # came for a slice that was closed already; not fed
    reasons: tuple[str, ...] = ()  # why the source was blind, sorted

    @property
    def end_ms(self) -> int:
        """Return the end, which belongs to the next slice."""
        return self.start_ms + self.width_ms

    @property
    def shape(self) -> Shape:
        """Return what the metric is made of."""
        return shape_of(self.body)

    @property
    def count(self) -> int:
        """Return how many samples, hits and misses, readings or figures were fed."""
        return self.body.count

    @property
    def coverage(self) -> float:
        """Return which part of the slice was watched, 0 to 1; for showing, never for judging."""
        return self.watched_ms / self.width_ms

    @property
    def flaws(self) -> tuple[str, ...]:
        """Return how many samples were bad, by reason: `3 null`."""
        return tuple(f"{number} {why}" for why, number in sorted(self.bad.items()))

    def merge(self, other: Bucket) -> Bucket:
        """Return one bucket of two workers that each saw a part of the same traffic.

        It is watched only as long as the worse of the two watched. A worker that is missing
        altogether is not noticed here: hand in its empty bucket.

        Raises:
            ValueError: they are not the same slice of the same metric.
        """
        mine = (self.metric, self.start_ms, self.width_ms, self.shape)
        theirs = (other.metric, other.start_ms, other.width_ms, other.shape)
        if mine != theirs:
            msg = f"`{self.metric}` and `{other.metric}` are not the same slice of one metric"
            raise ValueError(msg)
        bad = dict(self.bad)
        for reason, number in other.bad.items():
            bad[reason] = bad.get(reason, 0) + number
        return Bucket(
            self.metric,
            self.start_ms,
            self.width_ms,
            merged(self.body, other.body),
            min(self.watched_ms, other.watched_ms),
            bad,
            self.late + other.late,
            tuple(sorted({*self.reasons, *other.reasons})[:MOST_REASONS]),
        )

    def as_json(self) -> dict[str, object]:
        """Return the whole bucket; `from_json` reads back an equal one."""
        return {
            "metric": self.metric,
            "start_ms": self.start_ms,
            "width_ms": self.width_ms,
            "shape": self.shape.value,
            "watched_ms": self.watched_ms,
            "body": self.body.as_json(),
            "bad": dict(sorted(self.bad.items())),
            "late": self.late,
            "reasons": list(self.reasons),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Bucket:
        """Read what `as_json` wrote."""
        bad, body, reasons = data["bad"], data["body"], data["reasons"]
        assert isinstance(bad, dict)
        assert isinstance(body, dict)
        assert isinstance(reasons, list)
        return cls(
            str(data["metric"]),
            _whole(data["start_ms"]),
            _whole(data["width_ms"]),
            _body(Shape(str(data["shape"])), body),
            _whole(data["watched_ms"]),
            dict(bad),
            _whole(data["late"]),
            tuple(reasons),
        )


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _body(shape: Shape, data: Mapping[str, object]) -> Body:
    match shape:
        case Shape.SAMPLES:
            return Sketch.from_json(data)
        case Shape.SHARE:
            return Share(_whole(data["hits"]), _whole(data["total"]))
        case Shape.AMOUNT:
            return Amount(Decimal(str(data["amount"])), _whole(data["count"]))
        case Shape.GIVEN:
            figures = {}
            for name, row in data.items():
                assert isinstance(row, list)
                figures[name] = Figure(_whole(row[0]), Decimal(row[1]), row[2])
            return Given(figures)


def merged(mine: Body, theirs: Body) -> Body:
    """Return two bodies of one shape as one."""
    match mine:
        case Sketch():
            assert isinstance(theirs, Sketch)
            return mine.merge(theirs)
        case Share():
            assert isinstance(theirs, Share)
            return mine.merge(theirs)
        case Amount():
            assert isinstance(theirs, Amount)
            return mine.merge(theirs)
        case Given():
            assert isinstance(theirs, Given)
            return mine.merge(theirs)
