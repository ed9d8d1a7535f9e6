"""Laws of the condition language: total, linear, and printed so that it reads back the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gonogo.errors import Severity
from gonogo.plan.condition import (
    Condition,
    Join,
    Null,
    Op,
    Predicate,
    Quantifier,
    Recorded,
    Relative,
    Value,
    Version,
    Window,
)
from gonogo.plan.grammar import read, read_lead
from gonogo.plan.grammar_severity import CLOCKED
from gonogo.plan.units import UNITS, Quantity
from gonogo.plan.words import SEVERITIES
from gonogo.source import Span

AT = Span.of_line(1, 1)
NUMBERS = st.decimals(min_value=Decimal(0), max_value=Decimal(99999999), allow_nan=False, places=3)
UNIT = st.sampled_from([*sorted(set(UNITS.values()) - {"x"}), "", "$", "jobs/min", "rows"])
QUANTITIES = st.builds(Quantity, NUMBERS, UNIT)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20
)
WORDS = st.sampled_from(
    [
        "error",
        "rate",
        "latency",
        "checkout",
        "page",
        "load",
        "cache",
        "hit",
        "cpu",
        "queue",
        "depth",
        "open",
        "failed",
        "jobs",
        "in",
        "and",
        "or",
        "no",
        "under",
        "status",
        "has_index",
        "body.checks[0].name",
        "errors",
        "test",
        "critical",
        "p95",
        "max",
        "for",
    ]
)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join) | TEXTS.map(str.lower).map(
    lambda t: " ".join(t.split())
).filter(bool)
STATS = st.sampled_from([None, None, "p50", "p95", "p99.9", "avg", "median", "max", "min"])
ORDERED = st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE])


KINDS = ["number", "text", "bool", "null", "range", "factor", "version", "recorded"]


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[Op, Value]:
    kind = draw(st.sampled_from(KINDS))
    if kind == "number":
        return draw(ORDERED), draw(QUANTITIES)
    if kind == "factor":
        return draw(ORDERED), Relative(draw(NUMBERS))
    if kind == "recorded":
        return draw(ORDERED | st.sampled_from([Op.CONTAINS, Op.LACKS])), Recorded(draw(NAMES))
    if kind == "version":
        return draw(ORDERED), Version(
            ".".join(map(str, draw(st.lists(st.integers(0, 99), min_size=3, max_size=4))))
        )
    if kind == "range":
        low, high = sorted(draw(st.tuples(NUMBERS, NUMBERS)))
        unit = draw(UNIT)
        return Op.BETWEEN, (Quantity(low, unit), Quantity(high, unit))
    op = draw(st.sampled_from([Op.EQ, Op.NE]))
    if kind == "bool":
        return op, draw(st.booleans())
    if kind == "null":
        return draw(st.sampled_from([(op, Null()), (Op.EXISTS, Null()), (Op.ABSENT, Null())]))
    return draw(st.sampled_from([op, Op.CONTAINS, Op.LACKS])), draw(TEXTS)


@st.composite
def predicates(draw: st.DrawFn) -> Predicate:
    op, value = draw(comparisons())
    quantifier = draw(st.sampled_from([None, None, Quantifier.EVERY, Quantifier.ANY]))
    return Predicate(draw(NAMES), draw(STATS), op, value, AT, quantifier)


COUNTS = st.integers(1, 20)
SECONDS = st.integers(1, 100_000).map(Decimal)
WINDOWS = st.one_of(
    st.none(),
    st.builds(Window, count=COUNTS, consecutive=st.booleans(), bucket_s=st.none() | SECONDS),
    st.builds(
        lambda n, more, size: Window(count=n, of=n + more, bucket_s=size),
        COUNTS,
        COUNTS,
        st.none() | SECONDS,
    ),
    st.builds(Window, consecutive=st.booleans(), seconds=SECONDS),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    said = tuple(draw(st.lists(predicates(), min_size=1, max_size=3)))
    join = draw(st.sampled_from(Join)) if len(said) > 1 else Join.ALL
    severity = draw(st.none() | st.sampled_from(sorted(set(SEVERITIES.values()))))
    seconds = st.sampled_from([90, 900, 14_400, 86_400, 604_800]).map(Decimal)
    clock = draw(st.none() | seconds) if severity in CLOCKED else None
    return Condition(join, said, draw(WINDOWS), severity, "", AT, clock)


@given(conditions())
@settings(max_examples=150, deadline=None)
def test_what_is_said_is_read_back(condition: Condition) -> None:
    said = condition.say()
    assume(len(said) <= 2000)
    reading = read(said, AT)
    assert reading.condition is not None, (said, reading.diagnostics)
    assert reading.condition.as_json() == condition.as_json()
    assert [p.value for p in reading.condition.predicates] == [
        p.value for p in condition.predicates
    ]
    assert reading.condition.window == condition.window
    assert reading.condition.say() == said


PIECES = st.sampled_from(
    [
        "error",
        "rate",
        "p95",
        "p99",
        "<",
        ">",
        "<=",
        ">=",
        "=",
        "!=",
        "5",
        "500ms",
        "1.2s",
        "95",
        "%",
        "$",
        "10x",
        "baseline",
        "for",
        "2",
        "of",
        "3",
        "consecutive",
        "5-minute",
        "buckets",
        "or",
        "and",
        ",",
        ";",
        ":",
        ".",
        "(",
        ")",
        "[",
        "]",
        "→",
        "-",
        "no",
        "zero",
        "all",
        "pods",
        "Running",
        "returns",
        "404",
        "is",
        "not",
        "between",
        "in",
        "every",
        "row",
        "unless",
        "if",
        "within",
        "over",
        "under",
        "at",
        "least",
        "most",
        "+",
        '"',
        "'",
        "/",
        "matches",
        "contains",
        "1,5",
        "33,584",
        "X",
        "page",
        "critical",
        "[P1]",
        "minimum",
        "then",
        "jobs/min",
        "per",
        "request",
        "5xx",
        "&lt;",
        "*",
        "`",
        "|",
        "true",
        "null",
        "exists",
        "2.4.0",
        "95th",
        "percentile",
        "average",
        "Docker",
        "24.0+",
        "wait",
        "30",
        "s",
        "<sha>",
        "...",
        "k",
        "0",
    ]
)


@given(st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=250, deadline=None)
def test_any_heap_of_words_gives_a_reading(text: str) -> None:
    check_total(text)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_reading(text: str) -> None:
    check_total(text)


def check_total(text: str) -> None:
    reading = read(text, AT)
    read_lead(text, AT)
    failed = any(d.severity is Severity.ERROR for d in reading.diagnostics)
    assert not (failed and reading.condition is not None)
    assert not failed or reading.smells
    for diagnostic in reading.diagnostics:
        assert 1 <= diagnostic.span.column <= max(len(text), 1) + 1
    if reading.condition is not None:
        again = read(reading.condition.say(), AT).condition
        assert again is not None, reading.condition.say()
        assert again.as_json() == reading.condition.as_json(), reading.condition.say()


@pytest.mark.parametrize(
    "piece",
    [
        "(", ")", '"', '\\"', "'", "/", "matches /", "1,", "9", "9.", "9,9", "for ", "of ", "a ",
        "or ", "and ", "no ", "no a or ", "< ", "between 1 and ", "&lt;", "&", "*", "_", "[", "- ",
        "p95 ", "is ", "not ", "5 % of the ", "x.", "x[1]", "2 of 3 ", "≥", "⚠️", "if ", ": ", "→ ",
        "error rate > 1 % or ", "p(", "v1.", "5-", "1/", "returns 404 ", "\u202f1", "all a ", "0 ",
    ],
)  # fmt: skip
def test_a_hundred_kilobytes_are_read_in_one_pass(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    reading = read(text, AT)
    read_lead(text, AT)
    assert reading.condition is None
