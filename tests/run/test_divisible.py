"""An action that keeps which part of it is done goes on after a kill, and back after a failure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.support.works import Scripted, a_phase, a_plan, a_step, an_action, undo

from gonogo.judge.verdict import Status
from gonogo.plan.kinds import Effect, Observation, Role
from gonogo.run.perform import perform

OK = {"ok": True}
BAD = {"ok": False}


@dataclass(frozen=True)
class InParts(Scripted):
    """Keeps a list of what it has done, as migrations do."""

    def keeps_its_part(self) -> str:
        return "parts.jsonl"


def in_parts(*results, log, **more):
    return a_step("migrate", InParts("migrate", results, log), effect=Effect.ACTION, **more)


def test_after_a_kill_it_goes_on_without_a_question(stage):
    step = in_parts(OK, log=[])
    made = stage(step)
    made.scene.write("step.started", step.id, attempt=1)
    made.fresh()
    finding = perform(made.scene, step)
    assert finding["status"] == Status.PASS.value
    assert finding["notes"] == ["went on after a restart: `parts.jsonl` says what was done"]
    assert step.block.work.log == ["migrate"]
    assert not made.events("question.asked")


def test_after_a_failure_its_undo_takes_back_the_part(stage):
    log: list[str] = []
    steps = [
        an_action("a", OK, log=log, undo=(undo("a-undo", log=log),)),
        in_parts(BAD, log=log, undo=(undo("migrate-undo", log=log),)),
    ]
    made = stage(plan=a_plan(a_phase("deployment", *steps, role=Role.DEPLOY)))
    assert made.run()["exit_code"] == 4
    assert log == ["a", "migrate", "migrate-undo", "a-undo"]


def test_what_was_taken_back_in_parts_is_named(stage):
    log: list[str] = []
    back = InParts("back", (Observation(OK, text="took back 0002_b\ntook back 0001_a"),), log)
    deploy = in_parts(OK, log=log, undo=(replace(undo("x", log=log), work=back),))
    steps = [deploy, an_action("b", BAD, log=log)]
    made = stage(plan=a_plan(a_phase("deployment", *steps, role=Role.DEPLOY)))
    verdict = made.run()
    assert verdict["exit_code"] == 4
    said = "1 undone: took back 0002_b; took back 0001_a; no proof was written"
    assert verdict["rollback"] == said
