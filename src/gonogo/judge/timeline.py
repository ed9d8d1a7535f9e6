"""A day of a watch in a few lines: series of values, the rules, and what is expected of them.

A team keeps such files beside its runbook and tests its own triggers with them. Reading one gives
a `Timeline` or all of its mistakes, each with its place; `gonogo.judge.playing` plays it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import yaml

from gonogo.errors import Diagnostic, RunbookError, Severity
from gonogo.judge.series import Point, read_series
from gonogo.judge.streaks import State
from gonogo.judge.verdict import Verdict
from gonogo.plan.grammar import not_a_condition, read
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.units import Dimension, parse_quantity
from gonogo.source import Source, Span

CODE = "GN700"


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one figure: `p99`, `error rate`, `response time p95`."""

    name: str
    points: tuple[Point | None, ...]
    unit: str | None
    samples: int | None  # behind each value that does not say its own
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true when the slices up to a moment are closed; the end when none is said."""

    span: Span
    at_ms: int | None = None  # from the start of the timeline
    rule: str | None = None
    state: State | None = None
    firing: tuple[str, ...] | None = None  # exactly these fire
    fired: tuple[str, ...] | None = None  # exactly these have fired by then
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One story: series and expectations."""

    name: str
    span: Span
    series: tuple[Series, ...]
    expect: tuple[Expectation, ...]
    length: int  # slices: as many as the longest series that the case itself states


@dataclass(frozen=True, slots=True)
class Timeline:
    """A file of cases over the same rules; `rules` is empty when they come from a runbook."""

    source: Source
    interval_ms: int
    start_ms: int
    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]


Pairs = list[tuple[str, yaml.Node, yaml.Node]]


class _Reader:
    """Reads the nodes of one file and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def wrong(self, at: yaml.Node | Span, message: str, hint: str = "") -> None:
        span = at if isinstance(at, Span) else self.span(at)
        self.diagnostics.append(Diagnostic(CODE, message, span, hint=hint))

    def span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        if start.line == end.line:
            return Span.of_line(start.line + 1, start.column + 1, end.column - start.column)
        return Span.of_line(start.line + 1, start.column + 1)

    def compose(self) -> yaml.Node | None:
        """Return the root; aliases are refused, since they make a small file endless."""
        text = self.source.text
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if isinstance(event, yaml.AliasEvent):
                    found = event.start_mark
                    at = (
                        Span.of_line(found.line + 1, found.column + 1) if found else Span.of_line(1)
                    )
                    self.wrong(at, "anchors are not understood", "write the value out")
                    return None
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.wrong(Span.of_line(line, column), f"this is not YAML: {problem.problem}")
            return None
        except (yaml.YAMLError, RecursionError):
            self.wrong(Span.of_line(1), "this is not YAML that can be read")
            return None
        if root is None:
            self.wrong(Span.of_line(1), "the timeline is empty", "see docs/watch-semantics.md")
        return root

    def pairs(self, node: yaml.Node, what: str, known: tuple[str, ...] = ()) -> Pairs:
        """Return key, key node and value of a mapping; unknown and repeated keys are mistakes."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping")
            return []
        found: Pairs = []
        for key, value in node.value:
            name = " ".join(str(key.value).split()) if isinstance(key, yaml.ScalarNode) else ""
            if not name or (known and name not in known):
                hint = f"known are {', '.join(f'`{word}`' for word in known)}" if known else ""
                self.wrong(key, f"`{name}` is not known in {what}", hint)
            elif any(name == other for other, _, _ in found):
                self.wrong(key, f"`{name}` stands twice in {what}")
            else:
                found.append((name, key, value))
        return found

    def text(self, node: yaml.Node, what: str) -> str | None:
        if isinstance(node, yaml.ScalarNode) and str(node.value).strip():
            return str(node.value)
        self.wrong(node, f"{what} must be one line of text")
        return None

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(node, f"{what} must be a list")
        return []

    def duration_ms(self, node: yaml.Node, what: str) -> int | None:
        said = self.text(node, what)
        if said is None:
            return None
        quantity = parse_quantity(said)
        if quantity is None or quantity.dimension is not Dimension.TIME or quantity.number < 0:
            self.wrong(node, f"`{said}` is no time: {what} needs a number with a unit, as in `15m`")
            return None
        exact = quantity.si * 1000
        if exact != int(exact) or exact > 10**13:
            self.wrong(node, f"`{said}` is no whole number of milliseconds")
            return None
        return int(exact)

    def whole(self, node: yaml.Node, what: str) -> int | None:
        said = (self.text(node, what) or "").replace("_", "").replace(",", "")
        if said.isdecimal() and said.isascii() and len(said) <= 12:
            return int(said)
        self.wrong(node, f"{what} must be a whole number")
        return None


