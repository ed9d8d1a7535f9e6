"""A figure in the unit of the bound that it is held against: `72 h`, not `259217.637 s`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

from gonogo.plan.units import Dimension, Quantity, comparable

_READABLE = {
    Dimension.TIME: ("d", "h", "min", "s", "ms", "us", "ns"),
    Dimension.SIZE: ("PB", "TB", "GB", "MB", "KB", "B"),
}
_BINARY = ("PiB", "TiB", "GiB", "MiB", "KiB", "B")
_MOST = 1000  # of one unit; `72 h` is said as such, `4320 min` is not
_EXACT = 5  # digits that are said as they are


def faithful(value: Fraction, limits: Sequence[Fraction]) -> Decimal:
    """Round to three digits, or to as many as it takes to stay on the same side of each limit."""
    sides = [(value > limit) - (value < limit) for limit in limits]
    top, bottom = Decimal(value.numerator), Decimal(value.denominator)
    for digits in (*range(3, 40), 400):
        rounded = Context(prec=digits).divide(top, bottom)
        near = Fraction(rounded)
        if [(near > limit) - (near < limit) for limit in limits] == sides:
            return rounded.normalize(Context(prec=digits))
    return Context(prec=4_000).divide(top, bottom)  # nothing that is measured has more digits


def fitted(seen: Quantity, limits: Sequence[Quantity]) -> Quantity:
    """Return a time or a size in the unit of its bound, or in a readable one where that fits ill.

    It is rounded to three digits, or to as many as keep it on its side of every bound. A figure
    that has the unit of its bound already, or that is neither time nor size, is returned as it is.
    """
    units = _READABLE.get(seen.dimension)
    if units is None or not limits or any(not comparable(seen, limit) for limit in limits):
        return seen
    first = limits[0]
    figures = (seen, *limits)
    if first.unit == seen.unit or not all(_is_measurable(one.number) for one in figures):
        return seen
    base = Fraction(seen.si)
    unit = first.unit
    if not _fits(abs(base / _size(unit)), abs(Fraction(first.number))):
        family = _BINARY if "i" in unit and seen.dimension is Dimension.SIZE else units
        unit = next((one for one in family if abs(base) >= _size(one)), family[-1])
    if unit == seen.unit:
        return seen
    value = base / _size(unit)
    exact = Context(prec=_EXACT).divide(Decimal(value.numerator), Decimal(value.denominator))
    if Fraction(exact) == value:
        return Quantity(exact, unit)
    bounds = [Fraction(limit.si) / _size(unit) for limit in limits]
    return Quantity(faithful(value, bounds), unit)


def _is_measurable(number: Decimal) -> bool:
    return number.is_finite() and abs(number.adjusted()) < 60 and len(number.as_tuple().digits) < 60


def _fits(value: Fraction, bound: Fraction) -> bool:
    return not value or (
        value >= min(Fraction(1), bound) and value < max(Fraction(_MOST), 10 * bound)
    )


def _size(unit: str) -> Fraction:
    return Fraction(Quantity(Decimal(1), unit).si)
