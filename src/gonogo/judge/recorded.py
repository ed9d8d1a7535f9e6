"""A value against one that an earlier step of the run kept: the same kind of thing, or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from gonogo.judge.compare import Judgement, compare_value
from gonogo.judge.lookup import Datum, is_empty, normal
from gonogo.judge.wording import exact, say_datum
from gonogo.plan.condition import Op, Predicate, Recorded, Value
from gonogo.plan.kinds import Printed
from gonogo.plan.units import Quantity, parse_quantity

_ORDER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})


def against_recorded(
    predicate: Predicate, datum: Datum, recorded: Mapping[str, Datum]
) -> Judgement:
    """Compare what is seen now with what was kept; what was not kept, or is no match, is unknown.

    Numbers are compared as numbers, exactly; texts as texts, without blanks around them. A text
    that a command printed is a number where an order is asked (`>=`), and a text for `=`: the
    releases 1.1 and 1.10 are not the same.
    """
    assert isinstance(predicate.value, Recorded)
    name = predicate.value.name
    known = {normal(key): value for key, value in recorded.items()}
    if normal(name) not in known:
        return Judgement(None, f"no step of this run recorded `{name}`")
    kept = known[normal(name)]
    if is_empty(kept):
        return Judgement(None, f"what was recorded as `{name}` is empty")
    said = f"{predicate.expected()} ({say_datum(kept)})"
    found = _compare(predicate.op, datum, kept)
    return Judgement(found.holds, found.why, said)


def _compare(op: Op, datum: Datum, kept: Datum) -> Judgement:
    if isinstance(kept, list | dict):
        return Judgement(None, f"what was recorded is {_kind(kept)}: keep one value of it")
    if is_empty(datum):  # says why
        return compare_value(op, datum, "")
    if op in {Op.CONTAINS, Op.LACKS}:
        return compare_value(op, datum, str(kept))
    value = _as_asked(op, datum, kept)
    if value is None:
        words = f"{say_datum(datum)} is {_kind(datum)}, what was recorded is {_kind(kept)}"
        if op in _ORDER and isinstance(kept, str | bool):
            words += ": only numbers have an order"
        return Judgement(None, words)
    if isinstance(datum, Printed) and isinstance(value, str):
        return compare_value(op, str(datum), value)
    return compare_value(op, datum, value)


def _as_asked(op: Op, datum: Datum, kept: Datum) -> Value | None:
    """Return the kept value as what the one that is seen now can be compared with."""
    if isinstance(kept, bool) or isinstance(datum, bool):
        alike = isinstance(kept, bool) and isinstance(datum, bool) and op not in _ORDER
        return kept if alike and isinstance(kept, bool) else None
    if isinstance(datum, str):
        if op not in _ORDER and isinstance(kept, str):
            return str(kept)
        if op in _ORDER or isinstance(datum, Printed):
            printed = isinstance(datum, Printed) and parse_quantity(datum.strip()) is not None
            return _number(kept) if printed else None
        return None
    return _number(kept) if isinstance(datum, Quantity | int | float | Decimal) else None


def _number(kept: Datum) -> Quantity | None:
    """Return a kept number; an exact one stands in the journal as its digits."""
    if isinstance(kept, Quantity):
        return kept
    if isinstance(kept, str):
        return parse_quantity(kept.strip())
    return Quantity(exact(kept)) if isinstance(kept, int | float | Decimal) else None


def _kind(datum: Datum) -> str:
    names = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return next((name for kind, name in names.items() if isinstance(datum, kind)), "a number")
