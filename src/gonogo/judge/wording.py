"""How a value that was seen is said in a sentence: `1.42 s`, `99.997`, `"degraded"`."""

from __future__ import annotations

import json
import math
from decimal import Decimal

from gonogo.judge.lookup import Datum
from gonogo.plan.units import Quantity, plain

_LONGEST = 80


def exact(number: int | float | Decimal) -> Decimal:
    """Return a number as a decimal without loss; a float as its shortest spelling."""
    if isinstance(number, float):
        return Decimal(repr(number)) if math.isfinite(number) else Decimal("NaN")
    return number if isinstance(number, Decimal) else Decimal(number)


def say_datum(datum: Datum, *, quote: bool = True) -> str:
    """Return a value in words, cut to a line; numbers are never rounded."""
    match datum:
        case bool():
            return "true" if datum else "false"
        case Quantity():
            return datum.say() if datum.number.is_finite() else "no number"
        case int() | float() | Decimal():
            number = exact(datum)
            return plain(number) if number.is_finite() else "no number"
        case str():
            line = " ".join(datum.split())
            short = line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
            return f'"{short}"' if quote else short
        case None:
            return "null"
        case _:
            text = json.dumps(datum, default=str, ensure_ascii=False)
            return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
