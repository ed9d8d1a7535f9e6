"""Several watches in one release: measured one after the other, from one begin, streaks kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.run.test_watching import in_short_lives, seen, told
from tests.support.figures import BEGIN_MS, World, a_rule, a_watch, minutes, watched
from tests.support.scenes import Stage
from tests.support.works import a_phase, a_step

from gonogo.judge.course import planned
from gonogo.plan.kinds import Role
from gonogo.plan.lengths import lengths
from gonogo.plan.model import Checkpoint, Consequence, Plan, Rule
from gonogo.source import Span

TRIGGER = "error rate > 10 % for 2 buckets"


def several(*rules: Rule, first: float | None = 120, second: float | None = 300) -> Plan:
    """Return a release with `First 2 minutes` and, from the same begin, `First 5 minutes`."""
    late = a_phase("later", role=Role.WATCH, span_s=second, from_first=True)
    return a_watch(*rules, last_s=first, behind=(late,))


def staged(folder: Path, plan: Plan, *levels: int | None) -> Stage:
    return watched(folder, plan, World({"error rate": minutes(*levels)}))


def slices(stage: Stage, phase: str) -> list[int]:
    return [
        (int(str(e.body["start_ms"])) - BEGIN_MS) // 60_000
        for e in stage.events("bucket.closed")
        if e.body["phase"] == phase
    ]


def test_each_watch_is_measured_and_the_second_goes_on_where_the_first_ended(tmp_path):
    stage = staged(tmp_path, several(a_rule(TRIGGER)), 0, 0, 0, 0, 0)
    assert stage.run()["exit_code"] == 0
    assert slices(stage, "watch") == [0, 1]
    assert slices(stage, "later") == [2, 3, 4]
    gates = {e.item: e.body["verdict"] for e in stage.events("gate.decided")}
    assert gates == {"deploy": "go", "watch": "go", "later": "go"}
    judged = [(e.item, e.body["phase"]) for e in stage.events("rule.judged")]
    assert judged == [(f"rollback/{TRIGGER}", "watch"), (f"rollback/{TRIGGER}", "later")]
    ends = [e.body["why"] for e in stage.events("watch.ended")]
    assert ends == ["planned end", "planned end"]


def test_a_length_of_its_own_counts_from_its_own_begin(tmp_path):
    own = a_phase("later", role=Role.WATCH, span_s=180)
    plan = a_watch(a_rule(TRIGGER), last_s=120, behind=(own,))
    stage = staged(tmp_path, plan, 0, 0, 0, 0, 0, 0)
    assert stage.run()["exit_code"] == 0
    begun = [int(str(e.body["started_ms"])) for e in stage.events("watch.started")]
    last = BEGIN_MS + (slices(stage, "later")[-1] + 1) * 60_000
    assert begun[1] + 180_000 <= last < begun[1] + 240_000


def test_a_streak_is_carried_over_from_one_watch_into_the_next(tmp_path):
    """An open streak lengthens the first watch, so one that may go on is M of N."""
    rule = a_rule("error rate > 10 % for 2 buckets", Consequence.PAGE)
    stage = staged(tmp_path, several(rule), 20, 20, 20, 0, 0, 0)
    stage.answers({"watch?gate": "go", "later?gate": "no-go"})
    assert stage.run()["exit_code"] == 4
    moves = [(e.body["phase"], e.body["after"]) for e in stage.events("rule.moved")]
    assert moves == [("watch", "pending"), ("watch", "firing"), ("later", "resolved")]
    later = next(e for e in stage.events("rule.judged") if e.body["phase"] == "later")
    assert later.body["status"] == "unknown"  # it was firing when that watch began
    assert "the alert fired" in str(later.body["why"])


def test_an_alert_of_the_first_watch_that_was_over_does_not_hold_the_second(tmp_path):
    rule = a_rule("error rate > 10 %", Consequence.PAGE)
    stage = staged(tmp_path, several(rule), 50, 0, 0, 0, 0)
    stage.answers({"watch?gate": "go"})
    assert stage.run()["exit_code"] == 0
    later = next(e for e in stage.events("rule.judged") if e.body["phase"] == "later")
    assert later.body["status"] == "pass"
    assert later.body["indicators"]["fired"] == 0


def test_a_trigger_of_the_second_watch_rolls_back(tmp_path):
    stage = staged(tmp_path, several(a_rule(TRIGGER)), 0, 0, 50, 50, 0, 0)
    stage.answers({"previous?green": "yes"})
    assert stage.run()["exit_code"] == 4
    trigger = next(e for e in stage.events("gate.decided") if e.item == "later").body["trigger"]
    assert trigger["slices"] == [BEGIN_MS + 120_000, BEGIN_MS + 180_000]  # type: ignore[index]


def test_a_rule_under_one_heading_is_judged_in_that_watch_only(tmp_path):
    mine = replace(a_rule("error rate < 10 %", Consequence.OBJECTIVE), phase="watch")
    hers = replace(a_rule("error rate < 30 %", Consequence.OBJECTIVE), phase="later")
    stage = staged(tmp_path, several(mine, hers), 40, 40, 20, 20, 20)
    stage.answers({"watch?gate": "keep"})
    assert stage.run()["exit_code"] == 1
    assert slices(stage, "later") == []
    stage = staged(tmp_path / "b", several(mine, hers), 5, 5, 20, 20, 20)
    assert stage.run()["exit_code"] == 0
    closed = stage.events("bucket.closed")
    names = {(e.body["phase"], name) for e in closed for name in e.body["rules"]}  # type: ignore[attr-defined]
    assert names <= {("watch", mine.id), ("later", hers.id)}
    assert ("later", hers.id) in names


def test_a_gate_that_waits_for_a_person_loses_no_line_of_a_log(tmp_path):
    """What is in the log of that time is judged by the rules of all watches."""
    rule = a_rule("error rate > 10 %", Consequence.PAGE)
    stage = staged(tmp_path, several(rule), 50, 0, 0, 0, 0, 0, 0, 0, 0)
    stage.clock.at(400, lambda: stage.put("watch?gate", "go", reason="looked at it"))
    assert stage.run()["exit_code"] == 0
    assert slices(stage, "watch") + slices(stage, "later") == list(range(8))
    assert set(seen(stage, rule.id)) == {"breach", "good"}


def test_the_lengths_say_from_when_they_count():
    plan = several(a_rule(TRIGGER), first=3_600, second=86_400)
    assert lengths(plan.released, plan.rules, plan.metrics) == {"watch": 3_600, "later": 82_800}
    assert planned(plan, plan.phases[2]) == 1_380
    short = several(a_rule(TRIGGER), first=3_600, second=1_800)
    assert planned(short, short.phases[2]) == 1  # over when it begins: one bucket all the same


def test_a_watch_without_figures_lasts_until_its_last_checkpoint():
    hers = replace(a_rule(TRIGGER), phase="later")
    plan = several(hers, first=3_600, second=86_400)
    looks = tuple(
        Checkpoint(f"at-{end}", "look", Span.of_line(9), end, end, ("seen",)) for end in (60, 300)
    )
    deploy, first, later = plan.phases
    first = replace(first, steps=(a_step("seen"),), checkpoints=looks)
    found = lengths((deploy, first, later), plan.rules, plan.metrics)
    assert found == {"watch": 3_600, "later": 86_100}


def test_a_watch_in_which_nothing_lasts_takes_no_time_from_the_next(tmp_path):
    """Its rules are those of the second watch alone: the first day counts from its own begin."""
    hers = replace(a_rule("error rate < 30 %", Consequence.OBJECTIVE), phase="later")
    plan = several(hers, first=60, second=120)
    deploy, first, later = plan.phases
    plan = replace(plan, phases=(deploy, replace(first, steps=(a_step("seen"),)), later))
    assert lengths(plan.released, plan.rules, plan.metrics) == {"watch": None, "later": 120}
    stage = staged(tmp_path, plan, 5, 5, 5, 5)
    assert stage.run()["exit_code"] == 0
    assert slices(stage, "watch") == []
    assert slices(stage, "later") == [0, 1]
    assert [e.body["complete"] for e in stage.events("watch.ended")] == [True]


@pytest.mark.parametrize("last", [0, 50], ids=["to its end", "to a rollback"])
def test_cut_off_after_every_slot_several_watches_come_to_the_same(tmp_path, last):
    plan = several(a_rule(TRIGGER), a_rule("error rate > 15 %", Consequence.WARN))
    levels = (0, 20, 0, last, last, 0)
    calm = staged(tmp_path / "calm", plan, *levels)
    calm.answers({"previous?green": "yes"})
    expected = calm.run()
    stage = staged(tmp_path / "cut", plan, *levels)
    stage.answers({"previous?green": "yes"})
    result, lives = in_short_lives(stage)
    assert lives > 8
    assert result["exit_code"] == expected["exit_code"]
    assert told(stage) == told(calm)
