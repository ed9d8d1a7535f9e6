"""What a load block says about its schedule: `rate: 50/s`, `for: 5m`, or stages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from gonogo.load import Stage
from gonogo.plan.units import Dimension, parse_quantity

_NAMED = re.compile(r"\$\{|\{\{")


def named(text: str) -> bool:
    """Say whether a text still holds names, so that its value is not known before the run."""
    return _NAMED.search(text) is not None


def rate_of(text: str) -> Fraction:
    """Return requests per second.

    Raises:
        ValueError: it is no rate; the text says what was expected.
    """
    found = parse_quantity(text.strip())
    if found is None or found.dimension is not Dimension.RATE or found.number < 0:
        raise ValueError(f"`{text}` is no rate, expected requests per time such as `50/s`")
    thing, _, unit = found.unit.rpartition("/")
    if thing.rstrip("s") not in {"", "r", "req", "request"}:
        raise ValueError(f"`{text}` counts {thing}, expected requests per time such as `50/s`")
    seconds = {"s": 1, "min": 60, "h": 3600, "d": 86400}.get(unit)
    if seconds is None:
        raise ValueError(f"`{text}` is no rate, expected a number per s, min or h")
    return Fraction(found.number) / seconds


def length_of(text: str) -> Fraction:
    """Return seconds.

    Raises:
        ValueError: it is no duration.
    """
    total = Fraction(0)
    for part in re.findall(r"[\d.]+\s*[^\d\s.]+", text):
        found = parse_quantity(part)
        if found is None or found.dimension is not Dimension.TIME:
            raise ValueError(f"`{text}` is no duration, expected one such as `30s` or `5m`")
        total += Fraction(found.si)
    if total <= 0 or re.sub(r"[\d.]+\s*[^\d\s.]+", "", text).strip():
        raise ValueError(f"`{text}` is no duration, expected one such as `30s` or `5m`")
    return total


def constant(rate: str, seconds: float) -> tuple[Stage, ...]:
    """Return the schedule of one rate.

    Raises:
        ValueError: it cannot be understood.
    """
    if seconds <= 0:
        raise ValueError("`for` is missing, expected how long the load lasts")
    return (_stage(rate, Fraction(Decimal(str(seconds)))),)


def staged(stages: Sequence[Mapping[str, str]]) -> tuple[Stage, ...]:
    """Return the schedule of several stages: each holds its rate, or goes from one to another.

    Raises:
        ValueError: one of them cannot be understood.
    """
    found = []
    for number, stage in enumerate(stages, start=1):
        strange = sorted(stage.keys() - {"for", "rate"})
        if strange:
            raise ValueError(f"stage {number} has `{strange[0]}`, expected `for` and `rate`")
        if not stage.get("for") or not stage.get("rate"):
            raise ValueError(f"stage {number} needs `for` and `rate`")
        found.append(_stage(stage["rate"], length_of(stage["for"])))
    return tuple(found)


def _stage(rate: str, seconds: Fraction) -> Stage:
    first, to, last = rate.partition(" to ")
    if to and "/" not in first:
        first = f"{first.strip()}/{last.rpartition('/')[2]}"  # `10 to 50/s`
    start = rate_of(first)
    stage = Stage(seconds, start, rate_of(last) if to else start)
    if stage.amount <= 0:
        raise ValueError(f"`{rate}` sends nothing")
    return stage
