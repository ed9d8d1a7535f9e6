"""A day of a watch in a few lines: series of values, the rules, and what is expected of them.

A team keeps such files beside its runbook and tests its own triggers with them. Reading one gives
a `Timeline` or all of its mistakes, each with its place; `gonogo.judge.playing` plays it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import yaml

from gonogo.errors import RunbookError, Severity
from gonogo.judge.expected import Expectation, Frame, read_expectations
from gonogo.judge.nodes import Nodes
from gonogo.judge.series import Point, read_series
from gonogo.plan.grammar import not_a_condition, read
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.units import parse_quantity
from gonogo.source import Source, Span


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one figure: `p99`, `error rate`, `response time p95`."""

    name: str
    points: tuple[Point | None, ...]
    unit: str | None
    samples: int | None  # behind each value that does not say its own
    span: Span


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


def read_timeline(source: Source) -> Timeline:
    """Read a timeline.

    Raises:
        RunbookError: with every mistake and its place.
    """
    reader = Nodes(source)
    root = reader.compose()
    timeline = None if root is None else _timeline(reader, root)
    if reader.diagnostics or timeline is None:
        raise RunbookError(source, reader.diagnostics)
    return timeline


_KEYS = ("interval", "start", "samples", "rules", "metrics", "expect", "cases")


def _timeline(reader: Nodes, root: yaml.Node) -> Timeline:
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
    frame = Frame(start, interval)
    expect = read_expectations(reader, parts["expect"], frame) if "expect" in parts else ()
    cases: list[Case] = []
    if "cases" in parts:
        file = _File(common, samples, frame)
        for node in reader.items(parts["cases"], "`cases`"):
            cases += _case(reader, node, file)
    if expect or not cases:
        if not expect and not reader.diagnostics:
            reader.wrong(root, "nothing is expected", "add `expect:` or `cases:`")
        series = tuple(common.values())
        cases.insert(0, Case("timeline", reader.span(root), series, expect, _longest(series)))
    return Timeline(reader.source, interval, start, rules, tuple(cases))


def _start(reader: Nodes, node: yaml.Node) -> int:
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


def _rules(reader: Nodes, node: yaml.Node) -> Iterator[Rule]:
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


def _rule(reader: Nodes, name: str, kind: Consequence, node: yaml.Node) -> Rule | None:
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
    reader: Nodes, node: yaml.Node, common: dict[str, Series], samples: int | None
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


def _one_series(reader: Nodes, name: str, node: yaml.Node, samples: int | None) -> Series | None:
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


def _unit(reader: Nodes, node: yaml.Node) -> str | None:
    said = reader.text(node, "`unit`") or ""
    quantity = parse_quantity(f"1 {said}")
    if quantity is None:
        reader.wrong(node, f"`{said}` is no unit")
        return None
    return quantity.unit


@dataclass(frozen=True, slots=True)
class _File:
    """What stands above the cases and is for all of them."""

    series: dict[str, Series]
    samples: int | None
    frame: Frame


def _case(reader: Nodes, node: yaml.Node, file: _File) -> Iterator[Case]:
    parts = {
        key: value for key, _, value in reader.pairs(node, "a case", ("name", "metrics", "expect"))
    }
    name = reader.text(parts["name"], "`name`") if "name" in parts else None
    if name is None or "expect" not in parts:
        reader.wrong(node, "a case needs a `name` and an `expect`")
        return
    common, series = file.series, file.series
    if "metrics" in parts:
        series = _series(reader, parts["metrics"], common, file.samples)
    expect = read_expectations(reader, parts["expect"], file.frame)
    own = [one for one in series.values() if common.get(one.name) is not one]
    length = _longest(own or series.values())
    yield Case(name, reader.span(node), tuple(series.values()), expect, length)
