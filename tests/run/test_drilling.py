"""A drill: the judge is told of a breach, everything behind it is real, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.figures import World, a_rule, a_watch, watched
from tests.support.scenes import Stage
from tests.support.works import a_phase, a_plan, a_rollback, an_action, an_option

from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence

TRIGGER = a_rule("error rate > 10 % for 2 buckets")
GOAL = a_rule("error rate < 2 %", Consequence.OBJECTIVE)


def staged(
    folder: Path, *rules: object, good: int = 0, drill: bool = True
) -> tuple[Stage, list[str]]:
    log: list[str] = []
    plan = a_watch(*rules, log=log)  # type: ignore[arg-type]
    world = World({"error rate": lambda _minute: good})
    return watched(folder, plan, world, drill=drill), log


def test_the_trigger_fires_although_the_service_is_well(tmp_path: Path) -> None:
    stage, log = staged(tmp_path, TRIGGER, GOAL)
    result = stage.run()
    assert (result["verdict"], result["exit_code"]) == ("no-go", 4)
    assert log == ["ship", "back", "old"]
    fired = [e.body for e in stage.events("rule.moved") if e.body["after"] == "firing"]
    assert len(fired) == 1
    assert str(fired[0]["reason"]).startswith("made up for a drill: error rate ")


def test_the_figures_are_kept_as_they_were_seen(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path, TRIGGER, GOAL)
    stage.run()
    closed = [e.body["rules"] for e in stage.events("bucket.closed")]
    values = [rules[TRIGGER.id].get("value") for rules in closed]  # type: ignore[index]
    assert set(values) <= {0.0, None}
    assert 0.0 in values


def test_recovery_needs_figures_that_are_green(tmp_path: Path) -> None:
    stage, _ = staged(tmp_path, TRIGGER, GOAL, good=50)
    stage.answers({"previous?green": "no"})
    assert stage.run()["exit_code"] == 1


def test_without_a_drill_nothing_fires(tmp_path: Path) -> None:
    stage, log = staged(tmp_path, TRIGGER, GOAL, drill=False)
    assert stage.run()["verdict"] == "go"
    assert log == ["ship"]


def test_a_watch_without_a_trigger_is_not_waited_for(tmp_path: Path) -> None:
    stage, log = staged(tmp_path, GOAL)
    result = stage.run()
    assert result["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    assert stage.events("watch.started") == []
    reason = stage.events("rollback.started")[0].body["reason"]
    assert reason == "drill: the way back is rehearsed"


@pytest.mark.parametrize("behind", [(), (a_phase("sign", role=Role.SIGNOFF),)])
def test_without_a_watch_it_goes_back_before_the_sign_off(tmp_path: Path, behind: tuple) -> None:  # type: ignore[type-arg]
    log: list[str] = []
    plan = a_plan(
        a_phase("deploy", an_action("ship", log=log), role=Role.DEPLOY),
        *behind,
        rollback=a_rollback(an_option("previous", an_action("back", log=log))),
    )
    stage = Stage(tmp_path, plan, drill=True)
    assert stage.run()["exit_code"] == 4
    assert log == ["ship", "back"]


def test_killed_in_its_middle_a_drill_fires_once(tmp_path: Path) -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    stage, log = staged(tmp_path, TRIGGER, GOAL)
    stage.clock.at(100, die)
    with pytest.raises(Died):
        stage.run()
    stage.fresh()
    assert stage.run()["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    assert len(stage.events("rollback.started")) == 1
