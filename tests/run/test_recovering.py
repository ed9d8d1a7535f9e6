"""A rollback is over when the figures are green: at once, never, unknown, and how long it took."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.run.test_watching import Cut, ShortLived
from tests.support.figures import BEGIN_MS, World, a_rule, a_watch, healed_by, watched
from tests.support.scenes import Stage
from tests.support.works import an_action, an_option

from gonogo.plan.model import Consequence
from gonogo.run import recovering

TRIGGER = a_rule("error rate > 10 % for 2 buckets")
GOAL = a_rule("error rate < 2 %", Consequence.OBJECTIVE)
WARNING = a_rule("error rate > 0 %", Consequence.WARN)


def staged(folder: Path, healing: str, *, good: int = 0, log: list[str], **more: object) -> Stage:
    """Return a release that is bad from its first minute until `healing` was carried out."""
    options = tuple(an_option(name, an_action(name, log=log)) for name in ("back", "restore"))
    plan = a_watch(TRIGGER, GOAL, WARNING, log=log, options=options, **more)
    world = World({"error rate": healed_by(log, healing, 50, good)})
    return watched(folder, plan, world)


def minutes_seen(stage: Stage) -> list[tuple[str, int]]:
    found = [e.body for e in stage.events("recovery.seen")]
    return [(str(b["way"]), (int(str(b["start_ms"])) - BEGIN_MS) // 60_000) for b in found]


def test_green_in_the_first_whole_bucket_ends_the_rollback(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    result = stage.run()
    assert result["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    assert minutes_seen(stage) == [("back", 3)]  # in minute 2 the old state came back
    assert stage.events("recovery.seen")[0].body["says"] == "all objectives green"


def test_the_time_back_has_four_parts(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    slow = an_action("back", lambda _context: (stage.clock.wait(35), {"ok": True})[1], log=log)
    stage.plan = a_watch(TRIGGER, GOAL, log=log, options=(an_option("previous", slow),))
    stage.fresh()
    times = stage.run()["times"]
    # bad since 14:00:00, known at 14:02:10, gone back at 14:02:45, minute 3 judged at 14:04:10
    assert times == {"detect_s": 130.0, "decide_s": 0.0, "act_s": 35.0, "recover_s": 85.0}


def test_time_to_decide_is_that_of_the_person(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    rollback = stage.plan.rollback
    assert rollback is not None
    asking = type(rollback)("rollback", rollback.span, rollback.options, rollback.proof, False)
    stage.plan = a_watch(TRIGGER, GOAL, log=log, rollback=asking)
    stage.fresh()
    stage.clock.at(160, lambda: stage.put("rollback?decide", "yes"))
    times = stage.run()["times"]
    assert times["decide_s"] == pytest.approx(30.0, abs=0.2)


def test_bad_to_the_end_takes_the_next_way_back(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "restore", log=log)
    assert stage.run()["exit_code"] == 4
    assert log == ["ship", "back", "old", "restore", "old"]
    ends = [(e.item, e.body["status"], e.body["why"]) for e in stage.events("option.finished")]
    assert [each[:2] for each in ends] == [("back", "fail"), ("restore", "pass")]
    assert "objectives green again: error rate 50 %" in str(ends[0][2])
    first = [minute for way, minute in minutes_seen(stage) if way == "back"]
    assert len(first) == recovering.PATIENCE


def test_bad_after_every_way_back_is_no_rollback(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "nothing", log=log)
    result = stage.run()
    assert result["exit_code"] == 1
    assert "rollback failed" in str(result["why"])


def test_an_objective_that_is_still_missed_is_not_green(tmp_path):
    """The trigger is at 10 %, the objective at 2 %: 5 % is between."""
    log: list[str] = []
    stage = staged(tmp_path, "back", good=5, log=log)
    assert stage.run()["exit_code"] == 1
    assert stage.events("option.finished")[0].body["status"] == "fail"


@pytest.mark.parametrize(("answer", "code"), [("yes", 4), ("no", 1)])
def test_without_figures_a_person_says_whether_it_is_well(tmp_path, answer, code):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    world = World({"error rate": lambda minute: 50 if "back" not in log and minute < 3 else None})
    stage.more["open_source"] = world.open
    stage.fresh()
    stage.answers({"back?green": answer, "restore?green": answer})
    assert stage.run()["exit_code"] == code
    asked = stage.events("question.asked")[0]
    assert asked.item == "back?green"
    assert "unknown" in str(asked.body["detail"])
    assert log.count("restore") == (0 if answer == "yes" else 1)


def test_a_wish_to_abort_does_not_stop_it(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    stage.clock.at(150, stage.abort)
    assert stage.run()["exit_code"] == 4
    assert minutes_seen(stage) == [("back", 3)]


def test_a_release_that_failed_before_its_watch_is_proved_by_its_steps_alone(tmp_path):
    log: list[str] = []
    stage = staged(tmp_path, "back", log=log)
    deploy = stage.plan.phases[0]
    broken = type(deploy)(
        deploy.id,
        deploy.title,
        deploy.role,
        deploy.span,
        (*deploy.steps, an_action("warm", {"ok": False}, log=log)),
    )
    values = {name: getattr(stage.plan, name) for name in stage.plan.__slots__}
    stage.plan = type(stage.plan)(**{**values, "phases": (broken, *stage.plan.phases[1:])})
    stage.fresh()
    assert stage.run()["exit_code"] == 4
    assert stage.events("recovery.started") == []


def test_warnings_do_not_hold_it_up():
    plan = a_watch(TRIGGER, GOAL, WARNING)
    assert recovering.must_be_green(plan) == (TRIGGER, GOAL)


def test_cut_off_after_every_slot_it_comes_to_the_same(tmp_path):
    def told(stage: Stage) -> list[tuple[str, str, object]]:
        kinds = ("recovery.seen", "option.finished", "rollback.finished", "rule.moved")
        return [(e.kind, e.item, e.body) for e in stage.events() if e.kind in kinds]

    calm_log: list[str] = []
    calm = staged(tmp_path / "calm", "restore", log=calm_log)
    code = calm.run()["exit_code"]
    log: list[str] = []
    stage = staged(tmp_path / "cut", "restore", log=log)
    recorded: dict[str, object] = {}
    for _life in range(80):
        stage.fresh()
        try:
            result = stage.run(slots=ShortLived(recorded))
            break
        except Cut:
            continue
    else:
        pytest.fail("the run does not get on")
    assert result["exit_code"] == code == 4
    assert told(stage) == told(calm)
    assert log == calm_log