def read_timeline(source: Source) -> Timeline:
    """Read a timeline.

    Raises:
        RunbookError: with every mistake and its place.
    """
    reader = _Reader(source)
    root = reader.compose()
    timeline = None if root is None else _timeline(reader, root)
    if reader.diagnostics or timeline is None:
        raise RunbookError(source, reader.diagnostics)
    return timeline


_KEYS = ("interval", "start", "samples", "rules", "metrics", "expect", "cases")


def _timeline(reader: _Reader, root: yaml.Node) -> Timeline:
    parts = {name: value for name, _, value in reader.pairs(root, "a timeline", _KEYS)}
    interval = 300_000
    if "interval" in parts:
        said = reader.duration_ms(parts["interval"], "`interval`")
        if said is not None and said < 1:
            reader.wrong(parts["interval"], "an interval of nothing has no slices")
        interval = said or interval
    start = _start(reader, parts["start"]) if "start" in parts else 0
    if start % interval:
        reader.wrong(parts["start"], "the start does not lie on the grid of slices")
    samples = reader.whole(parts["samples"], "`samples`") if "samples" in parts else None
    rules = tuple(_rules(reader, parts["rules"])) if "rules" in parts else ()
    common = _series(reader, parts["metrics"], {}, samples) if "metrics" in parts else {}
    expect = _expectations(reader, parts["expect"]) if "expect" in parts else ()
    cases: list[Case] = []
    if "cases" in parts:
        for node in reader.items(parts["cases"], "`cases`"):
            cases += _case(reader, node, common, samples)
    if expect or not cases:
        if not expect and not reader.diagnostics:
            reader.wrong(root, "nothing is expected", "add `expect:` or `cases:`")
        series = tuple(common.values())
        cases.insert(0, Case("timeline", reader.span(root), series, expect, _longest(series)))
    return Timeline(reader.source, interval, start, rules, tuple(cases))


def _start(reader: _Reader, node: yaml.Node) -> int:
    said = reader.text(node, "`start`") or "00:00"
    try:
        moment = datetime.fromisoformat(f"1970-01-01T{said}" if len(said) <= 8 else said)
    except ValueError:
        reader.wrong(node, f"`{said}` is no moment", "write `14:00` or `2026-03-01T14:00Z`")
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def _rules(reader: _Reader, node: yaml.Node) -> Iterator[Rule]:
    kinds = tuple(kind.value for kind in Consequence)
    for kind, _, group in reader.pairs(node, "`rules`", kinds):
        if isinstance(group, yaml.MappingNode):
            named = [(name, value) for name, _, value in reader.pairs(group, f"`{kind}`")]
        else:
            listed = reader.items(group, f"`{kind}`")
            named = [(str(at), value) for at, value in enumerate(listed, start=1)]
        for name, value in named:
            rule = _rule(reader, f"{kind}/{name}", Consequence(kind), value)
            if rule is not None:
                yield rule


def _rule(reader: _Reader, name: str, kind: Consequence, node: yaml.Node) -> Rule | None:
    text = reader.text(node, f"the rule `{name}`")
    if text is None:
        return None
    span = reader.span(node)
    said = read(text, span)
    errors = [d for d in said.diagnostics if d.severity is Severity.ERROR]
    if said.condition is None:
        reader.diagnostics += errors or [not_a_condition(text, span)]
        return None
    return Rule(name, said.condition, kind, span, said.condition.window is None)


def _series(
    reader: _Reader, node: yaml.Node, common: dict[str, Series], samples: int | None
) -> dict[str, Series]:
    """Return the series of a case: its own, and those of the file that it does not say anew."""
    found = dict(common)
    for name, _, value in reader.pairs(node, "`metrics`"):
        before = common.get(name.lower())
        series = _one_series(reader, name.lower(), value, samples)
        if series is None:
            continue
        unit, count = series.unit, series.samples
        if before is not None:
            unit = before.unit if unit is None else unit
            count = before.samples if count is None else count
        found[name.lower()] = Series(series.name, series.points, unit, count, series.span)
    return found


