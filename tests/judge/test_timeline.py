"""Mistakes in a timeline: each is told with its line, and all of them at once."""

from __future__ import annotations

import pytest
from tests.judge.watching import played

from gonogo.errors import Diagnostic, RunbookError

RULES = "rules: {page: {slow: p99 > 1 s for 2 buckets}}\n"
EXPECT = "expect: [{fired: []}]\n"
MISTAKES = {
    "nothing": ("", 1, "the timeline is empty"),
    "no mapping": ("- 1", 1, "a timeline must be a mapping"),
    "broken": ("a: [", 1, "this is not YAML"),
    "alias": ("interval: &a 5m\nstart: *a\n" + EXPECT, 2, "anchors are not understood"),
    "unknown key": ("intervall: 5m\n" + EXPECT, 1, "`intervall` is not known in a timeline"),
    "key twice": ("interval: 5m\ninterval: 6m\n" + EXPECT, 2, "`interval` stands twice"),
    "no unit": ("interval: 5\n" + EXPECT, 1, "`5` is no time"),
    "no width": ("interval: 0s\n" + EXPECT, 1, "has no slices"),
    "no whole width": ("interval: 1us\n" + EXPECT, 1, "no whole number of milliseconds"),
    "off the grid": ("start: 14:02\n" + EXPECT, 1, "does not lie on the grid"),
    "no moment": ("start: noon\n" + EXPECT, 1, "`noon` is no moment"),
    "a list for a time": ("interval: [5m]\n" + EXPECT, 1, "must be one line of text"),
    "a tab": ("interval: \x00\n" + EXPECT, 1, "this is not YAML that can be read"),
    "an odd escape": ('interval: "\\UFFFFFFFF"\n' + EXPECT, 1, "this is not YAML that can be read"),
    "beyond all characters": ('start: "\\U00110000"\n' + EXPECT, 1, "not YAML that can be read"),
    "a version without end": ("%YAML 1." + "1" * 5_000 + "\n---\n" + EXPECT, 1, "not YAML"),
    "deep": ("interval: " + "[" * 100_000, 1, "nested deeper than 12 levels"),
    "deep and closed": ("interval: " + "[" * 900 + "]" * 900, 1, "nested deeper"),
    "a list for a rule": ("rules: {page: [[p99 > 1 s]]}\n" + EXPECT, 1, "one line of text"),
    "no count": ("samples: many\n" + EXPECT, 1, "`samples` must be a whole number"),
    "unknown consequence": ("rules: {scream: [p99 > 1 s]}\n" + EXPECT, 1, "`scream` is not known"),
    "no condition": ("rules: {page: [all is well]}\n" + EXPECT, 1, "states no condition"),
    "bad condition": ("rules: {page: ['p99 > 1,5 s']}\n" + EXPECT, 1, "1,5"),
    "misprint": (RULES + "metrics: {p99: 1 two s}\n" + EXPECT, 2, "`two` is no value"),
    "quoted misprint": (RULES + 'metrics: {p99: "1 two s"}\n' + EXPECT, 2, "`two` is no value"),
    "no values": (RULES + "metrics: {p99: {unit: s}}\n" + EXPECT, 2, "`p99` has no `values`"),
    "bad unit": (RULES + "metrics: {p99: {values: 1, unit: sq!}}\n" + EXPECT, 2, "is no unit"),
    "two units": (RULES + "metrics: {p99: {values: 1 ms, unit: s}}\n" + EXPECT, 2, "two units"),
    "a list of values": (RULES + "metrics: {p99: [1, 2]}\n" + EXPECT, 2, "one line of text"),
    "nothing expected": (RULES + "metrics: {p99: 1 s}\n", 1, "nothing is expected"),
    "empty expectation": (RULES + "expect: [{at: 5m}]\n", 2, "nothing is expected here"),
    "half a pair": (RULES + "expect: [{rule: page/slow, fired: []}]\n", 2, "go together"),
    "bad state": (
        RULES + "expect: [{rule: page/slow, state: burning}]\n",
        2,
        "`burning` is no state",
    ),
    "bad verdict": (RULES + "expect: [{verdict: maybe}]\n", 2, "`maybe` is no verdict"),
    "no such moment": (RULES + "expect: [{recovered: soon}]\n", 2, "`soon` is no moment"),
    "no moment at all": (RULES + "expect: [{recovered: ''}]\n", 2, "must be one line of text"),
    "a list of moments": (RULES + "expect: [{recovered: [14:00]}]\n", 2, "one line of text"),
    "25 o'clock": (RULES + "expect: [{recovered: 25:00}]\n", 2, "`25:00` is no moment"),
    "recovered before it began": (RULES + "expect: [{recovered: -5m}]\n", 2, "is no moment"),
    "recovered in percent": (RULES + "expect: [{recovered: 5 %}]\n", 2, "`5 %` is no moment"),
    "within a bucket": (RULES + "expect: [{recovered: 00:12}]\n", 2, "not the end of a bucket"),
    "a time within a bucket": (RULES + "expect: [{recovered: 7m}]\n", 2, "not the end of a bucket"),
    "two moments": (RULES + "expect: [{recovered: 20m, at: 20m}]\n", 2, "do not go together"),
    "case without name": (RULES + "cases: [{expect: []}]\n", 2, "a case needs a `name`"),
    "no list": (RULES + "expect: {fired: []}\n", 2, "`expect` must be a list"),
}


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(RunbookError) as caught:
        played(text)
    return caught.value.diagnostics


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_timeline_has_its_line(name: str) -> None:
    text, line, message = MISTAKES[name]
    found = mistakes(text)
    assert (found[0].span.line, message in found[0].message) == (line, True), found


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_a_misprint_is_marked_where_it_stands(quote: str) -> None:
    line = f"metrics: {{p99: {quote}1 two s{quote}}}"
    [found] = mistakes(f"{RULES}{line}\n{EXPECT}")
    assert line[found.span.column - 1 : found.span.end_column - 1] == "two"


def test_all_mistakes_are_told_at_once() -> None:
    text = "interval: 5\nsamples: x\n" + RULES + "metrics: {p99: 1 two 3 four s}\n" + EXPECT
    assert [d.span.line for d in mistakes(text)] == [1, 2, 4, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULES + "metrics: {p98: 1 s}\n" + EXPECT, "no rule asks for `p98`"),
        (RULES + "expect: [{fired: [page/fast]}]\n", "no rule is named `page/fast`"),
        (RULES + "metrics: {p99: 1 %}\n" + EXPECT, "`p99` is in `%`, compared with 1 s"),
        (
            "rules: {page: [p99 > 1 s, p99 > 900 ms]}\nmetrics: {p99: '1'}\n" + EXPECT,
            "the unit of `p99` is not clear",
        ),
        (
            "rules: {page: [front p99 > 1 s, back p99 > 1 s]}\nmetrics: {p99: 1 s}\n" + EXPECT,
            "several rules ask for `p99`",
        ),
        (
            "rules: {page: [front p99 > 1 s, front p95 > 1 s]}\n"
            "metrics: {front p99: 1 s, front p95: 1 ms}\n" + EXPECT,
            "`front` has two units",
        ),
        (
            "interval: 1m\nrules: {page: [p99 > 1 s for 2 5-minute buckets]}\n" + EXPECT,
            "the rule counts buckets of 300 s, the watch has buckets of 60 s",
        ),
    ],
)  # fmt: skip
def test_series_and_rules_must_fit(text: str, message: str) -> None:
    assert message in mistakes(text)[0].message
