"""Rules that contradict each other: a rollback that comes before anybody was called, or unheard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gonogo.plan.condition import Op, Predicate
from gonogo.plan.model import ALERTS, CALLS, Consequence, Rule
from gonogo.plan.units import Quantity, comparable, compare
from gonogo.runbook.notebook import Notebook

_UP = frozenset({Op.GT, Op.GE})
_DOWN = frozenset({Op.LT, Op.LE})


@dataclass(frozen=True, slots=True)
class _Bound:
    rule: Rule
    predicate: Predicate
    value: Quantity
    is_upper: bool


def report(rules: Sequence[Rule], book: Notebook) -> None:
    """Warn when a trigger rolls back at a milder value than every rule that calls somebody."""
    groups: dict[tuple[str | None, str | None, bool], list[_Bound]] = defaultdict(list)
    for bound in _bounds(rules):
        key = (bound.predicate.metric, bound.predicate.stat, bound.is_upper)
        groups[key].append(bound)
    for group in groups.values():
        _compare(group, book)
    _note_silent(rules, book)


def _note_silent(rules: Sequence[Rule], book: Notebook) -> None:
    """Note each trigger on a figure that no alert speaks of, where other figures have alerts."""
    alerts = [p for r in rules if r.consequence in ALERTS for p in r.condition.predicates]
    told = {predicate.metric for predicate in alerts}
    unnamed = any(predicate.metric is None and predicate.stat for predicate in alerts)
    for rule in rules if told else ():
        names = [predicate.metric for predicate in rule.condition.predicates]
        spread = unnamed and any(predicate.stat for predicate in rule.condition.predicates)
        heard = spread or None in names or bool(told & set(names))  # `P99 > 2s` names nothing
        if rule.consequence is not Consequence.ROLLBACK or heard:
            continue
        book.note(
            "GN345",
            f"rolls back, and no alert speaks of {' or '.join(f'`{name}`' for name in names)}:"
            " the rollback is the first that anybody hears of it",
            rule.condition.predicates[0].span,
            hint="add an alert with a milder limit; a rollback itself is always an alert too",
        )


def _bounds(rules: Iterable[Rule]) -> Iterable[_Bound]:
    for rule in rules:
        for predicate in rule.condition.predicates:
            if isinstance(predicate.value, Quantity) and predicate.op in _UP | _DOWN:
                yield _Bound(rule, predicate, predicate.value, predicate.op in _UP)


def _compare(group: list[_Bound], book: Notebook) -> None:
    triggers = [b for b in group if b.rule.consequence is Consequence.ROLLBACK]
    calls = [b for b in group if b.rule.consequence in CALLS]
    if not triggers or not calls:
        return
    first = calls[0]
    for call in calls:
        if _is_milder(call, first):
            first = call
    for trigger in triggers:
        if _is_milder(trigger, first):
            book.warn(
                "GN345",
                f"rolls back at {trigger.predicate.op.value} {trigger.value.say()}, but nobody is"
                f" called before {first.predicate.op.value} {first.value.say()}"
                f" (line {first.rule.span.line})",
                trigger.predicate.span,
                hint="let the alert come first; a rollback itself is always an alert too",
            )


def _is_milder(trigger: _Bound, call: _Bound) -> bool:
    if not comparable(trigger.value, call.value):
        return False
    order = compare(trigger.value, call.value)
    return order < 0 if trigger.is_upper else order > 0
