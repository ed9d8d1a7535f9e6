"""A timeline, played: its series become buckets, its rules judge them, differences are reported.

The rules are played to the end of the series, also behind a trigger, so that a team can say of each
what it must do. What follows the first trigger is played as a run would go back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gonogo.errors import Diagnostic, RunbookError
from gonogo.judge.buckets import Bucket, Figure, Form, Given, Shape
from gonogo.judge.course import Program
from gonogo.judge.expected import Expectation
from gonogo.judge.green import Recovered, patience, recover
from gonogo.judge.moves import Move
from gonogo.judge.nodes import CODE
from gonogo.judge.relay import Relay, Track
from gonogo.judge.rules import Terms, check
from gonogo.judge.timeline import Case, Series, Timeline
from gonogo.judge.unmet import unmet
from gonogo.judge.verdict import Verdict
from gonogo.plan.model import Rule
from gonogo.plan.units import Quantity
from gonogo.plan.words import stat_of
from gonogo.source import Span

Subject = tuple[str, str]
"""Metric and statistic, each empty when it is not said."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What was expected and did not come true."""

    case: str
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Played:
    """One case, played to its end."""

    case: Case
    moves: tuple[Move, ...]
    verdict: Verdict
    differences: tuple[Difference, ...]
    trigger: Move | None = None  # the move that rolls back
    recovered: Recovered | None = None  # what follows it; None without a trigger or a way back


def play(
    timeline: Timeline,
    rules: Sequence[Rule] = (),
    forms: Mapping[str, Form] | None = None,
    terms: Terms | None = None,
    baseline: Mapping[str, Quantity] | None = None,
    program: Program | None = None,
) -> tuple[Played, ...]:
    """Play every case; rules and the units of metrics come from the file, else from a runbook.

    Without a program of watches there is one that lasts as long as the series.

    Raises:
        RunbookError: a series belongs to no rule, or a rule does not fit the series.
    """
    judged = timeline.rules or tuple(rules)
    given = terms or Terms()
    own = Terms(timeline.interval_ms, given.least_coverage, given.blind_after_s, given.clear)
    track = Track(judged, {}, own, program or Program(), baseline or {})
    stage = _Stage(timeline, judged, forms or {}, track.endless())
    return tuple(stage.play(case) for case in timeline.cases)


@dataclass(frozen=True, slots=True)
class _Stage:
    timeline: Timeline
    rules: tuple[Rule, ...]
    forms: Mapping[str, Form]
    track: Track  # what is judged, before the units of the series are known

    def play(self, case: Case) -> Played:
        bound = [(subject_of(self.timeline, self.rules, one), one) for one in case.series]
        track = self._track(bound)
        names = tuple(track.machine(self.rules).streaks)
        for expected in case.expect:
            self._known(names, expected)
        width, start = self.timeline.interval_ms, self.timeline.start_ms
        relay = Relay(track, start)
        differences: list[Difference] = []

        def compare(expected: Sequence[Expectation], recovered: Recovered | None = None) -> None:
            differences.extend(
                Difference(case.name, one.span, text)
                for one in expected
                for text in unmet(one, relay, names, start, recovered)
            )

        waiting = [expected for expected in case.expect if expected.at_ms is not None]
        for at in range(case.length + 1):
            due = [e for e in waiting if (e.at_ms or 0) < (at + 1) * width]
            compare(due)
            waiting = [expected for expected in waiting if expected not in due]
            if at < case.length:
                relay.step(_buckets(bound, at, start + at * width, width))
        differences.extend(
            Difference(case.name, one.span, "the series end before this moment") for one in waiting
        )
        recovered = _recovered(relay, bound, case.length, start)
        compare([expected for expected in case.expect if expected.at_ms is None], recovered)
        return Played(
            case,
            tuple(relay.moves),
            relay.verdict(),
            tuple(sorted(differences, key=lambda found: found.span)),
            relay.trigger,
            recovered,
        )

    def _track(self, bound: Sequence[tuple[Subject, Series]]) -> Track:
        forms: dict[str, Form] = {}
        for (metric, _), series in bound:
            form = Form(Shape.GIVEN, self._unit(metric, series), least=self._least(metric))
            if forms.setdefault(metric, form) != form:
                raise self._mistake(
                    series.span, f"`{metric or series.name}` has two units", "write one of them"
                )
        for rule in self.rules:
            for predicate in rule.condition.predicates:
                name = predicate.metric or ""
                unit = self._only_unit(name) or ""
                forms.setdefault(name, Form(Shape.GIVEN, unit, least=self._least(name)))
        problems = check(self.rules, forms, self.track.terms)
        if problems:
            found = [Diagnostic(CODE, p.message, p.span) for p in problems]
            raise RunbookError(self.timeline.source, found)
        return replace(self.track, forms=forms)

    def _least(self, metric: str) -> int | None:
        form = self.forms.get(metric)
        return None if form is None else form.least

    def _unit(self, metric: str, series: Series) -> str:
        """Settle the unit: as written, of the runbook's metric, or the only one in the rules."""
        if series.unit is not None:
            return series.unit
        form = self.forms.get(metric)
        unit = form.unit if form is not None else self._only_unit(metric)
        if unit is None:
            raise self._mistake(
                series.span,
                f"the unit of `{series.name}` is not clear: the rules use several",
                "write it behind the values: `0.4 1.5x2 s`",
            )
        return unit

    def _only_unit(self, metric: str) -> str | None:
        units = {
            value.unit
            for rule in self.rules
            for predicate in rule.condition.predicates
            if (predicate.metric or "") == metric
            for value in (
                predicate.value if isinstance(predicate.value, tuple) else (predicate.value,)
            )
            if isinstance(value, Quantity)
        }
        return units.pop() if len(units) == 1 else None

    def _known(self, names: Sequence[str], expected: Expectation) -> None:
        for name in (expected.rule, *(expected.firing or ()), *(expected.fired or ())):
            if name is not None and name not in names:
                known = ", ".join(f"`{rule.id}`" for rule in self.rules)
                raise self._mistake(
                    expected.span, f"no rule is named `{name}`", f"known are {known}"
                )

    def _mistake(self, span: Span, message: str, hint: str) -> RunbookError:
        return _mistake(self.timeline, span, message, hint)


