"""Metrics and rules of a watch, read with the runbook: impossible sources, promises broken early.

A metric is bound to its source here, so that its mistakes are found together with all the others
and not when the watch begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gonogo.errors import Diagnostic, Severity
from gonogo.plan.condition import Join, Op, Predicate
from gonogo.plan.kinds import Role
from gonogo.plan.lengths import is_idle
from gonogo.plan.model import CALLS, TELLS, Consequence, Phase, Rule
from gonogo.plan.units import Quantity, comparable, compare
from gonogo.runbook import durations
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings

_UP = frozenset({Op.GT, Op.GE})
_DOWN = frozenset({Op.LT, Op.LE})
_DOES = {
    **dict.fromkeys(TELLS, "warns"),
    **dict.fromkeys(CALLS, "pages"),
    Consequence.ROLLBACK: "rolls back",
}


def report(found: Settings, rules: Sequence[Rule], book: Notebook) -> None:
    """Note every mistake in a source, and alerts that go off while the objective still holds."""
    if found.metrics:
        _report_sources(found, book)
    book.extend(_hasty(rules))
    book.extend(_turned(rules))


def report_idle(
    phases: Iterable[Phase], found: Settings, rules: Sequence[Rule], book: Notebook
) -> None:
    """Warn of each watch that says how long it is and in which nothing takes that time."""
    for phase in phases:
        length = phase.span_s
        if (
            phase.role is not Role.WATCH
            or length is None
            or not is_idle(phase, rules, found.metrics)
        ):
            continue
        book.warn(
            "GN385",
            f"nothing in `{phase.title}` lasts {durations.say(length)}: the run goes on at once",
            phase.span,
            label="neither a figure nor a checkpoint",
            hint="bind a metric and write a rule on it, or put a step under a time: "
            f"`### After {durations.say(length)}`",
        )


def _report_sources(found: Settings, book: Notebook) -> None:
    from gonogo.plan.sources_read import read_metric  # not loaded for a runbook without metrics

    targets = [target.name for target in found.targets]
    for metric in found.metrics:
        for diagnostic in read_metric(metric, targets)[1]:
            book.lenient(diagnostic)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A limit, and on which side of it the service is bad."""

    rule: Rule
    predicate: Predicate
    value: Quantity
    bad_above: bool


def _bounds(rules: Iterable[Rule]) -> Iterator[_Bound]:
    for rule in rules:
        must_hold = rule.consequence is Consequence.OBJECTIVE
        for predicate in rule.condition.predicates:
            if isinstance(predicate.value, Quantity) and predicate.op in _UP | _DOWN:
                bad_above = (predicate.op in _UP) is not must_hold
                yield _Bound(rule, predicate, predicate.value, bad_above)


def _hasty(rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield a remark for each alert or trigger that holds where its objective holds too.

    An early warning may be meant so and is only a note; a call or a rollback contradicts what the
    objective promises. With several objectives for one figure the most lenient one counts.
    """
    bounds = list(_bounds(rules))
    objectives = [b for b in bounds if b.rule.consequence is Consequence.OBJECTIVE]
    for bound in bounds:
        if bound.rule.consequence is Consequence.OBJECTIVE:
            continue
        promised = [o for o in objectives if _same_figure(o, bound)]
        if not promised or not all(_comes_first(bound, o) for o in promised):
            continue
        first = promised[0]
        early = bound.rule.consequence in TELLS
        yield Diagnostic(
            "GN346",
            f"{_DOES[bound.rule.consequence]} at {bound.predicate.op.value} {bound.value.say()},"
            f" where the objective {first.predicate.op.value} {first.value.say()}"
            f" (line {first.rule.span.line}) may still hold",
            bound.predicate.span,
            hint="an early warning may be meant so"
            if early
            else "let the objective say what is promised, and nobody be called before",
            severity=Severity.NOTE if early else Severity.WARNING,
        )


def _turned(rules: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Yield a warning for each alert or trigger that fires whenever its objective holds.

    `hit rate > 20 %` as a trigger, where the objective is `hit rate >= 30 %`, is a slip of the pen
    that would roll back every good release.
    """
    bounds = list(_bounds(rules))
    objectives = [b for b in bounds if b.rule.consequence is Consequence.OBJECTIVE]
    for bound in bounds:
        rule = bound.rule
        alone = len(rule.condition.predicates) == 1 or rule.condition.join is Join.ANY
        if rule.consequence is Consequence.OBJECTIVE or not alone:
            continue
        for objective in objectives:
            if _same_name(objective, bound) and _covers(bound, objective):
                yield Diagnostic(
                    "GN346",
                    f"{_DOES[rule.consequence]} at {bound.predicate.expected()}, which is what the"
                    f" objective {objective.predicate.expected()}"
                    f" (line {objective.rule.span.line}) promises",
                    bound.predicate.span,
                    hint="turn the sign of one of them round",
                    severity=Severity.WARNING,
                )
                break


def _covers(bound: _Bound, objective: _Bound) -> bool:
    """Say whether a rule holds for every value that its objective allows, but perhaps the limit."""
    if bound.bad_above is objective.bad_above:
        return False
    order = compare(bound.value, objective.value)
    return order <= 0 if bound.bad_above else order >= 0


def _same_name(one: _Bound, other: _Bound) -> bool:
    mine, theirs = one.predicate, other.predicate
    same = (mine.metric, mine.stat) == (theirs.metric, theirs.stat)
    return same and comparable(one.value, other.value)


def _same_figure(one: _Bound, other: _Bound) -> bool:
    return one.bad_above is other.bad_above and _same_name(one, other)


def _comes_first(alert: _Bound, objective: _Bound) -> bool:
    order = compare(alert.value, objective.value)
    return order < 0 if alert.bad_above else order > 0
