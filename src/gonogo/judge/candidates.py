"""Values that tell the rules of a watch apart: between any two limits one value stands for all.

A condition changes its answer only at a limit, so a handful of values shows everything that it can
ever say. The checks of `gonogo lint` and the faults of `gonogo rehearse` are made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise, product

from gonogo.judge.buckets import Form, Shape
from gonogo.judge.measures import HOLDS, in_unit, limits_in, unit_of_value
from gonogo.plan.condition import Condition, Join, Op, Predicate
from gonogo.plan.model import Consequence, Rule

Subject = tuple[str, str]
"""Metric and statistic, each empty when it is not said."""

Values = Mapping[Subject, Decimal]
"""What each figure is in one slice, in the unit in which the rules see it."""

_MOST_TRIES = 4096


def subject_of(predicate: Predicate) -> Subject:
    """Return the figure that a predicate speaks of."""
    return predicate.metric or "", predicate.stat or ""


def highest(form: Form) -> Decimal | None:
    """Return the value that a metric cannot exceed: 100 % for a share; None without an end."""
    return Decimal(100) if form.shape is Shape.SHARE else None


def candidates(
    rules: Iterable[Rule], subject: Subject, forms: Mapping[str, Form]
) -> tuple[Decimal, ...]:
    """Return one value of a figure for each answer that the rules can give, in growing order.

    Nothing below zero is among them, since a watch never feeds such a value.
    """
    form = forms[subject[0]]
    top = highest(form)
    found = {
        in_unit(limit, unit_of_value(predicate, form))
        for rule in rules
        for predicate in rule.condition.predicates
        if subject_of(predicate) == subject
        for limit in limits_in(predicate)
    }
    limits = sorted(limit for limit in found if limit >= 0 and (top is None or limit <= top))
    values = {Decimal(0), *limits}
    if limits:
        values |= {(low + high) / 2 for low, high in pairwise([Decimal(0), *limits])}
        values.add(_beyond(limits[-1], top if top is not None else _usual_top(form)))
    else:
        values.add(top if top is not None else Decimal(1))
    return tuple(sorted(values))


def _usual_top(form: Form) -> Decimal | None:
    return Decimal(100) if form.unit == "%" else None


def _beyond(limit: Decimal, top: Decimal | None) -> Decimal:
    """Return a value above the largest limit, a quarter above where there is room; or the top."""
    above = limit * Decimal("1.25") if limit else Decimal(1)
    if top is not None and limit <= top < above:
        return (limit + top) / 2
    if limit == limit.to_integral_value():
        return above.to_integral_value(ROUND_CEILING)
    return above


def holds(predicate: Predicate, value: Decimal, form: Form) -> bool:
    """Say whether a predicate holds for a value in the unit in which it sees its metric."""
    unit = unit_of_value(predicate, form)
    limits = [in_unit(limit, unit) for limit in limits_in(predicate)]
    if predicate.op is Op.IN:
        return value in limits
    if predicate.op is Op.BETWEEN:
        return limits[0] <= value <= limits[-1]
    sign = (value > limits[0]) - (value < limits[0])
    return HOLDS[predicate.op][sign + 1]


def condition_holds(condition: Condition, values: Values, forms: Mapping[str, Form]) -> bool:
    """Say whether a condition holds when every figure in it has a value."""
    answers = (holds(p, values[subject_of(p)], forms[p.metric or ""]) for p in condition.predicates)
    return any(answers) if condition.join is Join.ANY else all(answers)


def is_breach(rule: Rule, values: Values, forms: Mapping[str, Form]) -> bool:
    """Say whether values are bad for a rule: polarity comes from its consequence."""
    must_hold = rule.consequence is Consequence.OBJECTIVE
    return condition_holds(rule.condition, values, forms) is not must_hold


def subjects(rules: Iterable[Rule]) -> tuple[Subject, ...]:
    """Return the figures that rules speak of, each once, in their order."""
    return tuple(dict.fromkeys(subject_of(p) for rule in rules for p in rule.condition.predicates))


def choices(
    rules: Sequence[Rule], wanted: Sequence[Subject], forms: Mapping[str, Form]
) -> Iterator[dict[Subject, Decimal]]:
    """Yield every combination of candidates of some figures; nothing when there are too many."""
    lists = [candidates(rules, subject, forms) for subject in wanted]
    size = 1
    for each in lists:
        size *= len(each)
    if size > _MOST_TRIES:
        return
    for row in product(*lists):
        yield dict(zip(wanted, row, strict=True))


def answers(rule: Rule, forms: Mapping[str, Form]) -> frozenset[bool]:
    """Return what a rule can ever see: breaches, good slices, or both.

    Empty when there are too many combinations to try, or a value is only known after a baseline.
    """
    if not is_plain(rule):
        return frozenset()
    wanted = subjects([rule])
    return frozenset(is_breach(rule, values, forms) for values in choices([rule], wanted, forms))


def is_plain(rule: Rule) -> bool:
    """Say whether a rule compares with numbers only, none of them taken from a baseline."""
    return all(limits_in(p) for p in rule.condition.predicates)
