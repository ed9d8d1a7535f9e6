"""Series of values as a team writes them for tests of its rules: `0.4 _ 1.5x2 2+1x4 %`.

The notation is that of promtool: `_` is a slice without data, `1.5x2` is 1.5 and then two more,
`2+1x4` is 2 and then four more, each one larger, `_x3` is three slices without data. Added to it:
a unit at the end, and `1.5@80` for a value from 80 samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gonogo.plan.units import parse_quantity

MOST_POINTS = 20_000
"""The longest series: nine weeks of 5-minute slices."""

_NUMBER = r"\d{1,30}(?:\.\d{1,30})?"
_POINT = re.compile(
    rf"(?P<first>-?{_NUMBER})(?:(?P<step>[+-]{_NUMBER})(?=x|@\d+x))?(?:@(?P<samples>\d{{1,12}}))?"
    r"(?:x(?P<more>\d{1,9}))?"
)
_GAP = re.compile(r"_(?:x(?P<times>\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Point:
    """One value and, when it is said, from how many samples."""

    value: Decimal
    samples: int | None = None


@dataclass(frozen=True, slots=True)
class Misprint:
    """A word of a series that is not understood; `column` counts from 0 in the text."""

    column: int
    length: int
    message: str


@dataclass(frozen=True, slots=True)
class Written:
    """A series as read: its points (None without data), its unit, and what was not understood."""

    points: tuple[Point | None, ...]
    unit: str | None
    misprints: tuple[Misprint, ...]


def read_series(text: str) -> Written:
    """Read a series; every misprint is reported, not the first."""
    words = list(re.finditer(r"\S+", text))
    unit = _unit(words[-1][0]) if words else None
    if unit is not None:
        words = words[:-1]
    points: list[Point | None] = []
    misprints: list[Misprint] = []
    for word in words:
        if len(points) > MOST_POINTS:
            break
        found = _word(word[0])
        if isinstance(found, str):
            misprints.append(Misprint(word.start(), len(word[0]), found))
        else:
            points += found
    if len(points) > MOST_POINTS:
        misprints = [Misprint(0, len(text), f"a series has at most {MOST_POINTS} values")]
        points = []
    elif not points and not misprints:
        misprints = [Misprint(0, max(len(text), 1), "a series has at least one value or `_`")]
    return Written(tuple(points), unit, tuple(misprints))


def _unit(word: str) -> str | None:
    """Return the unit that a last word is: `ms`, `%`, `jobs/min`."""
    if re.match(r"[-_\d]", word):
        return None
    quantity = parse_quantity(f"1 {word}")
    return None if quantity is None else quantity.unit


def _word(word: str) -> list[Point | None] | str:
    gap = _GAP.fullmatch(word)
    if gap is not None:
        times = 1 if gap["times"] is None else int(gap["times"])
        if not 1 <= times <= MOST_POINTS:
            return f"`{word}` repeats {times} times, expected 1 to {MOST_POINTS}"
        return [None] * times
    found = _POINT.fullmatch(word)
    if found is None:
        return f"`{word}` is no value: write for example `1.5`, `1.5x2`, `2+1x4`, `1.5@80` or `_`"
    more = int(found["more"] or 0)
    if more > MOST_POINTS:
        return f"`{word}` repeats {more} times, expected at most {MOST_POINTS}"
    return list(_steps(found, more))


def _steps(found: re.Match[str], more: int) -> Iterator[Point]:
    value, step = Decimal(found["first"]), Decimal(found["step"] or 0)
    samples = None if found["samples"] is None else int(found["samples"])
    for at in range(more + 1):
        yield Point(value + step * at, samples)
