"""A timeline against the rules of a runbook: which rules it plays, in which units, by which names.

A team writes such a file beside its runbook. The rules come from the runbook alone; a rule of
whose figures the file says nothing is left out and named, never played in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction

from gonogo.errors import Diagnostic, RunbookError
from gonogo.judge import series as notation
from gonogo.judge.candidates import Subject, subjects
from gonogo.judge.course import Course
from gonogo.judge.expected import Expectation
from gonogo.judge.firing import lasting
from gonogo.judge.measures import decimal_of, scale
from gonogo.judge.nodes import CODE
from gonogo.judge.playing import Played, play, subject_of
from gonogo.judge.rehearsal import ENOUGH, Point, Stage, Story, stage_of
from gonogo.judge.timeline import Case, Series, Timeline
from gonogo.plan.model import Rule
from gonogo.plan.units import Quantity, comparable
from gonogo.source import Span


@dataclass(frozen=True, slots=True)
class Against:
    """A timeline whose names and units are those of the runbook, and the rules that it plays."""

    timeline: Timeline
    stage: Stage
    untold: tuple[Rule, ...]  # none of their figures is in the file
    written: Mapping[Span, Expectation]  # each expectation in the words of its author

    def play(self) -> tuple[Played, ...]:
        """Play every case as it is written and compare it with what is expected."""
        stage = self.stage
        return play(
            self.timeline, stage.rules, stage.forms, stage.terms, program=stage.track.program
        )

    def stories(self) -> tuple[Story, ...]:
        """Return the cases as stories of a whole watch: the last value lasts to its end."""
        return tuple(
            Story(case.name, "as in the timeline", self._points(case))
            for case in self.timeline.cases
        )

    def _points(self, case: Case) -> dict[Subject, tuple[Point | None, ...]]:
        return {
            subject_of(self.timeline, self.stage.rules, one): tuple(
                None
                if point is None
                else Point(
                    point.value, one.samples or 0 if point.samples is None else point.samples
                )
                for point in one.points
            )
            for one in case.series
        }


def against(timeline: Timeline, course: Course) -> Against:
    """Bring a timeline and the rules of a runbook together.

    Raises:
        RunbookError: with every mistake of the timeline, each with its place in it.
    """
    reader = _Reader(timeline, course)
    joined = reader.read()
    if joined is None or reader.diagnostics:
        raise RunbookError(timeline.source, reader.diagnostics)
    return joined


class _Reader:
    """Brings the two together and collects what does not fit."""

    def __init__(self, timeline: Timeline, course: Course) -> None:
        self.timeline = timeline
        self.course = course
        self.diagnostics: list[Diagnostic] = []

    def wrong(self, span: Span, message: str, hint: str = "") -> None:
        self.diagnostics.append(Diagnostic(CODE, message, span, hint=hint))

    def read(self) -> Against | None:
        timeline, course = self.timeline, self.course
        top = Span.of_line(1)
        if timeline.rules:
            self.wrong(
                timeline.rules[0].span,
                "the timeline has rules of its own, and those of the runbook would not be tested",
                "take `rules:` out; the runbook has them",
            )
        if timeline.interval_ms != course.width_ms:
            self.wrong(
                top,
                f"the timeline has slices of {lasting(timeline.interval_ms)}, the watch of the"
                f" runbook has buckets of {lasting(course.width_ms)}",
                f"write `interval: {lasting(course.width_ms).replace(' ', '')}`",
            )
        if self.diagnostics:
            return None
        whole = stage_of(course)
        told = self._told(whole)
        if not told and not self.diagnostics:
            known = ", ".join(f"`{' '.join(s).strip()}`" for s in subjects(whole.rules))
            self.wrong(top, "no figure stands in the timeline", f"the rules ask for {known}")
        if self.diagnostics:
            return None
        played = [rule for rule in whole.rules if told & set(subjects([rule]))]
        untold = tuple(rule for rule in whole.rules if rule not in played)
        stage = replace(stage_of(course, played), left_out=whole.left_out)
        names = _Names(played, untold)
        cases = tuple(self._case(case, stage, names) for case in timeline.cases)
        written = {one.span: one for case in timeline.cases for one in case.expect}
        return Against(replace(timeline, cases=cases), stage, untold, written)

    def _told(self, stage: Stage) -> set[Subject]:
        """Return the figures of which any case says something."""
        found: set[Subject] = set()
        for case in self.timeline.cases:
            for one in case.series:
                subject = self._subject(stage, one)
                if subject is not None:
                    found.add(subject)
                    self._check_unit(one, stage.forms[subject[0]].unit)
        self.diagnostics = list(dict.fromkeys(self.diagnostics))
        return found

    def _subject(self, stage: Stage, one: Series) -> Subject | None:
        try:
            return subject_of(self.timeline, stage.rules, one)
        except RunbookError as error:
            self.diagnostics += error.diagnostics
            return None

    def _check_unit(self, one: Series, unit: str) -> None:
        if one.unit is None or comparable(
            Quantity(Decimal(1), one.unit), Quantity(Decimal(1), unit)
        ):
            return
        mine = f"`{unit}`" if unit else "a bare number"
        self.wrong(one.span, f"`{one.name}` is in `{one.unit}`, the runbook has it in {mine}")

    def _case(self, case: Case, stage: Stage, names: _Names) -> Case:
        series = []
        missing = dict.fromkeys(subjects(stage.rules))
        for one in case.series:
            subject = subject_of(self.timeline, stage.rules, one)
            missing.pop(subject, None)
            series.append(_in_unit(one, stage.forms[subject[0]].unit))
        for metric, stat in missing:
            name = f"{metric} {stat}".strip()
            series.append(Series(name, (None,), stage.forms[metric].unit, None, case.span))
        expect = tuple(self._expected(one, names) for one in case.expect)
        return replace(case, series=tuple(series), expect=expect)

    def _expected(self, one: Expectation, names: _Names) -> Expectation:
        def settle(name: str) -> str:
            found, hint = names.find(name)
            if not found:
                self.wrong(one.span, f"no rule that is played is named `{name}`", hint)
            return found or name

        return replace(
            one,
            rule=None if one.rule is None else settle(one.rule),
            firing=None if one.firing is None else tuple(settle(n) for n in one.firing),
            fired=None if one.fired is None else tuple(settle(n) for n in one.fired),
        )


def _in_unit(one: Series, unit: str) -> Series:
    """Return a series in another unit; a value without its number of samples is from enough."""
    samples = ENOUGH if one.samples is None else one.samples
    mine = unit if one.unit is None else one.unit
    if mine == unit:
        return replace(one, unit=unit, samples=samples)
    factor = scale(mine) / scale(unit)
    points = tuple(
        None if p is None else notation.Point(decimal_of(Fraction(p.value) * factor), p.samples)
        for p in one.points
    )
    return replace(one, points=points, unit=unit, samples=samples)


class _Names:
    """The names of rules as a team writes them: in full, or as much as tells them apart."""

    def __init__(self, played: Sequence[Rule], untold: Sequence[Rule]) -> None:
        metrics = dict.fromkeys(metric or "value" for metric, _ in subjects(played))
        silences = [f"{word}/{metric}" for metric in metrics for word in ("no-data", "blind")]
        self.known = [*(rule.id for rule in played), *silences]
        self.untold: Mapping[str, Rule] = {rule.id: rule for rule in untold}

    def find(self, name: str) -> tuple[str, str]:
        """Return the one rule that is meant, or nothing and what to do."""
        if name in self.known:
            return name, ""
        close = [known for known in self.known if known.startswith(name)]
        if len(close) == 1:
            return close[0], ""
        if close:
            return "", f"several begin so: {_listed(close)}"
        silent = next((rule for known, rule in self.untold.items() if known.startswith(name)), None)
        if silent is not None:
            figures = _listed(" ".join(s).strip() for s in subjects([silent]))
            return "", f"the timeline says nothing of {figures}: add a series"
        near = get_close_matches(name, self.known, n=1)
        return "", f"did you mean `{near[0]}`?" if near else f"known are {_listed(self.known)}"


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
