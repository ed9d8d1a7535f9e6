"""A condition against what was seen: pass, fail or unknown, with the values in the sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from gonogo.judge.compare import Judgement, compare_value
from gonogo.judge.fitted import fitted
from gonogo.judge.lookup import Datum, Missing, find, is_empty
from gonogo.judge.recorded import against_recorded
from gonogo.judge.wording import say_datum
from gonogo.plan.condition import Condition, Join, Op, Predicate, Quantifier, Recorded, Relative
from gonogo.plan.units import Quantity

Lookup: TypeAlias = "Callable[[Predicate], Datum | Missing]"
Show: TypeAlias = "Callable[[str, Datum], Datum]"
"""From a name and its value to the value as people may see it: secrets are masked."""


def openly(_name: str, datum: Datum) -> Datum:
    """Show a value as it is."""
    return datum


class Truth(StrEnum):
    """What a condition turned out to be; unknown is neither of the others."""

    PASS = "pass"  # noqa: S105 - the condition holds
    FAIL = "fail"  # it was looked at and does not hold
    UNKNOWN = "unknown"  # not enough to say


@dataclass(frozen=True, slots=True)
class _Known:
    """What was kept before, baselines and recorded values by name, and how values are shown."""

    baseline: Mapping[str, Quantity] = field(default_factory=dict)
    recorded: Mapping[str, Datum] = field(default_factory=dict)
    show: Show = openly


@dataclass(frozen=True, slots=True)
class Part:
    """One predicate, judged: what was seen, what was asked, and why it cannot be said."""

    predicate: Predicate
    truth: Truth
    actual: str  # canonical words; empty when nothing was seen
    expected: str
    why: str  # the reason of an unknown; empty otherwise

    @property
    def sentence(self) -> str:
        """Return one line with the value inside: `p99 1.42 s, expected <= 1.2 s`."""
        named = (self.predicate.metric, self.predicate.stat)
        name = " ".join(part for part in named if part) or "value"
        if self.truth is Truth.UNKNOWN:
            return f"{name} unknown: {self.why}, expected {self.expected}"
        said = f"{name} {self.actual}".rstrip()
        return said if self.truth is Truth.PASS else f"{said}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition, judged: the truth, one sentence, and each predicate by itself."""

    truth: Truth
    sentence: str
    parts: tuple[Part, ...]


def both(left: Truth, right: Truth) -> Truth:
    """Return left AND right: a fail decides, an unknown cannot be talked away."""
    if Truth.FAIL in (left, right):
        return Truth.FAIL
    return Truth.UNKNOWN if Truth.UNKNOWN in (left, right) else Truth.PASS


def either(left: Truth, right: Truth) -> Truth:
    """Return left OR right: a pass decides, an unknown cannot be talked away."""
    if Truth.PASS in (left, right):
        return Truth.PASS
    return Truth.UNKNOWN if Truth.UNKNOWN in (left, right) else Truth.FAIL


def evaluate(condition: Condition, lookup: Lookup) -> Judged:
    """Judge a condition on the values that `lookup` finds for its predicates.

    The window is not looked at: it is the trigger's business to count how often this holds.
    """
    return _together(
        condition,
        [_one(predicate, lookup(predicate), _Known()) for predicate in condition.predicates],
    )


def evaluate_observation(
    condition: Condition,
    indicators: Mapping[str, Datum],
    rows: Sequence[Mapping[str, Datum]] | None = None,
    baseline: Mapping[str, Quantity] | None = None,
    recorded: Mapping[str, Datum] | None = None,
    show: Show = openly,
) -> Judged:
    """Judge a condition on the named values of one observation and the rows of its result.

    A name is looked up among the indicators first, then as a column of the only row. With several
    rows a column needs `in every row` or `in any row`; without rows nothing passes. Sentences hold
    the values as `show` gives them; what is judged are the values themselves.
    """
    known = _Known(baseline or {}, recorded or {}, show)
    return _together(
        condition,
        [_observed(predicate, indicators, rows, known) for predicate in condition.predicates],
    )


def _together(condition: Condition, parts: list[Part]) -> Judged:
    every = condition.join is Join.ALL
    truth = Truth.PASS if every else Truth.FAIL
    for part in parts:
        truth = both(truth, part.truth) if every else either(truth, part.truth)
    if not parts:
        truth = Truth.UNKNOWN
    telling = [part.sentence for part in parts if part.truth is truth]
    glue = "; " if every or truth is Truth.PASS else " and "
    return Judged(truth, glue.join(telling) or "nothing was asked", tuple(parts))


def _unknown(predicate: Predicate, why: str, actual: str = "") -> Part:
    return Part(predicate, Truth.UNKNOWN, actual, _expected(predicate), why)


def _expected(predicate: Predicate) -> str:
    rows = f" in {predicate.quantifier.value}" if predicate.quantifier else ""
    said = predicate.expected()
    return (said.removeprefix("= ") if predicate.op is Op.EQ else said) + rows


def _one(predicate: Predicate, datum: Datum | Missing, known: _Known) -> Part:
    """Judge one predicate on one value."""
    found = _truth(predicate, datum, known)
    said = actual = ""
    if not isinstance(datum, Missing):
        said = say_datum(datum)
        seen = known.show(predicate.subject(), datum)
        actual = say_datum(seen if found.holds is None else _fitted(predicate, seen))
    if found.holds is None:
        why = found.why if actual == said else found.why.replace(said, actual)
        return _unknown(predicate, why, actual)
    truth = Truth.PASS if found.holds else Truth.FAIL
    return Part(predicate, truth, actual or "absent", found.expected or _expected(predicate), "")


