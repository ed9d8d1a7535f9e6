"""Timelines: the notation, mistakes with their places, and the faults of the search service."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.test_streaks import PAGE, table
from tests.judge.watching import a_rule

from gonogo.errors import Diagnostic, RunbookError
from gonogo.judge.buckets import Form, Shape
from gonogo.judge.course import Program, Watching, Way
from gonogo.judge.playing import Played, play
from gonogo.judge.series import MOST_POINTS, Point, read_series
from gonogo.judge.streaks import State
from gonogo.judge.timeline import read_timeline
from gonogo.plan.model import Consequence, Recovery
from gonogo.source import Source

FOLDER = Path(__file__).parents[1] / "timelines"
FILES = sorted(FOLDER.glob("*.yaml"))


def played(text: str) -> dict[str, Played]:
    return {one.case.name: one for one in play(read_timeline(Source("t.yaml", text)))}


CASES = {
    f"{path.stem}: {one.case.name}": one
    for path in FILES
    for one in play(read_timeline(Source(path.name, path.read_text(encoding="utf-8"))))
}


@pytest.mark.parametrize("name", CASES)
def test_a_timeline_comes_out_as_it_says(name: str) -> None:
    assert [difference.message for difference in CASES[name].differences] == []


def test_every_fault_is_a_case() -> None:
    assert len([name for name in CASES if name.startswith("search-faults")]) >= 18


def test_the_example_of_the_page_comes_out_as_it_says() -> None:
    example = PAGE.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert [one.differences for one in played(example).values()] == [()]


def said(points: tuple[Point | None, ...]) -> str:
    words = (
        "_" if p is None else f"{p.value}" + ("" if p.samples is None else f"@{p.samples}")
        for p in points
    )
    return " ".join(words)


@pytest.mark.parametrize(("notation", "means"), table("Timelines"))
def test_a_notation_means_what_the_table_says(notation: str, means: str) -> None:
    written = read_series(notation)
    assert (said(written.points), written.misprints, written.unit) == (means, (), None)


@pytest.mark.parametrize(
    ("text", "points", "unit"),
    [
        ("0 _ _ 1.4x3 2+1x4", "0 _ _ 1.4 1.4 1.4 1.4 2 3 4 5 6", None),
        ("-2+4x3", "-2 2 6 10", None),
        ("1-2x4", "1 -1 -3 -5 -7", None),
        ("0.1+0.1x2", "0.1 0.2 0.3", None),
        ("1+1@50x1", "1@50 2@50", None),
        ("0.4 1.5x1 %", "0.4 1.5 1.5", "%"),
        ("800 ms", "800", "ms"),
        ("5 jobs/min", "5", "jobs/min"),
        ("7x0", "7", None),
    ],
)
def test_a_series_is_read(text: str, points: str, unit: str | None) -> None:
    written = read_series(text)
    assert (said(written.points), written.unit, written.misprints) == (points, unit, ())


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 two 3", 2, "`two` is no value"),
        ("1 2+1", 2, "`2+1` is no value"),
        ("1,5", 0, "`1,5` is no value"),
        ("", 0, "at least one value"),
        ("%", 0, "at least one value"),
        ("_x0", 0, "repeats 0 times"),
        ("1x999999999", 0, "expected at most 20000"),
        ("_x20000 _ 1 1", 0, "at most 20000 values"),
    ],
)
def test_a_misprint_has_its_place(text: str, column: int, message: str) -> None:
    written = read_series(text)
    assert written.misprints[0].column == column
    assert message in written.misprints[0].message


@given(st.text("0123456789._x+-@ %ms", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_series_or_a_misprint(text: str) -> None:
    written = read_series(text)
    assert bool(written.points) or bool(written.misprints)
    assert len(written.points) <= MOST_POINTS
    for misprint in written.misprints:
        assert 0 <= misprint.column <= len(text)


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


TRUE = """
interval: 5m
start: "14:00"
samples: 5000
rules: {page: {slow: p99 > 1 s for 2 buckets}}
metrics: {p99: 0.9 1.5x1 0.9 s}
"""
WHY = ": p99 1.5 s, expected <= 1 s (2 of 2 buckets: 14:05, 14:10)"


@pytest.mark.parametrize(
    ("expect", "differences"),
    [
        ("{at: 899s, rule: page/slow, state: pending}", []),
        ("{at: 15m, rule: page/slow, state: firing}", []),
        (
            "{at: 15m, rule: page/slow, state: pending}",
            ["`page/slow` is firing, expected pending" + WHY],
        ),
        ("{at: 0m, rule: page/slow, state: inactive}", []),
        (
            "{at: 5m, rule: page/slow, state: firing}",
            ["`page/slow` is inactive, expected firing"],
        ),
        (
            "{firing: []}",
            ["`page/slow` fired at 14:15, not expected to be firing" + WHY],
        ),
        (
            "{at: 10m, fired: [page/slow]}",
            ["`page/slow` is not among those that fired as expected"],
        ),
        ("{verdict: go}", ["the verdict is hold, expected go"]),
        ("{at: 1h, fired: []}", ["the series end before this moment"]),
    ],
)  # fmt: skip
def test_what_does_not_come_true_is_told(expect: str, differences: list[str]) -> None:
    [one] = played(TRUE + f"expect:\n  - {expect}\n").values()
    assert [found.message for found in one.differences] == differences
    assert {found.span.line for found in one.differences} <= {8}


NOTHING_FIRED = "no trigger fired while a watch was on, so nothing is rolled back; expected "
MS = Form(Shape.SAMPLES, "ms")
BACK = """
start: "23:45"
samples: 5000
rules: {rollback: {slow: p99 > 1 s for 2 buckets}, objective: {quick: p99 < 0.8 s}}
"""


@pytest.mark.parametrize(
    ("series", "expect", "differences"),
    [
        # bad at 23:50 and 23:55, so it fires at 00:00; the bucket that is open then is left out
        ("0.5 1.5x1 0.5", "{recovered: 00:10}", []),
        ("0.5 1.5x1 0.5", "{recovered: 25m, verdict: no-go}", []),
        ("0.5 1.5x1 0.5x9", "{recovered: 00:10}", []),
        ("0.5 1.5x1 0.5", "{recovered: 00:15}", ["recovered at 00:10; expected at 00:15"]),
        ("0.5 1.5x1 0.5", "{recovered: never}", ["recovered at 00:10; expected `never`"]),
        ("0.5 1.5x3 0.9 0.5", "{recovered: 00:20}", []),
        ("0.5 1.5", "{recovered: never}", [NOTHING_FIRED + "`never`"]),
        ("0.5 1.5x1", "{recovered: never}", []),
        (
            "0.5 1.5x1 0.9",  # neither a trigger nor what was promised
            "{recovered: 00:10}",
            ["not recovered, bad to the end at 00:35: p99 0.9 s, expected < 0.8 s;"
             " expected at 00:10"],
        ),
        ("0.5 1.5x1 _", "{recovered: asked}", []),
        (
            "0.5 1.5x1 _",
            "{recovered: never}",
            ["not known at 00:35, a person is asked: p99 unknown: no data, expected <= 1 s;"
             " p99 unknown: no data, expected < 0.8 s; expected `never`"],
        ),
        ("0.5 1.5x1 _x4 0.5", "{recovered: 00:25}", []),
    ],
)  # fmt: skip
def test_when_going_back_is_over(series: str, expect: str, differences: list[str]) -> None:
    text = f"{BACK}metrics: {{p99: {series} s}}\nexpect:\n  - {expect}\n"
    [one] = played(text).values()
    assert [found.message for found in one.differences] == differences


def test_a_series_that_ends_before_its_case_is_silent_behind_the_trigger() -> None:
    text = BACK.replace("quick: p99 < 0.8 s", "few: load < 5").replace("samples: 5000", "")
    said = "metrics: {p99: 0.5@500 1.5@500x1 0.5@500x2 s, load: {values: 1x1, samples: 9}}\n"
    [one] = played(text + said + "expect: [{recovered: asked}]\n").values()
    assert one.differences == ()
    [one] = played(text + said.replace("1x1", "1x4") + "expect: [{recovered: 00:10}]\n").values()
    assert one.differences == ()


def test_the_green_buckets_and_the_way_back_are_those_of_the_runbook() -> None:
    rule = a_rule("response time p99 > 1.2s for 2 buckets", Consequence.ROLLBACK, "rollback/slow")
    forms = {"response time": Form(Shape.SAMPLES, "ms")}
    program = Program(way=Way("back", 420), recovery=Recovery(2))
    text = "samples: 500\nmetrics: {p99: 800 1300x1 800}\nexpect: [{recovered: 00:35}]\n"
    source = read_timeline(Source("t.yaml", text))
    [one] = play(source, [rule], forms, program=program)
    assert one.differences == ()
    [one] = play(source, [rule], forms, program=Program(way=Way(exists=False)))
    assert [found.message for found in one.differences] == [
        "the runbook has no way back; expected at 00:35"
    ]


TWO = Program((Watching("hour", "First hour", 3), Watching("day", "First day", 9)), 10_000)


def in_two_watches(series: str, expect: str) -> list[str]:
    common = a_rule("p99 > 1.2 s", Consequence.PAGE, "page/slow")
    mine = replace(a_rule("p99 < 1 s", Consequence.OBJECTIVE, "objective/hour"), phase="hour")
    hers = replace(a_rule("p99 < 0.9 s", Consequence.OBJECTIVE, "objective/day"), phase="day")
    text = f"samples: 500\nmetrics: {{p99: {series}}}\nexpect:\n  - {expect}\n"
    rules = [mine, hers, common]
    [one] = play(read_timeline(Source("t.yaml", text)), rules, {"": MS}, program=TWO)
    return [found.message for found in one.differences]


@pytest.mark.parametrize(
    ("series", "expect"),
    [
        pytest.param("950x2 ms", "{fired: [], verdict: go}", id="good-in-the-first"),
        pytest.param("950x4 ms", "{fired: [objective/day], verdict: no-go}", id="bad-in-the-next"),
        pytest.param("950x3 800 ms", "{fired: [], verdict: go}", id="between-the-two"),
        pytest.param("1100 800x5 ms", "{fired: [objective/hour], verdict: no-go}", id="remembered"),
        pytest.param(
            "1100x2 800 ms", "{rule: objective/hour, state: firing}", id="stays-as-it-was"
        ),
        pytest.param("800x2 1300 800 ms", "{fired: [page/slow], verdict: hold}", id="of-both"),
    ],
)
def test_several_watches_are_played_one_after_the_other(series: str, expect: str) -> None:
    assert in_two_watches(series, expect) == []


@pytest.mark.parametrize(("at", "state"), [("14:00", State.PENDING), ("14:05", State.FIRING)])
def test_too_few_samples_fill_no_window(at: str, state: State) -> None:
    few = "0.9 1.5@99 1.5 0.9 s" if at == "14:00" else "0.9 1.5@100 1.5 0.9 s"
    text = TRUE.replace("0.9 1.5x1 0.9 s", few)
    [one] = played(text + f"expect:\n  - {{at: 15m, rule: page/slow, state: {state}}}\n").values()
    assert one.differences == ()


def test_rules_and_units_may_come_from_a_runbook() -> None:
    rule = a_rule("response time p99 > 1.2s for 2 buckets", Consequence.ROLLBACK, "rollback/slow")
    text = "samples: 500\nmetrics: {p99: 800 1300x1}\n"
    text += "expect:\n  - {fired: [rollback/slow], verdict: no-go}\n"
    forms = {"response time": Form(Shape.SAMPLES, "ms")}
    [one] = play(read_timeline(Source("t.yaml", text)), [rule], forms)
    assert one.differences == ()


@pytest.mark.parametrize("name", ["p99 response time", "response time p99", "Response Time P99"])
def test_a_series_is_named_as_in_a_rule(name: str) -> None:
    text = TRUE.replace("p99 > 1 s", "response time p99 > 1 s").replace("{p99:", f"{{{name}:")
    [one] = played(text + "expect: [{fired: [page/slow]}]\n").values()
    assert one.differences == ()


def test_a_start_may_have_a_day_and_a_metric_its_samples() -> None:
    text = TRUE.replace('"14:00"', "2026-03-01T15:00+01:00").replace("samples: 5000", "")
    text = text.replace("0.9 1.5x1 0.9 s", "{values: 0.9 1.5x1 0.9 s, samples: 99}")
    [few] = played(text + "expect: [{fired: []}]\n").values()
    [enough] = played(text.replace("99}", "100}") + "expect: [{fired: [page/slow]}]\n").values()
    assert few.differences == enough.differences == ()
    assert enough.moves[0].reason.endswith("(1 of 2 buckets: 14:05)")


@pytest.mark.parametrize("rule", ["max waiting > 1 s", """'"max waiting" > 1 s"""])
def test_a_metric_may_have_a_statistic_in_its_name(rule: str) -> None:
    end = " for 2 buckets" + ("'" if rule.startswith("'") else "")
    text = TRUE.replace("p99 > 1 s for 2 buckets", rule + end).replace("{p99:", "{max waiting:")
    [one] = played(text + "expect: [{fired: [page/slow]}]\n").values()
    assert one.differences == ()


def test_a_case_lasts_as_long_as_its_own_series() -> None:
    text = (
        TRUE
        + "cases:\n  - {name: short, metrics: {p99: 0.9 1.5}, expect: [{at: 10m, fired: []}]}\n"
    )
    assert [one.differences for one in played(text).values()] == [()]
    assert len(CASES) == len({re.sub(r"\W", "", name) for name in CASES})
