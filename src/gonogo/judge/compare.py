"""One value against one comparison, exactly: holds, does not hold, or cannot be said and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest

from gonogo.judge.lookup import Datum, is_empty
from gonogo.judge.wording import exact, say_datum
from gonogo.plan.condition import Null, Op, Value, Version
from gonogo.plan.kinds import Printed
from gonogo.plan.units import Quantity, comparable, compare, parse_quantity

_LONGEST_TEXT = 1_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a comparison holds; None with the reason when that cannot be said."""

    holds: bool | None
    why: str = ""
    expected: str = ""  # better words than the predicate's own, when there are any


def compare_value(op: Op, datum: Datum, value: Value) -> Judgement:
    """Compare what was seen with what is asked; null, NaN and empty never hold."""
    if isinstance(value, Null) and (datum is None or not is_empty(datum)):
        return Judgement((datum is None) is (op is Op.EQ))
    if is_empty(datum):
        return Judgement(None, _why_empty(datum))
    if op in {Op.CONTAINS, Op.LACKS, Op.MATCHES, Op.DIFFERS}:
        return _text(op, datum, value)
    return _by_kind(op, datum, value)


def _by_kind(op: Op, datum: Datum, value: Value) -> Judgement:
    if isinstance(datum, Printed) and isinstance(value, Quantity | tuple):
        datum = parse_quantity(datum.strip()) or datum
    match value:
        case bool():
            return _truth_value(op, datum, value)
        case str():
            return _equal_text(op, datum, value)
        case Version():
            return _version(op, datum, value)
        case Quantity():
            return _number(op, datum, (value,))
        case tuple():
            return _number(op, datum, value)
        case _:
            return Judgement(None, "no baseline was recorded")


def _why_empty(datum: Datum) -> str:
    if datum is None:
        return "the value is null"
    if isinstance(datum, str | list | dict):
        return "the value is empty"
    return "the value is no finite number"


def _kind(datum: Datum) -> str:
    names = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return next((name for kind, name in names.items() if isinstance(datum, kind)), "a number")


def _mismatch(datum: Datum, wanted: str) -> Judgement:
    return Judgement(None, f"{say_datum(datum)} is {_kind(datum)}, not {wanted}")


def _text(op: Op, datum: Datum, value: Value) -> Judgement:
    if not isinstance(value, str):
        return Judgement(None, "the comparison needs a text")
    if isinstance(datum, list) and op in {Op.CONTAINS, Op.LACKS}:
        found = value in [item for item in datum if isinstance(item, str)]
    elif not isinstance(datum, str):
        return _mismatch(datum, "a text")
    elif op in {Op.CONTAINS, Op.LACKS}:
        found = value in datum
    else:
        found = re.search(value, datum[:_LONGEST_TEXT]) is not None
    return Judgement(found is (op in {Op.CONTAINS, Op.MATCHES}))


def _truth_value(op: Op, datum: Datum, value: bool) -> Judgement:  # noqa: FBT001 - a value, no switch
    if not isinstance(datum, bool):
        return _mismatch(datum, "true or false")
    return Judgement((datum is value) is (op is Op.EQ))


def _equal_text(op: Op, datum: Datum, value: str) -> Judgement:
    if not isinstance(datum, str):
        return _mismatch(datum, "a text")
    return Judgement((datum.strip() == value.strip()) is (op is Op.EQ))


def _version(op: Op, datum: Datum, value: Version) -> Judgement:
    """Compare part by part: 2.20 comes after 2.9; a number is no version."""
    if isinstance(datum, Quantity | float | Decimal) or not isinstance(datum, str | int):
        return _mismatch(datum, "a version text")
    if isinstance(datum, bool):
        return _mismatch(datum, "a version text")
    seen = re.search(r"\d{1,9}(?:\.\d{1,9})*", str(datum))
    asked = re.search(r"\d{1,9}(?:\.\d{1,9})*", value.text)
    if seen is None or asked is None:
        return _mismatch(datum, "a version text")
    pairs = zip_longest(seen[0].split("."), asked[0].split("."), fillvalue="0")
    order = next((int(a) - int(b) for a, b in pairs if int(a) != int(b)), 0)
    return Judgement(_holds(op, order))


def _holds(op: Op, order: int) -> bool:
    match op:
        case Op.LT:
            return order < 0
        case Op.LE:
            return order <= 0
        case Op.GT:
            return order > 0
        case Op.GE:
            return order >= 0
        case Op.NE:
            return order != 0
        case _:
            return order == 0


def _number(op: Op, datum: Datum, values: tuple[Quantity, ...]) -> Judgement:
    if isinstance(datum, Quantity):
        seen = datum
    elif isinstance(datum, int | float | Decimal) and not isinstance(datum, bool):
        seen = Quantity(exact(datum))
    else:
        return _mismatch(datum, "a number")
    for value in values:
        if not comparable(seen, value):
            return Judgement(None, _units(seen, value))
    orders = [compare(seen, value) for value in values]
    if op is Op.BETWEEN:
        return Judgement(orders[0] >= 0 and orders[-1] <= 0)
    if op is Op.IN:
        return Judgement(0 in orders)
    return Judgement(_holds(op, orders[0]))


def _units(seen: Quantity, asked: Quantity) -> str:
    if not seen.unit:
        return f"{seen.say()} has no unit, compared with {asked.say()}"
    if not asked.unit:
        return f"{seen.say()} is compared with {asked.say()}, which has no unit"
    return f"{seen.say()} cannot be compared with {asked.say()}"
