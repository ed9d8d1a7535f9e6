"""Finding a value by the name that a person wrote: any case, `_`, `-`, spaces, JSON paths."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from gonogo.plan.units import Quantity

Datum: TypeAlias = (
    "Quantity | int | float | Decimal | str | bool | list[Datum] | dict[str, Datum] | None"
)

_STEP = re.compile(r"\[(\d{1,9})\]|\.?([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that is not there, and why; `looked` is false when nobody could look.

    `partless` is what would hold it, when that is a text or a number: a page of HTML in place of
    JSON lacks every name, and proves of none that it is absent.
    """

    why: str
    looked: bool = True
    partless: bool = False


def normal(name: str) -> str:
    """Return a name in small letters with `_`, `-` and runs of spaces as one space."""
    return re.sub(r"[\s_\-]+", " ", name.lower()).strip()


def is_empty(datum: Datum) -> bool:
    """Tell whether a value is no evidence: null, NaN, infinity, an empty text or list."""
    if datum is None or (isinstance(datum, str) and not datum.strip()):
        return True
    if isinstance(datum, list | dict):
        return not datum
    number = datum.number if isinstance(datum, Quantity) else datum
    if isinstance(number, float):
        return not math.isfinite(number)
    return isinstance(number, Decimal) and not number.is_finite()


def find(values: Mapping[str, Datum], name: str, shown: str = "") -> Datum | Missing:
    """Return the value with this name: the longest matching key, then dots and `[0]` inside it.

    `shown` is the whole name, for the reason when only a part of it is looked for.
    """
    shown = shown or name
    wanted = normal(name)
    keys = {normal(key): key for key in reversed(list(values))}
    if wanted in keys:
        return values[keys[wanted]]
    best = ""
    for key in keys:
        longer = len(key) > len(best)
        if key and longer and wanted.startswith(key) and wanted[len(key)] in ".[ ":
            best = key
    if not best:
        return Missing(f"nothing is named `{shown}`")
    rest = wanted[len(best) :].strip()
    return _walk(values[keys[best]], rest, shown)


def _walk(datum: Datum, path: str, name: str) -> Datum | Missing:
    """Walk into JSON; a key with dots or spaces in it is preferred to its parts."""
    while path:
        if isinstance(datum, dict):
            return find(datum, path.removeprefix("."), name)
        if not isinstance(datum, list):
            return Missing(
                f"nothing is named `{name}`: it is looked for in what has no parts", partless=True
            )
        step = _STEP.match(path)
        if step is None or step[1] is None:
            return Missing(f"nothing is named `{name}`")
        index = int(step[1])
        if index >= len(datum):
            return Missing(f"`{name}`: the list has {len(datum)} entries")
        datum, path = datum[index], path[step.end() :].strip()
    return datum
