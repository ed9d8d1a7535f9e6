"""Numbers with units as runbooks write them: 1.2s, 95 %, 512 MiB, 100 jobs/min."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from difflib import get_close_matches
from enum import StrEnum


class Dimension(StrEnum):
    """What kind of thing a number counts; only like is compared with like."""

    TIME = "time"
    SIZE = "size"
    RATIO = "ratio"  # percent, and `x` as a factor
    RATE = "rate"  # things or bytes per time
    COUNT = "count"  # things: `20 connections`, `4 per request`
    MONEY = "money"
    NUMBER = "number"  # no unit at all


_TIMES: dict[str, tuple[Decimal, tuple[str, ...]]] = {
    "ns": (Decimal("1e-9"), ("nanosecond", "nanoseconds")),
    "us": (Decimal("1e-6"), ("µs", "μs", "microsecond", "microseconds")),
    "ms": (Decimal("1e-3"), ("msec", "msecs", "millis", "millisecond", "milliseconds")),
    "s": (Decimal(1), ("sec", "secs", "second", "seconds")),
    "min": (Decimal(60), ("m", "mins", "minute", "minutes")),
    "h": (Decimal(3600), ("hr", "hrs", "hour", "hours")),
    "d": (Decimal(86400), ("day", "days")),
    "w": (Decimal(604800), ("wk", "wks", "week", "weeks")),
}
_SIZES: dict[str, tuple[Decimal, tuple[str, ...]]] = {
    "B": (Decimal(1), ("byte", "bytes")),
    **{
        f"{p}B": (
            Decimal(1000) ** n,
            (f"{p.lower()}b", f"{p.lower()}B", f"{name}byte", f"{name}bytes"),
        )
        for n, (p, name) in enumerate(
            (("K", "kilo"), ("M", "mega"), ("G", "giga"), ("T", "tera"), ("P", "peta")), start=1
        )
    },
    **{f"{p}iB": (Decimal(1024) ** n, (f"{p.lower()}ib",)) for n, p in enumerate("KMGTP", start=1)},
}
_SPEEDS: dict[str, tuple[Decimal, tuple[str, ...]]] = {  # in bytes per second
    f"{p}bit/s": (Decimal(1000) ** n / 8, (f"{p}bps", f"{p.lower()}bps", f"{p.lower()}bit/s"))
    for n, p in enumerate("KMGT", start=1)
}
_PER_SECOND = {"rps": "requests/s", "qps": "queries/s", "tps": "transactions/s"}
_SAME_THING = {"r": "request", "req": "request", "reqs": "request"}
MONEY_SIGNS = "$€£"


def _spellings() -> dict[str, str]:
    table: dict[str, str] = {"%": "%", "percent": "%", "pct": "%", "x": "x", **_PER_SECOND}
    for units in (_TIMES, _SIZES, _SPEEDS):
        for canonical, (_, others) in units.items():
            table[canonical] = canonical
            for other in others:
                table[other] = canonical
    return table


UNITS: dict[str, str] = _spellings()
_WORDS = {word: unit for word, unit in UNITS.items() if len(word) > 2}
# Units that are told apart by capitals only: `Mb` may be megabits, `5M` may be minutes or millions.
_CASED = frozenset({"m", "s", "h", "d", "w", "x"})


def unit_of(word: str) -> str | None:
    """Return the canonical spelling of a unit word, or None when it is no unit that we know."""
    if word in UNITS:
        return UNITS[word]
    lower = word.lower()
    if len(word) > 2 and lower in _WORDS and not re.fullmatch(r"[KMGTP]?i?b", word):
        return _WORDS[lower]
    if lower in {"ms", "us", "ns", "hr", "wk"} and word.isalpha():
        return UNITS[lower]
    if lower in _CASED and lower != "m":
        return UNITS[lower]
    return None


def is_time(unit: str | None) -> bool:
    """Tell whether a canonical unit is a time."""
    return unit in _TIMES


def nearest_unit(word: str) -> str | None:
    """Return the unit that the author most likely meant, for a hint."""
    if len(word) == 2 and word[1] == "b" and word[0] in "KMGTP":
        return word[0] + "B"
    known = [w for w in UNITS if len(w) > 1]
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    if close:
        return UNITS[close[0]]
    close = get_close_matches(word, list(UNITS), n=1, cutoff=0.5)
    return UNITS[close[0]] if close else None


def _times(a: Decimal, b: Decimal) -> Decimal:
    """Multiply without rounding, whatever the number of digits."""
    digits = len(a.as_tuple().digits) + len(b.as_tuple().digits) + 1
    return Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN).multiply(a, b)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number and its unit as written (canonical spelling; empty for a bare number)."""

    number: Decimal
    unit: str = ""

    @property
    def dimension(self) -> Dimension:
        """Return what the number counts."""
        unit = self.unit
        if not unit:
            return Dimension.NUMBER
        for table, dimension in ((_TIMES, Dimension.TIME), (_SIZES, Dimension.SIZE)):
            if unit in table:
                return dimension
        if unit in {"%", "x"}:
            return Dimension.RATIO
        if unit in MONEY_SIGNS:
            return Dimension.MONEY
        if unit in _SPEEDS or (unit.rpartition("/")[2] in _TIMES and "/" in unit):
            return Dimension.RATE
        return Dimension.COUNT

    @property
    def si(self) -> Decimal:
        """Return the number in seconds, bytes, a fraction, or things per second.

        Exact, but for rates per minute, hour, day or week, which are rounded to 28 digits;
        `compare` does not use this rounding.
        """
        if self.unit == "%":
            return _times(self.number, Decimal("0.01"))
        upper, lower = _scale(self)
        value = _times(self.number, upper)
        return value if lower == 1 else value / lower

    def say(self) -> str:
        """Return the canonical wording, which `parse_quantity` reads back to an equal value."""
        number = plain(self.number)
        if not self.unit:
            return number
        if self.unit in MONEY_SIGNS:
            sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
            return f"{sign}{self.unit}{digits}"
        return f"{number} {self.unit}"


