"""Many durations in a few numbers: a histogram that merges exactly and still knows a percentile.

Bin `i` holds the values in (b^(i-1), b^i] with b = 2^(1/64). A percentile is found by nearest rank
and is at most 0.542 % away from the true value. Whether it lies above a limit of the runbook is
not estimated at all: each limit has a counter of its own beside the bins.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from enum import StrEnum

PER_DOUBLING = 64
"""Bins from one value to its double, as in native histograms of schema 6."""

# Sums of any finite floats fit exactly; a sum that would need rounding is a bug, so it is trapped.
EXACT = Context(prec=2_000, Emax=999_999, Emin=-999_999, traps=[Inexact])
_SHARP = Context(prec=60)
_SMALLEST, _LARGEST = 1e-300, 1e300
_LONGEST = 1_000  # digits of a decimal, bits of a whole number


class Refusal(StrEnum):
    """Why a sample was counted as bad and not fed."""

    MISSING = "null"  # the source answered with nothing
    TEXT = "not a number"
    NOT_FINITE = "NaN or infinity"
    NEGATIVE = "negative"
    EXTREME = "too large or too small to be measured"
    IMPOSSIBLE = "more hits than there were in total"
    BEFORE = "from before the watch"
    FUTURE = "from the future"
    TOO_LONG = "too many digits"
    UNREADABLE = "unreadable line"
    OVERLONG = "line longer than 1 MiB"
    NO_TIME = "no readable time"
    DOUBLE = "two rows for one time"
    UNANSWERED = "no answer"


def _edges() -> tuple[float, ...]:
    """Return 2^((k-n)/n) for k = 0..n bins, each rounded down, so that comparing is exact."""
    found = []
    for k in range(PER_DOUBLING + 1):
        sharp = _SHARP.power(Decimal(2), _SHARP.divide(Decimal(k - PER_DOUBLING), PER_DOUBLING))
        near = float(sharp)
        found.append(
            math.nextafter(near, 0.0) if Decimal(near) > sharp and k % PER_DOUBLING else near
        )
    return tuple(found)


_EDGES = _edges()
_HALF = (1 + 2 * _EDGES[1]) / 2  # (1 + b) / 2


def bin_of(value: float) -> int:
    """Return the bin of a positive value, without a logarithm: the same on every machine."""
    fraction, power = math.frexp(value)
    return bisect_left(_EDGES, fraction) - PER_DOUBLING + PER_DOUBLING * power


def upper_edge(index: int) -> float:
    """Return the largest float in bin `index`."""
    power, rest = divmod(index - 1, PER_DOUBLING)
    return math.ldexp(_EDGES[rest + 1], power + 1)


def middle(index: int) -> float:
    """Return the value that stands for a bin: its relative error is the same to both ends."""
    return upper_edge(index) / _HALF


def rank_of(share: Decimal, count: int) -> int:
    """Return the nearest rank, from 1: the smallest rank that has `share` of all values."""
    top, bottom = share.as_integer_ratio()
    return max(1, -(-top * count // bottom))


def exact_value(value: object) -> Decimal | Refusal:
    """Return a measured value as an exact decimal, a float by its shortest spelling, or why not.

    Trailing zeros go, so that 100, 100.0 and 1E+2 are kept alike whichever came first.
    """
    if isinstance(value, float):
        if _SMALLEST <= value <= _LARGEST:
            return Decimal(repr(value)).normalize(EXACT)
        if value == 0.0:
            return Decimal(0)
        if not math.isfinite(value):
            return Refusal.NOT_FINITE
        return Refusal.NEGATIVE if value < 0 else Refusal.EXTREME
    if value is None:
        return Refusal.MISSING
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return Refusal.TEXT
    return _exact_decimal(value)


def _exact_decimal(value: int | Decimal) -> Decimal | Refusal:
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        return Refusal.EXTREME
    number = Decimal(value)
    if not number.is_finite():
        return Refusal.NOT_FINITE
    if number < 0:
        return Refusal.NEGATIVE
    if not number:
        return Decimal(0)
    fits = len(number.as_tuple().digits) <= _LONGEST and _SMALLEST <= number <= _LARGEST
    return number.normalize(EXACT) if fits else Refusal.EXTREME


@dataclass(frozen=True, slots=True)
class Over:
    """How many values lie above a limit and how many are equal to it, counted exactly."""

    above: int
    at: int

    def order(self, count: int, rank: int) -> int:
        """Tell whether the value with a rank among `count` is below (-1), at (0) or above (1)."""
        below = count - self.above
        if below < rank:
            return 1
        return 0 if below - self.at < rank else -1


@dataclass(frozen=True, slots=True)
class Sketch:
    """A closed histogram: integer counts, exact sum and ends, exact counters of the limits."""

    count: int = 0
    zeros: int = 0
    bins: tuple[tuple[int, int], ...] = ()  # (index, count), ascending, no empty bins
    total: Decimal = Decimal(0)
    low: Decimal | None = None
    high: Decimal | None = None
    over: Mapping[str, Over] = field(default_factory=dict)  # by the limit as text

    def bin_at(self, rank: int) -> int | None:
        """Return the bin of the value with this rank; None means zero. The rank must exist."""
        if not 1 <= rank <= self.count:
            msg = f"rank {rank} of {self.count} values"
            raise ValueError(msg)
        seen = self.zeros
        if rank <= seen:
            return None
        for index, number in self.bins:
            seen += number
            if rank <= seen:
                return index
        msg = "the bins hold fewer values than were counted"
        raise ValueError(msg)

    def quantile(self, share: Decimal) -> float | None:
        """Return the value at a share of the values (0.99), within 0.542 %; None without values."""
        if not self.count:
            return None
        index = self.bin_at(rank_of(share, self.count))
        return 0.0 if index is None else middle(index)

    def above_bin(self, index: int) -> int:
        """Return how many values lie above the upper edge of a bin; exact."""
        return sum(number for at, number in self.bins if at > index)

    def order_at(self, rank: int, limit: Decimal) -> int | None:
        """Tell whether the value with this rank is below (-1), at (0) or above (1) the limit.

        Exact where the limit has its own counter or lies outside the value's bin; None says that
        it cannot be told from what was kept.
        """
        kept = self.over.get(str(limit.normalize(EXACT)))
        if kept is not None:
            return kept.order(self.count, rank)
        low, high = self.bounds(rank)
        if low == high:
            return (low > limit) - (low < limit)
        if high < limit:
            return -1
        return 1 if low > limit else None

    def bounds(self, rank: int) -> tuple[Decimal, Decimal]:
        """Return between which two values (both may be it) the value with this rank lies."""
        index = self.bin_at(rank)
        if index is None:
            return Decimal(0), Decimal(0)
        assert self.low is not None
        assert self.high is not None
        # a decimal may stand a hair above the float that put it into this bin
        top = Decimal(math.nextafter(upper_edge(index), math.inf))
        return max(Decimal(upper_edge(index - 1)), self.low), min(top, self.high)

    def merge(self, other: Sketch) -> Sketch:
        """Return both together; only limits that both have counted stay exact."""
        if not self.count or not other.count:
            full = self if self.count else other
            limits = {**other.over, **self.over}
            return full if self.count or other.count else Sketch(over=limits)
        bins = dict(self.bins)
        for index, number in other.bins:
            bins[index] = bins.get(index, 0) + number
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Sketch(
            self.count + other.count,
            self.zeros + other.zeros,
            tuple(sorted(bins.items())),
            EXACT.add(self.total, other.total),
            min(lows, default=None),
            max(highs, default=None),
            {
                limit: Over(mine.above + other.over[limit].above, mine.at + other.over[limit].at)
                for limit, mine in self.over.items()
                if limit in other.over
            },
        )

    def as_json(self) -> dict[str, object]:
        """Return the JSON form; in `counts` a negative number is a run of so many empty bins."""
        return {
            "count": self.count,
            "zeros": self.zeros,
            "per_doubling": PER_DOUBLING,
            "i0": self.bins[0][0] if self.bins else 0,
            "counts": list(_packed(self.bins)),
            "sum": str(self.total),
            "min": None if self.low is None else str(self.low),
            "max": None if self.high is None else str(self.high),
            "over": {limit: [kept.above, kept.at] for limit, kept in sorted(self.over.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Sketch:
        """Read what `as_json` wrote.

        Raises:
            ValueError: the counts do not add up, or the bins are of another width.
        """
        width = data.get("per_doubling")
        if width != PER_DOUBLING:
            msg = f"a stored bucket has {width} bins a doubling, expected {PER_DOUBLING}"
            raise ValueError(msg)
        zeros, first, counts = data["zeros"], data["i0"], data["counts"]
        count, over = data["count"], data["over"]
        assert isinstance(zeros, int)
        assert isinstance(first, int)
        assert isinstance(counts, list)
        assert isinstance(count, int)
        assert isinstance(over, dict)
        bins = tuple(_unpacked(first, counts))
        if zeros + sum(number for _, number in bins) != count:
            msg = f"the bins of a stored bucket do not hold its {count} values"
            raise ValueError(msg)
        low, high = data["min"], data["max"]
        return cls(
            count,
            zeros,
            bins,
            Decimal(str(data["sum"])),
            None if low is None else Decimal(str(low)),
            None if high is None else Decimal(str(high)),
            {limit: Over(*pair) for limit, pair in over.items()},
        )


def _packed(bins: Iterable[tuple[int, int]]) -> Iterator[int]:
    last: int | None = None
    for index, number in bins:
        if last is not None and index - last > 1:
            yield -(index - last - 1)
        yield number
        last = index


def _unpacked(first: int, counts: Iterable[int]) -> Iterator[tuple[int, int]]:
    index = first
    for number in counts:
        if number < 0:
            index -= number
        else:
            yield index, number
            index += 1


class SketchBuilder:
    """A histogram that is being filled; the order of the values does not matter."""

    __slots__ = ("_above", "_at", "_bins", "_count", "_high", "_limits", "_low", "_total", "_zeros")

    def __init__(self, limits: Iterable[Decimal] = ()) -> None:
        """Count exactly at these limits, beside the bins."""
        self._limits = tuple(sorted({limit.normalize(EXACT) for limit in limits}))
        self._above = [0] * (len(self._limits) + 1)  # by how many limits a value passes
        self._at = dict.fromkeys(self._limits, 0)
        self._bins: dict[int, int] = {}
        self._count = self._zeros = 0
        self._total = Decimal(0)
        self._low: Decimal | None = None
        self._high: Decimal | None = None

    @property
    def count(self) -> int:
        """Return how many values were fed."""
        return self._count

    def add(self, value: object) -> Refusal | None:
        """Feed one value; a value that is none is not fed, and the reason is returned."""
        number = exact_value(value)
        if isinstance(number, Refusal):
            return number
        self._count += 1
        self._total = EXACT.add(self._total, number)
        if self._low is None or number < self._low:
            self._low = number
        if self._high is None or number > self._high:
            self._high = number
        self._bin(number)
        if self._limits:
            self._above[bisect_left(self._limits, number)] += 1
            if number in self._at:
                self._at[number] += 1
        return None

    def _bin(self, number: Decimal) -> None:
        near = float(number)
        if near == 0.0:
            self._zeros += 1
            return
        index = bin_of(near)
        self._bins[index] = self._bins.get(index, 0) + 1

    def done(self) -> Sketch:
        """Return the closed histogram."""
        over, above = {}, self._count
        for limit, passed in zip(self._limits, self._above, strict=False):
            above -= passed
            over[str(limit)] = Over(above, self._at[limit])
        bins = tuple(sorted(self._bins.items()))
        return Sketch(self._count, self._zeros, bins, self._total, self._low, self._high, over)
