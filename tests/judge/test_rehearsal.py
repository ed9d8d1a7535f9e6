"""Rehearsals: what each scripted story comes to, in one watch or several, and on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.judge.watching import FORMS, WIDTH, a_rule

from gonogo.judge.candidates import is_breach
from gonogo.judge.course import LONGER, Course, Program, Watching, Way
from gonogo.judge.green import Outcome
from gonogo.judge.rehearsal import (
    FROM,
    Point,
    Rehearsed,
    Stage,
    Story,
    bad_values,
    good_values,
    rehearse,
    stage_of,
    stories,
)
from gonogo.judge.streaks import pattern_of
from gonogo.judge.verdict import Verdict
from gonogo.plan.model import Consequence, Recovery, Rule


def a_stage(*rules: Rule, planned: int = 6, program: Program | None = None) -> Stage:
    return stage_of(Course(rules, {}, FORMS, WIDTH, planned, program=program or Program()))


def of_story(played: Sequence[Rehearsed], name: str) -> Rehearsed:
    return next(one for one in played if one.story.name == name)


RULES = (
    a_rule("response time p95 < 500 ms", Consequence.OBJECTIVE),
    a_rule("error rate < 1 %", Consequence.OBJECTIVE),
    a_rule("load >= 30", Consequence.OBJECTIVE),
    a_rule("response time p99 > 1200 ms or error rate > 2 % for 2 buckets", Consequence.PAGE),
    a_rule("response time p99 > 2 s or error rate > 5 %", Consequence.CRITICAL),
    a_rule("error rate > 1 % for 2 consecutive 5-minute buckets"),
    a_rule("load < 20 for 2 of 3 buckets"),
    a_rule("failures > 2"),
)


def test_good_values_are_good_for_every_rule() -> None:
    stage = a_stage(*RULES)
    good = good_values(stage)
    assert [rule.id for rule in stage.rules if is_breach(rule, good, stage.forms)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_values_are_bad_for_their_rule_and_change_one_figure(rule: Rule) -> None:
    stage = a_stage(*RULES)
    good = good_values(stage)
    bad = bad_values(stage, rule, good)
    assert bad is not None
    assert len(bad) == 1
    assert is_breach(rule, {**good, **bad}, stage.forms)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_scripted_fault_fires_its_rule_when_its_window_is_full(rule: Rule) -> None:
    stage = a_stage(*RULES)
    played = of_story([rehearse(stage, story) for story in stories(stage)], rule.id)
    fired = played.fired(rule.id)
    need = pattern_of(rule.condition.window, WIDTH).need
    assert fired is not None
    assert fired.closed_ms == (FROM - 1 + need) * WIDTH


def test_all_good_is_go_and_tells_nobody() -> None:
    stage = a_stage(*RULES, planned=288)
    played = rehearse(stage, stories(stage)[0])
    assert (played.moves, played.alarms, played.verdict) == ((), (), Verdict.GO)
    assert played.slices == 288


def test_a_rollback_ends_the_watch_and_is_an_alert_though_none_is_written() -> None:
    stage = a_stage(a_rule("error rate > 1 % for 2 buckets"))
    played = of_story([rehearse(stage, s) for s in stories(stage)], stage.rules[0].id)
    assert played.rolled_back is not None
    assert [(a.rule, a.at_ms) for a in played.alarms] == [("rollback", 4 * WIDTH)]
    assert (played.slices, played.verdict) == (4, Verdict.NO_GO)


@pytest.mark.parametrize(
    ("window", "fires"), [(" for 2 buckets", False), (" for 2 of 3 buckets", True)]
)
def test_bad_good_bad_fires_only_where_it_need_not_be_consecutive(window: str, fires: bool) -> None:
    stage = a_stage(a_rule(f"error rate > 1 %{window}"))
    name = f"{stage.rules[0].id}: bad, good, bad"
    played = of_story([rehearse(stage, s) for s in stories(stage)], name)
    assert (played.rolled_back is not None) is fires


def test_silence_pages_and_is_never_a_go() -> None:
    stage = a_stage(*RULES)
    played = of_story([rehearse(stage, s) for s in stories(stage)], "load is silent")
    told = [(a.rule, a.severity.value) for a in played.alarms]
    assert told == [("no-data/load", "warn"), ("blind/load", "page")]
    assert played.verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("last", "slices", "rolls_back"),
    [
        pytest.param([1, 9], 4, True, id="the-streak-fills"),
        pytest.param([1, 9, 1], 4, False, id="the-streak-breaks"),
    ],
)
def test_a_watch_does_not_end_in_an_open_streak(
    last: list[int], slices: int, rolls_back: bool
) -> None:
    stage = a_stage(a_rule("load > 5 for 2 buckets"), planned=3)
    points = [Point(Decimal(value)) for value in [1, *last]]
    played = rehearse(stage, Story("late", "", {("load", ""): points}))
    assert (played.slices, played.rolled_back is not None) == (slices, rolls_back)


def test_a_watch_that_never_settles_ends_all_the_same() -> None:
    stage = a_stage(a_rule("load > 5 for 40 buckets"), planned=3)
    played = rehearse(stage, Story("bad", "", {("load", ""): [Point(Decimal(9))]}))
    assert played.slices == 3 + LONGER


def test_an_amount_is_rehearsed_in_the_unit_that_is_asked_for_first() -> None:
    first, second = a_rule("failures > 10 failures/min"), a_rule("failures > 2")
    stage = a_stage(first, second)
    assert stage.rules == (first,)
    assert [rule.id for rule, _ in stage.left_out] == [second.id]


def test_a_rule_on_the_baseline_has_no_scripted_fault() -> None:
    rule = a_rule("load > 1.2x baseline")
    stage = a_stage(rule)
    assert [story.name for story in stories(stage)] == ["all good", "load is silent"]
    assert rehearse(stage, stories(stage)[0]).verdict is Verdict.HOLD


POOL = (
    *RULES,
    a_rule("load between 3 and 4 for 3 of 5 buckets", Consequence.WARN),
    a_rule("load = 7", Consequence.WARN),
    a_rule("load != 7 for 3 buckets", Consequence.CRITICAL),
    a_rule("error rate >= 0 %", Consequence.OBJECTIVE),
    a_rule("failures < 0 for 12 minutes", Consequence.PAGE),
    a_rule("response time < 1 s and response time max < 4 s", Consequence.OBJECTIVE),
)
WATCHES = st.lists(
    st.tuples(st.integers(1, 30), st.none() | st.integers(1, 60)), min_size=1, max_size=3
)


@given(
    rules=st.lists(st.sampled_from(POOL), min_size=1, max_size=6, unique=True),
    lengths=WATCHES,
    number=st.integers(0, 30),
    homes=st.lists(st.sampled_from(["", "0", "1"]), min_size=6, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_any_story_ends_as_if_every_slice_had_been_played(
    rules: list[Rule], lengths: list[tuple[int, int | None]], number: int, homes: list[str]
) -> None:
    watches = tuple(
        Watching(str(at), f"watch {at}", planned, whole and whole * WIDTH)
        for at, (planned, whole) in enumerate(lengths)
    )
    if len(watches) > 1:
        rules = [replace(rule, phase=home) for rule, home in zip(rules, homes, strict=False)]
    stage = a_stage(*rules, program=Program(watches))
    told = stories(stage)
    story = told[number % len(told)]
    whole = sum(max(planned, whole or 0) + LONGER + 1 for planned, whole in lengths)
    in_full = replace(
        story,
        points={
            subject: [*points, *points[-1:] * (whole - len(points))]
            for subject, points in story.points.items()
        },
    )
    played, slowly = rehearse(stage, story), rehearse(stage, in_full)
    assert replace(played, story=in_full) == slowly


# Several watches, and the way back.

DAY = Program(
    (Watching("hour", "First hour", 12, 12 * WIDTH), Watching("day", "First day", 24, 36 * WIDTH)),
    10_000,
    Way("previous release", 120),
    Recovery(2, within_s=1800),
)
HERS = replace(a_rule("load < 30 for 2 buckets"), phase="day")


def of_day(*rules: Rule, name: str, program: Program = DAY) -> Rehearsed:
    stage = a_stage(*rules, program=program)
    return of_story([rehearse(stage, story) for story in stories(stage)], name)


def test_a_trigger_in_the_first_watch_leaves_the_second_unreached() -> None:
    rule = a_rule("error rate > 1 % for 2 buckets")
    played = of_day(rule, HERS, name=rule.id)
    assert [(past.watch.id, past.slices) for past in played.watches] == [("hour", 4)]
    assert [watch.id for watch in played.left] == ["day"]
    assert played.verdict is Verdict.NO_GO


def test_the_fault_of_a_rule_begins_in_its_own_watch() -> None:
    played = of_day(a_rule("error rate > 1 %"), HERS, name=HERS.id)
    fired = played.fired(HERS.id)
    assert fired is not None
    assert played.story.fault == 13 + FROM  # 12 buckets, one between the two, the third of the day
    assert fired.closed_ms == (13 + FROM - 1 + 2) * WIDTH
    assert "from bucket 3 of `First day` on" in played.story.says
    assert [past.watch.id for past in played.watches] == ["hour", "day"]


def test_a_watch_of_one_bucket_has_its_fault_in_that_bucket() -> None:
    stage = a_stage(a_rule("load > 5"), planned=1)
    played = of_story([rehearse(stage, s) for s in stories(stage)], stage.rules[0].id)
    assert (played.story.fault, played.slices) == (1, 1)
    assert played.rolled_back is not None


def test_a_scripted_fault_is_over_when_the_way_back_is_gone() -> None:
    rule = a_rule("error rate > 1 % for 2 buckets")
    played = of_day(rule, name=rule.id)
    found = played.recovered
    assert found is not None
    row = [(one.start_ms // WIDTH, one.look.value, one.count) for one in found.seen]
    # fired at the close of bucket 3, gone 2 min 10 s later, bucket 4 had begun by then
    assert row == [(5, "green", 1), (6, "green", 2)]
    assert (found.outcome, found.at_ms) == (Outcome.GREEN, 7 * WIDTH)
    assert found.took_ms == 5 * WIDTH + 10_000  # bad since bucket 2


@pytest.mark.parametrize(
    ("after", "outcome", "seen"),
    [
        pytest.param([9], Outcome.NEVER, ["bad"] * 6, id="bad-for-as-long-as-it-may-be"),
        pytest.param([9, 1], Outcome.GREEN, ["green", "green"], id="good-again"),
        pytest.param([9, 9, 1], Outcome.GREEN, ["bad", "green", "green"], id="good-later"),
    ],
)
def test_the_figures_of_a_timeline_go_on_behind_the_trigger(
    after: list[int], outcome: Outcome, seen: list[str]
) -> None:
    rule = a_rule("load > 5")
    points = [Point(Decimal(value)) for value in [1, 9, *after]]
    played = rehearse(a_stage(rule, program=DAY), Story("t", "", {("load", ""): points}))
    assert played.recovered is not None
    assert [one.look.value for one in played.recovered.seen] == seen
    assert played.recovered.outcome is outcome


def test_without_a_way_back_nothing_follows() -> None:
    rule = a_rule("error rate > 1 %")
    played = of_day(rule, name=rule.id, program=replace(DAY, way=Way(exists=False)))
    assert played.rolled_back is not None
    assert played.recovered is None


class Counted(tuple[Point | None, ...]):
    """Points that count how often one of them is asked for."""

    asked = 0

    def __getitem__(self, at: Any) -> Any:
        type(self).asked += 1
        return super().__getitem__(at)


@pytest.mark.parametrize("watches", [1, 3])
def test_a_week_is_played_in_as_many_slices_as_its_rules_need(watches: int) -> None:
    """Where nothing moves any more the rest is not played: a week costs as much as an hour."""
    program = Program(tuple(Watching(str(n), str(n), 2016 // watches) for n in range(watches)))
    stage = a_stage(*RULES, program=program)
    good = stories(stage)[0]
    subject = next(iter(good.points))
    Counted.asked = 0
    story = replace(good, points={**good.points, subject: Counted(good.points[subject])})
    assert rehearse(stage, story).slices >= 2016
    assert 0 < Counted.asked <= 10 * watches