def _scale(quantity: Quantity) -> tuple[Decimal, Decimal]:
    """Return by what to multiply and to divide for the base unit."""
    for table in (_TIMES, _SIZES, _SPEEDS):
        if quantity.unit in table:
            return table[quantity.unit][0], Decimal(1)
    if quantity.dimension is Dimension.RATE:
        thing, _, per = quantity.unit.rpartition("/")
        return _SIZES[thing][0] if thing in _SIZES else Decimal(1), _TIMES[per][0]
    return Decimal(1), Decimal(1)


def _thing(quantity: Quantity) -> str:
    """Return what is counted, so that requests, req and r are the same thing."""
    unit = quantity.unit
    if unit in _SPEEDS:
        return "byte"
    name = unit.rpartition("/")[0] if quantity.dimension is Dimension.RATE else unit
    if name in _SIZES:
        return "byte"
    name = _SAME_THING.get(name, name)
    return name[:-1] if len(name) > 3 and name.endswith("s") else name


def plain(number: Decimal) -> str:
    """Print a decimal without an exponent and without rounding."""
    if abs(number.adjusted()) > 60:  # never a megabyte of zeros
        return str(number)
    text = format(number, "f")
    return "0" if text in {"-0", ""} else text


def comparable(a: Quantity, b: Quantity) -> bool:
    """Tell whether two quantities may be compared: the same dimension and the same thing.

    A count of things and a bare number compare (7 rows, 5); a percentage, a time, a size or a rate
    and a bare number do not.
    """
    kinds = {a.dimension, b.dimension}
    if kinds == {Dimension.COUNT, Dimension.NUMBER}:
        return True
    if len(kinds) > 1:
        return False
    if a.dimension in {Dimension.RATE, Dimension.COUNT}:
        return _thing(a) == _thing(b)
    return a.dimension in {Dimension.TIME, Dimension.SIZE, Dimension.NUMBER} or a.unit == b.unit


def compare(a: Quantity, b: Quantity) -> int:
    """Return -1, 0 or 1, exactly; both must be `comparable` and finite."""
    a_up, a_down = _scale(a)
    b_up, b_down = _scale(b)
    left = _times(_times(a.number, a_up), b_down)
    right = _times(_times(b.number, b_up), a_down)
    return (left > right) - (left < right)


# At most 40 digits: longer runs are identifiers, not measurements.
_QUANTITY = re.compile(
    r"(?P<sign>[-+−]?)(?P<money>[$€£]?)(?P<int>\d{1,3}(?:[,_]\d{3}){1,12}|\d{1,40})"
    r"(?P<frac>\.\d{1,40})?\s{0,4}(?P<unit>[^\d\s,.+-][^\d,+]{0,40})?"
)


def parse_number(text: str) -> Decimal:
    """Read digits with `,` or `_` between thousands; the lexer has checked the form."""
    return Decimal(text.replace(",", "").replace("_", "").replace("−", "-"))


def parse_quantity(text: str) -> Quantity | None:
    """Read one number with its unit; None when the text is anything else."""
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return None
    number = parse_number(found["sign"].replace("+", "") + found["int"] + (found["frac"] or ""))
    word = (found["unit"] or "").strip()
    if found["money"]:
        return Quantity(number, found["money"]) if not word else None
    if not word:
        return Quantity(number)
    unit = unit_of(word) or rate_of(word)
    if unit is None and re.fullmatch(r"[a-z][a-z-]{2,}|per [a-z]+", word):
        unit = word  # a count of things
    return None if unit is None else Quantity(number, unit)


def rate_of(word: str) -> str | None:
    """Return the canonical spelling of `jobs/min`, `requests per second`; else None."""
    thing, slash, per = word.partition("/")
    if not slash:
        thing, slash, per = word.partition(" per ")
    unit = unit_of(per.strip())
    if not slash or not is_time(unit):
        return None
    thing = thing.strip()
    size = unit_of(thing)
    if size in _SIZES:
        return f"{size}/{unit}"
    return f"{thing.lower()}/{unit}" if re.fullmatch(r"(?:[A-Za-z][A-Za-z_ -]*)?", thing) else None
