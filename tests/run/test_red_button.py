"""A person stops a run at any time, by an abort or by saying what was seen: one way back, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.run.test_watching import Cut
from tests.support.figures import World, a_rule, a_watch, minutes, watched
from tests.support.scenes import Stage
from tests.support.works import (
    Scripted,
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    an_option,
)

from gonogo.plan.kinds import Role
from gonogo.plan.model import Plan
from gonogo.run.durable import MemorySlots
from gonogo.run.journal import ABORT

TRIGGER = "error rate > 10 % for 2 buckets"
LEAK = "Must not be: A security vulnerability is discovered (rollback)"


def on_watch(folder: Path, log: list[str], note: str = LEAK) -> Stage:
    """Return a healthy release whose watch asks a person about something without a figure."""
    plan = a_watch(a_rule(TRIGGER), log=log, last_s=3_600)
    deploy = plan.phases[0]
    asked = a_phase("watch", a_manual("leak", notes=(note,)), role=Role.WATCH, span_s=3_600)
    values = {name: getattr(plan, name) for name in plan.__slots__}
    plan = type(plan)(**{**values, "phases": (deploy, asked)})
    return watched(folder, plan, World({"error rate": minutes(after=0)}))


def test_a_criterion_without_a_figure_can_be_pressed_during_the_watch(tmp_path):
    log: list[str] = []
    stage = on_watch(tmp_path, log)
    stage.clock.at(130, lambda: stage.put("leak", "seen", reason="CVE-2026-1"))
    result = stage.run()
    assert result["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    asked = stage.events("question.asked")[0].body
    assert asked["question"] == "nothing of this kind is seen: leak it"
    assert asked["choices"] == ["yes", "no", "seen", "skip"]
    started = stage.events("rollback.started")
    assert len(started) == 1
    assert "ana" in str(started[0].body["reason"])
    assert "leak it, seen: CVE-2026-1" in str(started[0].body["reason"])
    assert result["times"]["detect_s"] == 0.0  # known when a person knew it


def test_no_to_nothing_of_this_kind_is_the_same(tmp_path):
    log: list[str] = []
    stage = on_watch(tmp_path, log)
    stage.clock.at(130, lambda: stage.put("leak", "no"))
    assert stage.run()["exit_code"] == 4
    assert log == ["ship", "back", "old"]


def test_an_alert_without_a_figure_ends_nothing_by_itself(tmp_path):
    log: list[str] = []
    stage = on_watch(tmp_path, log, LEAK.replace("(rollback)", "(page)"))
    stage.clock.at(130, lambda: stage.put("leak", "seen"))
    stage.answers({"watch?gate": "keep"})
    stage.run()
    assert stage.journal.answer("7f3a", ABORT) is None
    assert stage.events("watch.ended")[0].body["complete"] is True


class CutWhen(MemorySlots):
    """A life that ends in the middle of a slot, once."""

    def __init__(self, recorded: dict[str, object], name: str) -> None:
        super().__init__(recorded)  # type: ignore[arg-type]
        self.name = name

    async def run(self, name, work):
        if name == self.name and name not in self.recorded:
            work()
            raise Cut(name)  # done, and not recorded
        return await super().run(name, work)


def test_a_death_right_after_it_was_pressed_loses_nothing(tmp_path):
    log: list[str] = []
    stage = on_watch(tmp_path, log)
    stage.clock.at(130, lambda: stage.put("leak", "seen"))
    recorded: dict[str, object] = {}
    with pytest.raises(Cut):
        stage.run(slots=CutWhen(recorded, "leak"))
    stage.fresh()
    assert stage.run(slots=MemorySlots(recorded))["exit_code"] == 4  # type: ignore[arg-type]
    assert log == ["ship", "back", "old"]
    assert len(stage.events("rollback.started")) == 1


def release(log: list[str], *deploy: object) -> Plan:
    steps = deploy or (an_action("ship", log=log),)
    back = a_rollback(
        an_option("one", an_action("back", log=log)),
        proof=[a_step("old", Scripted("old", log=log))],
    )
    question = a_phase("verify", a_manual("look"))
    return a_plan(a_phase("deploy", *steps, role=Role.DEPLOY), question, rollback=back)  # type: ignore[arg-type]


Staged = Callable[..., Stage]


def test_a_question_that_waits_ends(stage: Staged):
    log: list[str] = []
    made = stage(plan=release(log))
    made.clock.at(5, made.abort)
    assert made.run()["exit_code"] == 4
    assert log == ["ship", "back", "old"]


def test_a_deployment_step_that_works_is_ended_and_taken_back(stage: Staged):
    log: list[str] = []
    made: Stage

    def working(context: object) -> dict[str, bool]:
        made.abort("stop it")
        made.clock.wait(1)
        return {"ok": not context.should_stop()}  # type: ignore[attr-defined]

    made = stage(plan=release(log, an_action("ship", working, log=log)))
    assert made.run()["exit_code"] == 4
    assert log == ["ship", "back", "old"]
    assert "stop it" in str(made.events("rollback.started")[0].body["reason"])


def test_a_rollback_that_runs_already_is_not_begun_a_second_time(stage: Staged):
    log: list[str] = []
    made: Stage

    def pressing(_context: object) -> dict[str, bool]:
        made.abort("again")
        return {"ok": True}

    plan = release(log)
    back = a_rollback(an_option("one", an_action("back", pressing, log=log)))
    values = {name: getattr(plan, name) for name in plan.__slots__}
    made = stage(plan=type(plan)(**{**values, "rollback": back}))
    made.answers({"look": "no"})
    assert made.run()["exit_code"] == 4
    assert log == ["ship", "back"]
    assert len(made.events("rollback.started")) == 1
