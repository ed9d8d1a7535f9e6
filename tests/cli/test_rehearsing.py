"""`gonogo rehearse`: which faults are told when, and when the release is rolled back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.rehearsals import EXAMPLES, Said, as_json, clock

from gonogo.cli.load import load
from gonogo.judge.course import (
    LONGER,
    course_of,
    form_of,
    is_watched,
    planned,
    sources_of,
    width_ms,
)
from gonogo.run import watching

# For each fault of the search service: what is told when, and whether it is rolled back.
FAULTS = {
    "p95: 400 700x1 400x2, p99: 800 900x1 800x2": (["warn 14:15"], None),
    "error rate: 0.4 1.5x1 0.4": ([], "14:15"),
    "error rate: 0.4 3x1 0.4": (["page 14:15"], "14:15"),
    "error rate: 0.4 8 0.4": (["critical 14:10"], None),
    "error rate: 0.4 8x1 0.4": (["critical 14:10", "page 14:15"], "14:15"),
    "p99: 800 1300x1 800": (["page 14:15"], "14:15"),
    "p99: 800 2100 800": (["critical 14:10"], None),
    "cache hit rate: 62 15x1 62": ([], "14:15"),
    "cache hit rate: 62 25x1 62": ([], None),
    "refresh failures: 0 2 0": ([], None),
    "refresh failures: 0 3 0": ([], "14:10"),
    "error rate: 0.4 1.5 0.4 1.5 0.4": ([], None),
    "error rate: 0.4 1.0x1 0.4, p99: 800 1200x1 800, cache hit rate: 62 20x1 62": ([], None),
    "error rate: 0.4 2.0 0.4": ([], None),
    "error rate: 0.4 1.5 _ 0.4": (["warn 14:15"], None),
    "error rate: 0.4 1.5 _ 1.5": (["warn 14:15"], "14:20"),
}


def test_what_is_rehearsed_is_the_watch_that_a_run_would_have() -> None:
    plan = load(str(EXAMPLES / "watch.md"))
    phase = next(phase for phase in plan.phases if is_watched(plan, phase))
    course = course_of(plan)
    assert course.planned == planned(plan, phase)
    assert course.width_ms == width_ms(plan)
    assert len(watching.slot_names(plan, phase)) == 1 + course.planned + LONGER
    assert course.rules == plan.rules
    sources = sources_of(plan)
    assert course.forms == {name: form_of(source) for name, source in sources.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_and_rolled_back_as_it_must(said: Said, fault: str) -> None:
    alerts, rollback = FAULTS[fault]
    common = (
        'start: "14:00"\nsamples: 5000\n'
        "metrics: {p95: 400 ms, p99: 800 ms, error rate: 0.4 %, cache hit rate: 62 %,"
        " refresh failures: 0}\n"
    )
    # no series is longer than the fault: the last value lasts to the end of the watch
    case = f"cases: [{{name: fault, metrics: {{{fault}}}, expect: [{{fired: []}}]}}]\n"
    Path("fault.yaml").write_text(common + case, encoding="utf-8")
    (story,) = as_json(said, "rehearse", "watch.md", "--timeline", "fault.yaml")["stories"]
    told = [
        f"{a['severity']} {clock(a['at_ms'])}" for a in story["alerts"] if a["rule"] != "rollback"
    ]
    assert told == alerts
    assert (story["rollback"] and clock(story["rollback"]["at_ms"])) == rollback
    assert story["buckets"] == (288 if rollback is None else _buckets(rollback))


def _buckets(clock: str) -> int:
    hours, minutes = clock.split(":")
    return ((int(hours) - 14) * 60 + int(minutes)) // 5


def test_without_a_timeline_every_rule_and_metric_has_its_story(said: Said) -> None:
    found = as_json(said, "rehearse", "watch.md")
    stories = {story["name"]: story for story in found["stories"]}
    rules = {story["rule"] for story in found["stories"] if story["rule"]}
    assert (found["planned"], len(rules)) == (288, 11)
    assert stories["all good"]["verdict"] == "go"
    for name in ("response time", "error rate", "cache hit rate", "refresh failures"):
        assert stories[f"{name} is silent"]["verdict"] == "hold"
    for rule in rules:
        fired = {move["rule"] for move in stories[rule]["moves"] if move["after"] == "firing"}
        assert rule in fired


def test_a_rollback_is_shown_with_its_time_and_the_delay(said: Said) -> None:
    _, out, _ = said("rehearse", "watch.md")
    story = out.split("\nrollback/error-rate-1-for-2-consecutive-5-minute-buckets\n")[1]
    shown = " ".join(story.split("\n\n")[0].split())
    assert "rollback at 00:20, 10 min after the fault; then the figures are good again" in shown


def test_a_rollback_that_a_person_decides_says_so(said: Said) -> None:
    text = Path("watch.md").read_text(encoding="utf-8")
    Path("ask.md").write_text(
        text.replace("gonogo: 1\n", "gonogo: 1\nrollback: ask\n"), encoding="utf-8"
    )
    assert "; a person is asked first" in said("rehearse", "ask.md")[1]
    assert as_json(said, "rehearse", "ask.md")["rollback"] == "ask"


def test_a_rule_that_no_value_breaks_has_no_story_and_says_so(said: Said) -> None:
    text = Path("watch.md").read_text(encoding="utf-8")
    Path("never.md").write_text(text.replace("failures > 2", "failures < 0"), encoding="utf-8")
    _, out, _ = said("rehearse", "never.md")
    assert "no scripted fault: rollback/refresh-failures-0\n" in out