def _fitted(predicate: Predicate, datum: Datum) -> Datum:
    """Return what was seen, a time or a size in the unit of the bound that it was held against."""
    bounds = predicate.value if isinstance(predicate.value, tuple) else (predicate.value,)
    limits = [bound for bound in bounds if isinstance(bound, Quantity)]
    return fitted(datum, limits) if isinstance(datum, Quantity) else datum


def _truth(predicate: Predicate, datum: Datum | Missing, known: _Known) -> Judgement:
    if predicate.op in {Op.EXISTS, Op.ABSENT}:
        return _existence(predicate.op, datum)
    if isinstance(datum, Missing):
        return Judgement(None, datum.why)
    if isinstance(predicate.value, Relative):
        return _against_baseline(predicate, datum, known.baseline)
    if isinstance(predicate.value, Recorded):
        return against_recorded(predicate, datum, known.recorded)
    return compare_value(predicate.op, datum, predicate.value)


def _existence(op: Op, datum: Datum | Missing) -> Judgement:
    """Judge `exists` and `is absent`: not found is an answer, not looked is none."""
    if isinstance(datum, Missing) and (not datum.looked or (datum.partless and op is Op.ABSENT)):
        return Judgement(None, datum.why)
    there = not isinstance(datum, Missing) and not is_empty(datum)
    return Judgement(there if op is Op.EXISTS else not there)


def _against_baseline(
    predicate: Predicate, datum: Datum, baseline: Mapping[str, Quantity]
) -> Judgement:
    """Judge `<= 1.2x baseline`: the factor times the recorded value."""
    assert isinstance(predicate.value, Relative)
    subject = predicate.subject()
    base = find(baseline, subject) if subject else Missing("no name")
    if isinstance(base, Missing) and predicate.metric:
        base = find(baseline, predicate.metric) if predicate.stat is None else base
    if not isinstance(base, Quantity):
        return Judgement(None, f"no baseline of `{subject or 'value'}` was recorded")
    bound = Quantity(base.number * predicate.value.factor, base.unit)
    found = compare_value(predicate.op, datum, bound)
    said = f"{predicate.expected()} ({bound.say()})"
    return Judgement(found.holds, found.why, said)


def _observed(
    predicate: Predicate,
    indicators: Mapping[str, Datum],
    rows: Sequence[Mapping[str, Datum]] | None,
    known: _Known,
) -> Part:
    if predicate.quantifier is not None:
        return _over_rows(predicate, predicate.quantifier, rows, known)
    datum = _named(predicate, indicators)
    if not isinstance(datum, Missing) or rows is None:
        return _one(predicate, datum, known)
    columns = [row for row in rows if not isinstance(_named(predicate, row), Missing)]
    if not rows:
        return _unknown(predicate, "the result has no rows")
    if not columns:
        return _one(predicate, datum, known)
    if len(rows) > 1:
        return _unknown(predicate, f"{len(rows)} rows: say `in every row` or `in any row`")
    return _one(predicate, _named(predicate, rows[0]), known)


def _named(predicate: Predicate, values: Mapping[str, Datum]) -> Datum | Missing:
    """Find the value of a predicate: `response time p95`, `p95 response time`, then the name."""
    name, stat = predicate.metric, predicate.stat
    if name is None and stat is None:
        return _only(values)
    if stat is None:
        return find(values, name or "")
    if name is None:
        return find(values, stat)
    for said in (f"{name} {stat}", f"{stat} {name}", f"{name}.{stat}"):
        datum = find(values, said)
        if not isinstance(datum, Missing):
            return datum
    return Missing(f"nothing is named `{name} {stat}`")


def _only(values: Mapping[str, Datum]) -> Datum | Missing:
    """Return the only value there is, for a comparison without a name."""
    if len(values) == 1:
        return next(iter(values.values()))
    if "value" in values:
        return values["value"]
    return Missing(f"the comparison names nothing, and there are {len(values)} values")


def _over_rows(
    predicate: Predicate,
    quantifier: Quantifier,
    rows: Sequence[Mapping[str, Datum]] | None,
    known: _Known,
) -> Part:
    """Judge a predicate on each row; no rows are no evidence."""
    if not rows:
        return _unknown(predicate, "the result has no rows")
    parts = [_one(predicate, _named(predicate, row), known) for row in rows]
    every = quantifier is Quantifier.EVERY
    truth = Truth.PASS if every else Truth.FAIL
    for part in parts:
        truth = both(truth, part.truth) if every else either(truth, part.truth)
    told = [at for at, part in enumerate(parts) if part.truth is truth]
    first = parts[told[0]]
    where = f"in {len(told)} of {len(rows)} rows"
    marks = _others(predicate, rows[told[0]], known) if truth is not Truth.PASS else ""
    if truth is Truth.UNKNOWN:
        return _unknown(predicate, f"{first.why} {where}{marks}", first.actual)
    return Part(predicate, truth, f"{first.actual} {where}{marks}", _expected(predicate), "")


def _others(predicate: Predicate, row: Mapping[str, Datum], known: _Known) -> str:
    """Return the first other column, so that a reader finds the row: ` (domain = example)`."""
    same = re.sub(r"[\W_]+", " ", (predicate.metric or "").lower()).strip()
    for name, datum in row.items():
        if re.sub(r"[\W_]+", " ", name.lower()).strip() != same and isinstance(
            datum, str | int | Decimal | float
        ):
            return f" ({name} = {say_datum(known.show(name, datum), quote=False)})"
    return ""
