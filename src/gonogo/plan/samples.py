"""What a metric's source gives when it is read: samples with their times, and what was not seen.

Times are whole milliseconds since 1970 in UTC. A source never asks what time it is for a reading:
it is told. What it cannot use is counted with its reason and never becomes a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple, Protocol

from gonogo.plan.units import Dimension, Quantity, compare, parse_quantity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FAR = 300  # decimal exponents beyond this are no measurement


class Yields(StrEnum):
    """What the samples of a source are; the words are those of `gonogo.judge.buckets.Shape`."""

    SAMPLES = "samples"  # single values
    SHARE = "share"  # hits out of a total
    AMOUNT = "amount"  # how much was added since the last reading
    GIVEN = "given"  # figures that the source has worked out itself


class Flaw(StrEnum):
    """Why something that was read is no sample."""

    MISSING = "null"
    TEXT = "not a number"
    NOT_FINITE = "NaN or infinity"
    NEGATIVE = "negative"
    TOO_LONG = "too many digits"
    IMPOSSIBLE = "more hits than there were in total"
    UNREADABLE = "unreadable line"
    OVERLONG = "line longer than 1 MiB"
    NO_TIME = "no readable time"
    DOUBLE = "two rows for one time"
    UNANSWERED = "no answer"


class Sample(NamedTuple):
    """One thing that was seen: a value in the unit of its source, or hits out of a total."""

    at_ms: int
    value: int | float | Decimal | None = None
    hits: int = 0
    total: int = 0  # 0 where `value` is set
    samples: int | None = None  # of a given figure: how many samples were behind it


class Bad(NamedTuple):
    """Samples of about one second that cannot be used, and why."""

    at_ms: int
    why: Flaw
    number: int = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one reading gave.

    `position` is JSON: a reader that is opened with it goes on behind this batch. `since_ms` is the
    time of the reading before. With `blind`, not everything between the two was seen, and the text
    says why; without it, everything of that stretch is in this batch or still `behind`.
    """

    samples: list[Sample] = field(default_factory=list)
    position: object = None
    bad: tuple[Bad, ...] = ()
    blind: str | None = None
    since_ms: int | None = None
    behind: int = 0  # bytes that are there and were not read yet: read again soon
    until_ms: int | None = None  # while behind: the time of the last line that was read
    notes: tuple[str, ...] = ()  # remarks for a person, each said once

    @property
    def bad_count(self) -> int:
        """Return how many samples cannot be used."""
        return sum(bad.number for bad in self.bad)


class Reader(Protocol):
    """An opened source."""

    def read(self, now: datetime) -> Batch:
        """Return what is new; takes at most about the timeout of the source and never raises."""
        ...

    def close(self) -> None:
        """Let go of files and connections; may be called twice."""
        ...


def to_ms(moment: datetime) -> int:
    """Return a moment in milliseconds, cut off; one without a time zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MS


def usable(value: object) -> int | float | Decimal | Flaw:
    """Return a number that can be a sample as it is, else why it cannot."""
    if value is None:
        return Flaw.MISSING
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Flaw.TEXT
    if isinstance(value, int):
        return Flaw.NEGATIVE if value < 0 else Flaw.TOO_LONG if value.bit_length() > 900 else value
    finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    if not finite:  # `isfinite` itself raises for a decimal's signalling NaN
        return Flaw.NOT_FINITE
    if value < 0:
        return Flaw.NEGATIVE
    if isinstance(value, Decimal) and value and abs(value.adjusted()) > _FAR:
        return Flaw.TOO_LONG
    return value


def number_in(text: str, unit: str) -> int | float | Decimal | Flaw:
    """Read a number that came as text; `12.5ms` is turned exactly into the source's unit."""
    text = text.strip()
    if text in {"", "-"} or text.lower() in {"null", "none", "nil"}:
        return Flaw.MISSING
    if len(text) > 60 or "_" in text:
        return Flaw.TEXT
    try:
        return usable(Decimal(text))
    except InvalidOperation:
        pass
    found = parse_quantity(text)
    if found is None or not found.unit or not unit:
        return Flaw.TEXT
    turned = turned_into(found, unit)
    return Flaw.TEXT if turned is None else usable(turned)


def turned_into(quantity: Quantity, unit: str) -> Decimal | None:
    """Return how many of a unit a quantity is; None when it is of another kind or not exact."""
    one = Quantity(Decimal(1), unit)
    if quantity.unit == unit:
        return quantity.number
    kinds = {quantity.dimension, one.dimension}
    if kinds not in ({Dimension.TIME}, {Dimension.SIZE}):
        return None
    found = quantity.si / one.si
    return found if compare(Quantity(found, unit), quantity) == 0 else None


def fraction_as_percent(value: float | Decimal) -> Decimal | Flaw:
    """Return a share between 0 and 1 in percent, exactly."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return Flaw.IMPOSSIBLE if number > 1 else number.scaleb(2)


class Flaws:
    """Counts what cannot be used, by second and reason, so that garbage costs no memory."""

    def __init__(self) -> None:
        """Start with none."""
        self._counts: dict[tuple[int, Flaw], int] = {}

    def add(self, at_ms: int, why: Flaw, count: int = 1) -> None:
        """Count one more."""
        key = (at_ms // 1000, why)
        self._counts[key] = self._counts.get(key, 0) + count

    def take(self) -> tuple[Bad, ...]:
        """Return what was counted, in order of time, and forget it."""
        counts, self._counts = self._counts, {}
        return tuple(Bad(second * 1000, why, n) for (second, why), n in sorted(counts.items()))


def position_of(stored: object) -> Mapping[str, object]:
    """Return a stored position as a mapping; anything else is no position and gives none."""
    return stored if isinstance(stored, Mapping) else {}


def whole(value: object) -> int | None:
    """Return a whole number out of a stored position, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
