"""Timelines that are played come out as they say, and what does not come true is told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.judge.test_streaks import PAGE
from tests.judge.watching import a_rule, played

from gonogo.judge.buckets import Form, Shape
from gonogo.judge.course import Program, Watching, Way
from gonogo.judge.playing import play
from gonogo.judge.streaks import State
from gonogo.judge.timeline import read_timeline
from gonogo.plan.model import Consequence, Recovery
from gonogo.source import Source

FOLDER = Path(__file__).parents[1] / "timelines"
FILES = sorted(FOLDER.glob("*.yaml"))
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
