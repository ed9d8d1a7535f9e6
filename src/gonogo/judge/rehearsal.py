"""A whole watch in a moment: scripted faults, or a timeline, judged slice after slice.

Nothing is measured and nobody waits: the slices are made up from values, and the same machine that
judges a real watch says what would move, who would be told, and whether it would roll back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from gonogo.judge.course import Course, Program, Watching
from gonogo.judge.green import Recovered, recover
from gonogo.judge.measures import in_unit, limits_in, misfit, unit_of_value
from gonogo.judge.moves import Move
from gonogo.judge.raising import Clearing, of_move
from gonogo.judge.relay import Past, Relay, Track, calendar
from gonogo.judge.rules import Terms
from gonogo.judge.streaks import State, pattern_of
from gonogo.judge.verdict import Verdict
from gonogo.plan.condition import Predicate
from gonogo.plan.model import Rule
from gonogo.plan.notices import Severity
from gonogo.plan.units import Quantity

FROM = 3
"""The bucket of a watch in which a scripted fault begins."""
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
    healed: Mapping[Subject, Point | None] | None = None  # what the figures are after going back


@dataclass(frozen=True, slots=True)
class Stage:
    """What can be rehearsed of a watch: its rules on figures that a source would have given."""

    rules: tuple[Rule, ...]
    left_out: tuple[tuple[Rule, str], ...]  # with the reason
    forms: Mapping[str, Form]
    terms: Terms
    planned: int
    program: Program = field(default_factory=Program)

    @property
    def track(self) -> Track:
        """Return what is judged, watch after watch; without any it is one of the planned length."""
        program = self.program
        if not program.watches:
            program = replace(program, watches=(Watching(planned=self.planned),))
        return Track(self.rules, self.forms, self.terms, program)


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
    watches: tuple[Past, ...] = ()
    left: tuple[Watching, ...] = ()  # not reached
    recovered: Recovered | None = None  # what follows the rollback; None without one, or a way

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
    return Stage(tuple(kept), tuple(left_out), forms, course.terms, course.planned, course.program)


def _parts(rule: Rule) -> tuple[Predicate, ...]:
    return rule.condition.predicates


def _given(rule: Rule, name: str, forms: Mapping[str, Form]) -> Form:
    """Return the form of a metric whose figures are made up: in the unit that a rule asks for."""
    form = forms[name]
    predicate = next(p for p in _parts(rule) if (p.metric or "") == name)
    return Form(Shape.GIVEN, unit_of_value(predicate, form), least=form.least)


def rehearse(stage: Stage, story: Story, start_ms: int = 0) -> Rehearsed:
    """Play a story through every watch to its planned end, or to the rollback and what follows.

    As in a real watch, an open streak makes it longer, and the first rollback ends it. Where a
    person would decide at the gate of a watch, the next one is played as if they let it begin.
    """
    relay = Relay(stage.track, start_ms)
    width = stage.terms.width_ms
    same_ms = start_ms + width * max([len(points) for points in story.points.values()], default=0)
    streaks = relay.track.machine(stage.rules).streaks.values()
    settles_ms = width * (1 + max([max(s.pattern.of, s.pattern.clear) for s in streaks], default=1))
    while relay.watch is not None:
        at = relay.next_ms
        if at >= max(same_ms, relay.first_slice_ms) + settles_ms:
            relay.rest()  # the same slice again and again has moved every rule that it ever will
        else:
            relay.step(_buckets(story, (at - start_ms) // width, at, width))
    trigger = relay.trigger
    return Rehearsed(
        story,
        tuple(relay.moves),
        tuple(_alarms(relay.moves, trigger)),
        trigger,
        relay.verdict(),
        sum(past.slices for past in relay.past),
        tuple(relay.past),
        tuple(relay.left),
        None if trigger is None else _recovered(relay, story, trigger, start_ms),
    )


def _recovered(relay: Relay, story: Story, trigger: Move, start_ms: int) -> Recovered | None:
    """Play what follows a trigger: the figures of the old release, where the story knows them."""
    track, width = relay.track, relay.track.terms.width_ms
    if not track.program.way.exists:
        return None
    if story.healed is not None:
        story = replace(story, points={subject: (one,) for subject, one in story.healed.items()})
    begun = [past.watch.id for past in relay.past]

    def bucket_at(at_ms: int) -> Mapping[str, Bucket]:
        return _buckets(story, (at_ms - start_ms) // width, at_ms, width)

    return recover(track, trigger, begun, bucket_at, relay.machine)


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

    All good; each rule's figures bad from the third bucket of its watch on; bad, good, bad for each
    rule that takes more than one bucket; each metric silent.
    """
    good = good_values(stage)
    healed = {subject: Point(value) for subject, value in good.items()}
    found = [Story("all good", "every figure is good", _constant(good))]
    past = calendar(stage.track)
    for rule in stage.rules:
        bad = bad_values(stage, rule, good)
        if bad is None:
            continue
        said = say_values(bad, stage.forms)
        begins, at, where = _begins(rule, past, stage.terms.width_ms)
        points = _from(good, bad, ("good",) * (begins - 1) + ("bad",))
        says = f"{said} from bucket {at}{where} on"
        found.append(Story(rule.id, says, points, begins, rule.id, healed))
        if pattern_of(rule.condition.window, stage.terms.width_ms).need > 1:
            words = ("good",) * (begins - 1) + ("bad", "good", "bad", "good")
            says = f"{said} in buckets {at} and {at + 2}{where}, good between and after"
            name = f"{rule.id}: bad, good, bad"
            found.append(Story(name, says, _from(good, bad, words), begins, rule.id, healed))
    for metric in dict.fromkeys(metric for metric, _ in subjects(stage.rules)):
        silent = {
            subject: (*row[:1] * (FROM - 1), None) if subject[0] == metric else row
            for subject, row in _constant(good).items()
        }
        says = f"no data from bucket {FROM} on"
        found.append(Story(f"{metric or 'value'} is silent", says, silent, FROM))
    return tuple(found)


def _begins(rule: Rule, past: Sequence[Past], width_ms: int) -> tuple[int, int, str]:
    """Return the bucket of the release and of its watch in which a fault begins, and which watch.

    That of a rule which belongs to a later watch begins in there: before, nobody judges it.
    """
    mine = next((one for one in past if rule.phase and one.watch.id == rule.phase), None)
    one = mine or next((each for each in past if each.slices), None)
    if one is None:
        return FROM, FROM, ""
    at = max(1, min(FROM, (one.closed_ms - one.first_slice_ms) // width_ms))
    before = one.first_slice_ms // width_ms
    return before + at, at, f" of `{one.watch.title}`" if before else ""


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