def subject_of(timeline: Timeline, rules: Sequence[Rule], series: Series) -> Subject:
    """Return what a series is of: `p99` is that of the only metric whose p99 is asked for.

    Raises:
        RunbookError: no rule asks for it, or it may be that of several metrics.
    """
    asked = dict.fromkeys(
        (p.metric or "", p.stat or "") for rule in rules for p in rule.condition.predicates
    )
    wanted = _named(series.name)
    if wanted in asked:
        return wanted
    if (series.name, "") in asked:  # `max connections` may be the name of a metric
        return series.name, ""
    close = [subject for subject in asked if subject[1] == wanted[1] and not wanted[0]]
    if len(close) == 1:
        return close[0]
    known = ", ".join(f"`{' '.join(part for part in s if part)}`" for s in asked)
    several = "several rules ask for" if close else "no rule asks for"
    raise _mistake(timeline, series.span, f"{several} `{series.name}`", f"they ask for {known}")


def _mistake(timeline: Timeline, span: Span, message: str, hint: str) -> RunbookError:
    return RunbookError(timeline.source, [Diagnostic(CODE, message, span, hint=hint)])


def _named(name: str) -> Subject:
    """Read `p99`, `response time p95` and `p95 response time` alike."""
    words = name.split()
    for at in (-1, 0):
        stat = stat_of(words[at])
        if stat is not None:
            rest = words[:-1] if at else words[1:]
            return " ".join(rest), stat
    return name, ""


def _buckets(
    bound: Sequence[tuple[Subject, Series]], at: int, start_ms: int, width_ms: int
) -> dict[str, Bucket]:
    """Return the buckets of one slice; a metric without any value has none."""
    figures: dict[str, dict[str, Figure]] = {}
    for (metric, stat), series in bound:
        point = series.points[at] if at < len(series.points) else None
        if point is not None:
            samples = series.samples if point.samples is None else point.samples
            figure = Figure(start_ms, Decimal(point.value), samples)
            figures.setdefault(metric, {})[stat] = figure
    return {
        metric: Bucket(metric, start_ms, width_ms, Given(found), width_ms)
        for metric, found in figures.items()
    }


def _recovered(
    relay: Relay, bound: Sequence[tuple[Subject, Series]], length: int, start_ms: int
) -> Recovered | None:
    """Play what follows the first trigger.

    The last value of a series that lasts to the end of the case goes on; one that ended before is
    silent.
    """
    program, width = relay.track.program, relay.track.terms.width_ms
    if relay.trigger is None or not program.way.exists:
        return None
    more = patience(program.recovery, width) + 2 + round(program.way.acts_s * 1000) // width
    longer = [(subject, _prolonged(one, length, more)) for subject, one in bound]

    def bucket_at(at_ms: int) -> dict[str, Bucket]:
        return _buckets(longer, (at_ms - start_ms) // width, at_ms, width)

    begun = [past.watch.id for past in relay.past]
    return recover(relay.track, relay.trigger, begun, bucket_at)


def _prolonged(one: Series, length: int, more: int) -> Series:
    """Return a series that goes on with its last value, where it lasts to the end of the case."""
    if len(one.points) < length:
        return one
    return replace(one, points=(*one.points, *one.points[-1:] * more))
