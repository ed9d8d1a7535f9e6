"""A whole watch in a moment: scripted faults, or a timeline, judged slice after slice.

Nothing is measured and nobody waits: the slices are made up from values, and the same machine that
judges a real watch says what would move, who would be told, and whether it would roll back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gonogo.judge.buckets import Bucket, Figure, Form, Given, Shape
from gonogo.judge.candidates import (
    Subject,
    Values,
    candidates,
    choices,
    is_breach,
    is_plain,
    subject_of,
    subjects,
)
from gonogo.judge.firing import LONGER, Course
from gonogo.judge.measures import in_unit, limits_in, misfit, unit_of_value
from gonogo.judge.raising import Clearing, of_move
from gonogo.judge.rules import Machine, Move, Terms
from gonogo.judge.streaks import State, pattern_of
from gonogo.judge.verdict import Verdict
from gonogo.judge.watch import open_streaks, verdict
from gonogo.plan.condition import Predicate
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.notices import Severity
from gonogo.plan.units import Quantity

FROM = 3
"""The bucket in which a scripted fault begins."""
ENOUGH = 1_000_000_000
"""From how many samples a value is when a story does not say it: no rule asks for more."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a figure and from how many samples it is."""

    value: Decimal
    samples: int = ENOUGH


@dataclass(frozen=True, slots=True)
class Story:
    """What a rehearsal pretends: the points of each figure; the last one lasts to the end."""

    name: str
    says: str
    points: Mapping[Subject, Sequence[Point | None]]
    fault: int | None = None  # the bucket, from 1, in which a scripted fault begins
    about: str = ""  # the id of the rule that a scripted fault is about


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be rehearsed of a watch: its rules on figures that a source would have given."""

    rules: tuple[Rule, ...]
    left_out: tuple[tuple[Rule, str], ...]  # with the reason
    forms: Mapping[str, Form]
    terms: Terms
    planned: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody would be told: a rule fired, a metric is silent, or a rollback began."""

    at_ms: int
    rule: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a story ended."""

    story: Story
    moves: tuple[Move, ...]
    alarms: tuple[Alarm, ...]
    rolled_back: Move | None
    verdict: Verdict
    slices: int  # how many were judged

    def fired(self, rule: str) -> Move | None:
        """Return the first move of a rule into firing."""
        return next((m for m in self.moves if m.rule == rule and m.after is State.FIRING), None)


def stage_of(course: Course, only: Iterable[Rule] | None = None) -> Stage:
    """Return what can be rehearsed of a watch, or of some of its rules.

    A metric has one unit in a story. A rule that asks for it in another one is left out: an amount
    asked both as it is and as a rate.
    """
    forms: dict[str, Form] = {}
    kept: list[Rule] = []
    left_out: list[tuple[Rule, str]] = []
    for rule in course.rules if only is None else only:
        mine = {p.metric or "": _given(rule, p.metric or "", course.forms) for p in _parts(rule)}
        known = {name: forms.get(name, form) for name, form in mine.items()}
        problem = next((why for p in _parts(rule) if (why := misfit(p, known[p.metric or ""]))), "")
        if problem:
            left_out.append((rule, problem))
            continue
        forms |= known
        kept.append(rule)
    return Stage(tuple(kept), tuple(left_out), forms, course.terms, course.planned)


def _parts(rule: Rule) -> tuple[Predicate, ...]:
    return rule.condition.predicates


def _given(rule: Rule, name: str, forms: Mapping[str, Form]) -> Form:
    """Return the form of a metric whose figures are made up: in the unit that a rule asks for."""
    form = forms[name]
    predicate = next(p for p in _parts(rule) if (p.metric or "") == name)
    return Form(Shape.GIVEN, unit_of_value(predicate, form), least=form.least)


def rehearse(stage: Stage, story: Story, start_ms: int = 0) -> Rehearsed:
    """Play a story from the first bucket to the planned end, or to the rollback.

    As in a real watch, an open streak makes it longer, and the first rollback ends it.
    """
    machine = Machine(stage.rules, stage.forms, stage.terms)
    width = stage.terms.width_ms
    moves: list[Move] = []
    trigger: Move | None = None
    settled = max([len(points) for points in story.points.values()], default=0)
    settled += 1 + max(max(s.pattern.of, s.pattern.clear) for s in machine.streaks.values())
    number = 0
    while number < stage.planned + LONGER:
        start = start_ms + number * width
        made = machine.step(start, _buckets(story, number, start, width))
        number += 1
        moves += made
        trigger = next((m for m in made if _rolls_back(m)), None)
        if trigger is not None or (number >= stage.planned and not open_streaks(machine)):
            break
        if number >= settled and number < stage.planned:
            # the same slice again and again has moved every rule that it ever will
            number = stage.planned + (LONGER if open_streaks(machine) else 0)
            break
    complete = number >= stage.planned
    return Rehearsed(
        story,
        tuple(moves),
        tuple(_alarms(moves, trigger)),
        trigger,
        verdict(machine, complete=complete),
        number,
    )


def _rolls_back(move: Move) -> bool:
    return move.after is State.FIRING and move.consequence is Consequence.ROLLBACK


def _alarms(moves: Sequence[Move], trigger: Move | None) -> Iterator[Alarm]:
    for move in moves:
        found = of_move(move.as_json())
        if found is not None and not isinstance(found, Clearing):
            yield Alarm(move.closed_ms, move.rule, found.severity)
    if trigger is not None:
        yield Alarm(trigger.closed_ms, "rollback", Severity.PAGE)


def _buckets(story: Story, number: int, start_ms: int, width_ms: int) -> dict[str, Bucket]:
    figures: dict[str, dict[str, Figure]] = {}
    for (metric, stat), points in story.points.items():
        point = points[min(number, len(points) - 1)] if points else None
        if point is not None:
            figure = Figure(start_ms, point.value, point.samples)
            figures.setdefault(metric, {})[stat] = figure
    return {
        metric: Bucket(metric, start_ms, width_ms, Given(found), width_ms)
        for metric, found in figures.items()
    }


# The faults that are rehearsed where no timeline is given.


def stories(stage: Stage) -> tuple[Story, ...]:
    """Return the scripted faults of a watch.

    All good; each rule's figures bad from the third bucket on; bad, good, bad for each rule that
    takes more than one bucket; each metric silent.
    """
    good = good_values(stage)
    found = [Story("all good", "every figure is good", _constant(good))]
    for rule in stage.rules:
        bad = bad_values(stage, rule, good)
        if bad is None:
            continue
        said = say_values(bad, stage.forms)
        points = _from(good, bad, ("good",) * (FROM - 1) + ("bad",))
        found.append(Story(rule.id, f"{said} from bucket {FROM} on", points, FROM, rule.id))
        if pattern_of(rule.condition.window, stage.terms.width_ms).need > 1:
            words = ("good",) * (FROM - 1) + ("bad", "good", "bad", "good")
            says = f"{said} in buckets {FROM} and {FROM + 2}, good between and after"
            name = f"{rule.id}: bad, good, bad"
            found.append(Story(name, says, _from(good, bad, words), FROM, rule.id))
    for metric in dict.fromkeys(metric for metric, _ in subjects(stage.rules)):
        silent = {
            subject: (*row[:1] * (FROM - 1), None) if subject[0] == metric else row
            for subject, row in _constant(good).items()
        }
        says = f"no data from bucket {FROM} on"
        found.append(Story(f"{metric or 'value'} is silent", says, silent, FROM))
    return tuple(found)


def good_values(stage: Stage) -> dict[Subject, Decimal]:
    """Return a value of each figure that is good for every rule, or for as many as can be."""
    plain = [rule for rule in stage.rules if is_plain(rule)]
    found: dict[Subject, Decimal] = {}
    for subject in subjects(stage.rules):
        mine = [rule for rule in plain if subject in subjects([rule])]
        options = candidates(mine, subject, stage.forms)
        found[subject] = min(options, key=lambda v: _wrongs(mine, subject, v, stage.forms))
    return found


def _wrongs(
    rules: Sequence[Rule], subject: Subject, value: Decimal, forms: Mapping[str, Form]
) -> tuple[int, bool, bool]:
    """Count the predicates for which a value is bad; one on a limit comes second, zero last."""
    wrong = 0
    on_limit = False
    for rule in rules:
        for predicate in _parts(rule):
            if subject_of(predicate) == subject:
                part = replace(rule, condition=replace(rule.condition, predicates=(predicate,)))
                wrong += is_breach(part, {subject: value}, forms)
                on_limit = on_limit or value in _limits(predicate, forms)
    return wrong, on_limit, not value


def _limits(predicate: Predicate, forms: Mapping[str, Form]) -> list[Decimal]:
    unit = unit_of_value(predicate, forms[predicate.metric or ""])
    return [in_unit(limit, unit) for limit in limits_in(predicate)]


def bad_values(
    stage: Stage, rule: Rule, good: Mapping[Subject, Decimal]
) -> dict[Subject, Decimal] | None:
    """Return the mildest values that are bad for a rule: as few other rules as can be breach too.

    None when there are none, or when they are known only after a baseline.
    """
    if not is_plain(rule):
        return None
    others = [other for other in stage.rules if other is not rule and is_plain(other)]

    def harm(values: Values) -> tuple[int, int, Decimal]:
        everything = {**good, **values}
        changed = sum(good[subject] != value for subject, value in values.items())
        wrong = sum(is_breach(other, everything, stage.forms) for other in others)
        return changed, wrong, _distance(values, good)

    mine = subjects([rule])
    found = None
    for near in ([rule, *others], [rule]):  # the second where the first is too many to try
        options = (v for v in choices(near, mine, stage.forms) if is_breach(rule, v, stage.forms))
        found = found or min(options, key=harm, default=None)
    if found is None:
        return None
    return {subject: value for subject, value in found.items() if value != good[subject]} or found


def _distance(values: Values, good: Values) -> Decimal:
    return sum((abs(v - good[s]) / (good[s] or 1) for s, v in values.items()), Decimal(0))


def say_values(values: Values, forms: Mapping[str, Form]) -> str:
    """Return values in words: `response time p99 1.5 s, error rate 2.5 %`."""
    return ", ".join(
        f"{' '.join(part for part in (metric, stat) if part) or 'value'}"
        f" {Quantity(value.normalize(), forms[metric].unit).say()}"
        for (metric, stat), value in values.items()
    )


def _constant(values: Values) -> dict[Subject, tuple[Point | None, ...]]:
    return {subject: (Point(value),) for subject, value in values.items()}


def _from(
    good: Values, bad: Values, words: Sequence[str]
) -> dict[Subject, tuple[Point | None, ...]]:
    return {
        subject: tuple(Point(bad.get(subject, value) if w == "bad" else value) for w in words)
        for subject, value in good.items()
    }
