"""A rehearsal and a real run of the same figures: same moves, same ends, same row of green ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.figures import BEGIN_MS, World, a_rule, a_watch, minutes, watched
from tests.support.scenes import Stage
from tests.support.works import a_phase, a_step, an_action, an_option

from gonogo.judge.course import course_of
from gonogo.judge.rehearsal import Point, Rehearsed, Story, rehearse, stage_of
from gonogo.plan.kinds import Role
from gonogo.plan.model import Checkpoint, Consequence, Phase, Plan, Recovery, Rule
from gonogo.source import Span

MINUTE = 60_000
TRIGGER = a_rule("error rate > 10 % for 2 buckets")
GOAL = a_rule("error rate < 5 %", Consequence.OBJECTIVE)
CALL = a_rule("error rate > 20 % for 2 of 3 buckets", Consequence.PAGE)
MINE = replace(a_rule("error rate > 3 %", Consequence.WARN), phase="watch")
HERS = replace(a_rule("error rate < 2 %", Consequence.OBJECTIVE), phase="later")
LATE = replace(a_rule("error rate > 6 % for 2 buckets"), phase="later")
RULES = (GOAL, CALL, MINE, HERS, TRIGGER, LATE)


def first(name: str, span_s: float) -> Phase:
    return a_phase(name, role=Role.WATCH, span_s=span_s, from_first=True)


def a_plan(*behind: Phase, rules: tuple[Rule, ...] = RULES, **more: object) -> Plan:
    option = an_option("previous", an_action("back"))
    return a_watch(*rules, last_s=180, behind=behind, options=(option,), **more)


def talk(name: str, minutes_long: int) -> Phase:
    """Return a watch in which only a person is asked, at its end."""
    step = a_step("calm")
    ends_s = minutes_long * 60.0
    point = Checkpoint("end", "End", Span.of_line(20), 0.0, ends_s, (step.id,))
    phase = a_phase(name, step, role=Role.WATCH, span_s=ends_s)
    return replace(phase, checkpoints=(point,))


def longer() -> Plan:
    """Return a release whose first watch has a checkpoint that ends after its figures."""
    plan = a_plan(first("later", 600))
    deploy, watch, later = plan.phases
    look = a_step("look")
    point = Checkpoint("five", "First 5 minutes", Span.of_line(20), 0.0, 300.0, (look.id,), 60.0)
    watch = replace(watch, steps=(*watch.steps, look), checkpoints=(point,))
    return replace(plan, phases=(deploy, watch, later))


PLANS = {
    "one": lambda: a_plan(rules=(GOAL, CALL, TRIGGER)),
    "from the first": lambda: a_plan(first("later", 420)),
    "its own length": lambda: a_plan(a_phase("later", role=Role.WATCH, span_s=240)),
    "over when it begins": lambda: a_plan(first("later", 60)),
    "three": lambda: a_plan(first("later", 360), a_phase("last", role=Role.WATCH, span_s=120)),
    "three green": lambda: a_plan(first("later", 420), recovery=Recovery(3)),
    "little time": lambda: a_plan(first("later", 420), recovery=Recovery(2, within_s=180)),
    "looks that last longer": longer,
}
LEVELS: dict[str, tuple[int | None, ...]] = {
    "calm": (0,),
    "two bad ones": (0, 50, 50, 50, 0),
    "bad to the end": (0, 50),
    "bad, good, bad": (0, 50, 0, 50, 0),
    "a streak at the end": (0, 0, 50, 0),
    "a streak that fills late": (0, 0, 50, 50, 50, 0),
    "a little bad": (4,),
    "bad for the second alone": (0, 0, 0, 0, 0, 7, 7, 7, 0),
    "in between": (0, 0, 0, 50, 50, 50, 0),
    "green, bad, green": (0, 50, 50, 50, 0, 50, 0),
    "green, silent, green": (0, 50, 50, 50, 0, None, 0),
}


def rehearsed(plan: Plan, levels: tuple[int | None, ...]) -> Rehearsed:
    points = [None if level is None else Point(Decimal(level)) for level in levels]
    return rehearse(stage_of(course_of(plan)), Story("a", "", {("error rate", ""): points}))


def really(folder: Path, plan: Plan, levels: tuple[int | None, ...]) -> Stage:
    world = World({"error rate": minutes(*levels, after=levels[-1])})
    stage = watched(folder, plan, world)
    gates = {f"{phase.id}?gate": "go" for phase in plan.phases}
    stage.answers({**gates, "previous?green": "no", "calm": "yes"})
    stage.run()
    return stage


def at(ms: object) -> int:
    return (int(str(ms)) - BEGIN_MS) // MINUTE


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("plan", PLANS)
def test_a_rehearsal_is_what_the_run_does(tmp_path: Path, plan: str, levels: str) -> None:
    made = PLANS[plan]()
    played = rehearsed(made, LEVELS[levels])
    stage = really(tmp_path, made, LEVELS[levels])
    moves = [
        (e.body["phase"], e.body["rule"], at(e.body["at_ms"]), e.body["after"])
        for e in stage.events("rule.moved")
        if "way" not in e.body
    ]
    assert [
        (past.watch.id, move.rule, move.at_ms // MINUTE, move.after.value)
        for past in played.watches
        for move in past.moves
    ] == moves
    ended = [e.item for e in stage.events("watch.ended")]
    assert [past.watch.id for past in played.watches] == ended
    closed = [str(e.body["phase"]) for e in stage.events("bucket.closed")]
    assert {past.watch.id: past.slices for past in played.watches} == {
        name: closed.count(name) for name in ended
    }
    seen = [e.body for e in stage.events("recovery.seen") if e.body["way"] == "previous"]
    row = played.recovered.seen if played.recovered is not None else ()
    assert [(one.start_ms // MINUTE, one.look.value, one.count, one.says) for one in row] == [
        (at(body["start_ms"]), body["look"], body["count"], body["says"]) for body in seen
    ]
    back = [e.body for e in stage.events("rule.moved") if e.body.get("way") == "previous"]
    told = played.recovered.moves if played.recovered is not None else ()
    assert [(m.rule, m.at_ms // MINUTE, m.after.value, m.reason[:12]) for m in told] == [
        (body["rule"], at(body["at_ms"]), body["after"], str(body["reason"])[:12]) for body in back
    ]
    judged = {(e.item, e.body["phase"]): e.body["status"] for e in stage.events("rule.judged")}
    for past in played.watches:
        worst = {status for (_, phase), status in judged.items() if phase == past.watch.id}
        assert past.verdict.value == (
            "no-go" if "fail" in worst else "hold" if "unknown" in worst else "go"
        )


def test_a_watch_in_which_people_are_asked_only_takes_its_time(tmp_path: Path) -> None:
    mine = replace(TRIGGER, phase="watch")
    hers = replace(TRIGGER, id="rollback/hers", phase="later")
    plan = a_plan(talk("talk", 4), first("later", 600), rules=(mine, hers))
    played = rehearsed(plan, (0,))
    stage = really(tmp_path, plan, (0,))
    begun = {e.item: at(e.body["started_ms"]) for e in stage.events("watch.started")}
    known = {past.watch.id: past.begun_ms // MINUTE for past in played.watches}
    assert known == {"watch": 0, "talk": 3, "later": 7}
    assert {name: known[name] for name in begun} == begun
