"""A timeline, played: its series become buckets, its rules judge them, differences are reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gonogo.errors import Diagnostic, RunbookError
from gonogo.judge.buckets import Bucket, Figure, Form, Given, Shape
from gonogo.judge.rules import Machine, Move, Terms, check, clock_time
from gonogo.judge.streaks import State
from gonogo.judge.timeline import CODE, Case, Expectation, Series, Timeline
from gonogo.judge.verdict import Verdict
from gonogo.judge.watch import verdict
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


def play(
    timeline: Timeline,
    rules: Sequence[Rule] = (),
    forms: Mapping[str, Form] | None = None,
    terms: Terms | None = None,
    baseline: Mapping[str, Quantity] | None = None,
) -> tuple[Played, ...]:
    """Play every case; rules and the units of metrics come from the file, else from a runbook.

    Raises:
        RunbookError: a series belongs to no rule, or a rule does not fit the series.
    """
    judged = timeline.rules or tuple(rules)
    given = terms or Terms()
    own = Terms(timeline.interval_ms, given.least_coverage, given.blind_after_s, given.clear)
    stage = _Stage(timeline, judged, forms or {}, own, baseline or {})
    return tuple(stage.play(case) for case in timeline.cases)


@dataclass(frozen=True, slots=True)
class _Stage:
    timeline: Timeline
    rules: tuple[Rule, ...]
    forms: Mapping[str, Form]
    terms: Terms
    baseline: Mapping[str, Quantity]

    def play(self, case: Case) -> Played:
        bound = [(subject_of(self.timeline, self.rules, one), one) for one in case.series]
        machine = self._machine(bound)
        for expected in case.expect:
            self._known(machine, expected)
        moves: list[Move] = []
        differences: list[Difference] = []
        width, start = self.timeline.interval_ms, self.timeline.start_ms
        waiting = list(case.expect)
        for at in range(case.length + 1):
            due = [e for e in waiting if e.at_ms is not None and e.at_ms < (at + 1) * width]
            differences += _differences(case, due, machine, moves)
            waiting = [expected for expected in waiting if expected not in due]
            if at < case.length:
                begin = start + at * width
                moves += machine.step(begin, _buckets(bound, at, begin, width))
        late = [e for e in waiting if e.at_ms is not None]
        for expected in late:
            differences.append(
                Difference(case.name, expected.span, "the series end before this moment")
            )
        differences += _differences(case, [e for e in waiting if e.at_ms is None], machine, moves)
        return Played(
            case,
            tuple(moves),
            verdict(machine, complete=True),
            tuple(sorted(differences, key=lambda found: found.span)),
        )

    def _machine(self, bound: Sequence[tuple[Subject, Series]]) -> Machine:
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
        problems = check(self.rules, forms, self.terms)
        if problems:
            found = [Diagnostic(CODE, p.message, p.span) for p in problems]
            raise RunbookError(self.timeline.source, found)
        return Machine(self.rules, forms, self.terms, self.baseline)

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

    def _known(self, machine: Machine, expected: Expectation) -> None:
        for name in (expected.rule, *(expected.firing or ()), *(expected.fired or ())):
            if name is not None and name not in machine.streaks:
                known = ", ".join(f"`{rule.id}`" for rule in machine.rules)
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


def _differences(
    case: Case, expected: Sequence[Expectation], machine: Machine, moves: Sequence[Move]
) -> list[Difference]:
    found: list[Difference] = []
    for one in expected:
        found += [Difference(case.name, one.span, text) for text in _unmet(one, machine, moves)]
    return found


def _unmet(expected: Expectation, machine: Machine, moves: Sequence[Move]) -> list[str]:
    streaks = machine.streaks
    said: list[str] = []
    if expected.rule is not None and expected.state is not None:
        state = streaks[expected.rule].state
        if state is not expected.state:
            last = next((m for m in reversed(moves) if m.rule == expected.rule), None)
            why = f": {last.reason}" if last else ""
            said.append(f"`{expected.rule}` is {state.value}, expected {expected.state.value}{why}")
    if expected.firing is not None:
        firing = [name for name, streak in streaks.items() if streak.state is State.FIRING]
        said += _sets("firing", firing, expected.firing, moves, machine)
    if expected.fired is not None:
        fired = [name for name, streak in streaks.items() if streak.fired]
        said += _sets("among those that fired", fired, expected.fired, moves, machine)
    if expected.verdict is not None:
        actual = verdict(machine, complete=True)
        if actual is not expected.verdict:
            said.append(f"the verdict is {actual.value}, expected {expected.verdict.value}")
    return said


def _sets(
    word: str,
    actual: Sequence[str],
    expected: Sequence[str],
    moves: Sequence[Move],
    machine: Machine,
) -> list[str]:
    said = [f"`{name}` is not {word} as expected" for name in expected if name not in actual]
    for name in actual:
        if name not in expected:
            move = next(m for m in reversed(moves) if m.rule == name and m.after is State.FIRING)
            when = clock_time(move.closed_ms, machine.terms.width_ms, move.closed_ms)
            said.append(f"`{name}` fired at {when}, not expected to be {word}: {move.reason}")
    return said