def _one_series(reader: _Reader, name: str, node: yaml.Node, samples: int | None) -> Series | None:
    unit: str | None = None
    values: yaml.Node | None = node
    if isinstance(node, yaml.MappingNode):
        known = ("values", "unit", "samples")
        parts = {key: value for key, _, value in reader.pairs(node, f"`{name}`", known)}
        values = parts.get("values")
        if "samples" in parts:
            samples = reader.whole(parts["samples"], "`samples`")
        if "unit" in parts:
            unit = _unit(reader, parts["unit"])
    if values is None:
        reader.wrong(node, f"`{name}` has no `values`")
        return None
    text = reader.text(values, f"`{name}`")
    if text is None:
        return None
    written = read_series(text)
    span = reader.span(values)
    quoted = int(isinstance(values, yaml.ScalarNode) and values.style in {"'", '"'})
    for misprint in written.misprints:
        column = span.column + quoted + misprint.column
        reader.wrong(Span.of_line(span.line, column, misprint.length), misprint.message)
    if unit is not None and written.unit is not None and unit != written.unit:
        reader.wrong(node, f"`{name}` has two units: `{unit}` and `{written.unit}`")
    return Series(name, written.points, written.unit or unit, samples, span)


def _longest(series: Iterable[Series]) -> int:
    return max((len(one.points) for one in series), default=0)


def _unit(reader: _Reader, node: yaml.Node) -> str | None:
    said = reader.text(node, "`unit`") or ""
    quantity = parse_quantity(f"1 {said}")
    if quantity is None:
        reader.wrong(node, f"`{said}` is no unit")
        return None
    return quantity.unit


def _case(
    reader: _Reader, node: yaml.Node, common: dict[str, Series], samples: int | None
) -> Iterator[Case]:
    parts = {
        key: value for key, _, value in reader.pairs(node, "a case", ("name", "metrics", "expect"))
    }
    name = reader.text(parts["name"], "`name`") if "name" in parts else None
    if name is None or "expect" not in parts:
        reader.wrong(node, "a case needs a `name` and an `expect`")
        return
    series = _series(reader, parts["metrics"], common, samples) if "metrics" in parts else common
    expect = _expectations(reader, parts["expect"])
    own = [one for one in series.values() if common.get(one.name) is not one]
    length = _longest(own or series.values())
    yield Case(name, reader.span(node), tuple(series.values()), expect, length)


_EXPECT = ("at", "rule", "state", "firing", "fired", "verdict")


def _expectations(reader: _Reader, node: yaml.Node) -> tuple[Expectation, ...]:
    found = []
    for item in reader.items(node, "`expect`"):
        parts = {key: value for key, _, value in reader.pairs(item, "an expectation", _EXPECT)}
        at = reader.duration_ms(parts["at"], "`at`") if "at" in parts else None
        rule = reader.text(parts["rule"], "`rule`") if "rule" in parts else None
        state = _word(reader, parts, "state", State)
        if ("rule" in parts) != ("state" in parts):
            reader.wrong(item, "`rule` and `state` go together")
        if not {"state", "firing", "fired", "verdict"} & set(parts):
            reader.wrong(
                item, "nothing is expected here", "say `state`, `firing`, `fired` or `verdict`"
            )
        found.append(
            Expectation(
                reader.span(item), at, rule, state,
                _names(reader, parts, "firing"), _names(reader, parts, "fired"),
                _word(reader, parts, "verdict", Verdict),
            )
        )  # fmt: skip
    return tuple(found)


def _names(reader: _Reader, parts: dict[str, yaml.Node], key: str) -> tuple[str, ...] | None:
    if key not in parts:
        return None
    said = [reader.text(node, "a rule") for node in reader.items(parts[key], f"`{key}`")]
    return tuple(name for name in said if name is not None)


_Word = TypeVar("_Word", bound=StrEnum)


def _word(
    reader: _Reader, parts: dict[str, yaml.Node], key: str, words: type[_Word]
) -> _Word | None:
    if key not in parts:
        return None
    said = (reader.text(parts[key], f"`{key}`") or "").lower()
    if said in {word.value for word in words}:
        return words(said)
    known = ", ".join(f"`{word.value}`" for word in words)
    reader.wrong(parts[key], f"`{said}` is no {key}", f"one of {known}")
    return None
