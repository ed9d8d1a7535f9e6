"""A whole plan, end to end, with works whose results are written down beforehand."""

from __future__ import annotations

import asyncio

import pytest
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

from gonogo.errors import JournalError, WorkError
from gonogo.judge.verdict import Finding
from gonogo.plan.kinds import Role
from gonogo.plan.model import Retry
from gonogo.run.durable import MemorySlots
from gonogo.run.release import all_slots, release

OK = {"ok": True}
BAD = {"ok": False}


def test_a_go_from_the_first_phase_to_the_last(stage):
    log: list[str] = []
    plan = a_plan(
        a_phase(
            "pre",
            a_step("disk", Scripted("disk", (OK,), log)),
            a_manual("told"),
            role=Role.PREFLIGHT,
        ),
        a_phase("deploy", an_action("migrate", OK, log=log), role=Role.DEPLOY),
        a_phase("smoke", a_step("home", Scripted("home", (BAD, OK), log), retry=Retry(3, 5))),
    )
    made = stage(plan=plan)
    made.answers({"told": "yes"})
    verdict = made.run()
    assert verdict == {"why": "", "verdict": "go", "exit_code": 0}
    assert log == ["disk", "migrate", "home", "home"]
    assert made.kinds() == [
        *("phase.started", "step.started", "step.finished"),
        *("step.started", "question.asked", "answer.given", "step.finished", "gate.decided"),
        *("phase.started", "step.started", "step.finished", "gate.decided"),
        *("phase.started", "step.started", "step.tried", "step.started", "step.finished"),
        *("gate.decided", "verdict.given"),
    ]


def test_a_no_go_stops_before_the_next_phase(stage):
    plan = a_plan(
        a_phase("pre", a_step("disk", None, BAD)),
        a_phase("deploy", an_action("migrate", OK), role=Role.DEPLOY),
    )
    made = stage(plan=plan)
    verdict = made.run()
    assert (verdict["verdict"], verdict["exit_code"]) == ("no-go", 1)
    assert not [e for e in made.events() if e.item in ("deploy", "migrate")]


def test_a_plan_without_phases_holds(stage):
    assert stage(plan=a_plan()).run() == {"why": "", "verdict": "hold", "exit_code": 3}


def test_a_failed_check_that_is_not_critical_lets_its_phase_go_on(stage):
    log: list[str] = []
    steps = [
        a_step("a", Scripted("a", (BAD,), log)),
        a_step("b", Scripted("b", (WorkError("x"),), log)),
        an_action("c", OK, log=log),
    ]
    made = stage(*steps)
    assert made.run()["exit_code"] == 1
    assert log == ["a", "b", "c"]


def test_a_critical_one_stops_everything_behind_it_and_all_of_that_is_named(stage):
    log: list[str] = []
    steps = [
        a_step("a", Scripted("a", (BAD,), log), critical=True),
        an_action("b", OK, log=log),
        a_step("c", Scripted("c", (OK,), log)),
    ]
    made = stage(*steps)
    made.run()
    assert log == ["a"]
    findings = {e.item: Finding.from_json(e.body) for e in made.events("step.finished")}
    assert findings["b"].why == "not run: `a it` (line 10) did not pass"
    assert findings["c"].status.value == "unknown"
    assert made.events("gate.decided")[0].body["counts"] == {"fail": 1, "unknown": 2}


def test_needs_reach_over_phases(stage):
    plan = a_plan(
        a_phase("pre", a_step("disk", None, {}), a_step("net", None, OK)),
        a_phase("smoke", a_step("home", None, OK, needs=("net", "pre"))),
    )
    made = stage(plan=plan)
    made.answers({"pre?gate": "go"})
    assert made.run()["exit_code"] == 0


def test_a_go_against_a_hold_stands_in_for_what_it_set_aside(stage):
    plan = a_plan(
        a_phase("pre", a_step("disk", None, {})),
        a_phase("smoke", a_step("home", None, OK, needs=("disk",))),
    )
    made = stage(plan=plan)
    made.answers({"pre?gate": "go"})
    assert made.run()["verdict"] == "go"


@pytest.mark.parametrize(
    ("setting", "most"), [({}, 4), ({"parallel": "2"}, 2), ({"parallel": "1"}, 1)]
)
def test_neighbours_marked_parallel_run_side_by_side(stage, setting, most):
    running: list[int] = [0, 0]

    class Slots(MemorySlots):
        async def run(self, name, work):
            running[0] += 1
            running[1] = max(running)
            for _ in range(5):
                await asyncio.sleep(0)
            running[0] -= 1
            return await super().run(name, work)

    steps = [a_step(name, parallel=True) for name in "abcd"]
    made = stage(plan=a_plan(a_phase("smoke", *steps), settings=setting))
    assert made.run(slots=Slots())["verdict"] == "go"
    assert running[1] == most


def test_it_does_not_matter_which_of_them_ends_first(stage, tmp_path):
    """Two steps that end in the same instant, in either order: the same decision and reasons."""

    def turned(order: str):
        class Slots(MemorySlots):
            async def run(self, name, work):
                for _ in range(order.find(name) * 3 if len(name) == 1 else 0):
                    await asyncio.sleep(0)
                return await super().run(name, work)

        steps = [a_step(name, None, BAD, parallel=True) for name in "abc"]
        steps.append(a_step("d", critical=True, needs=("a",)))
        made = stage(plan=a_plan(a_phase("smoke", *steps)))
        made.fresh(run=order)
        asyncio.run(release(made.scene, Slots()))
        events = made.journal.events(order)
        ended = "".join(e.item for e in events if e.kind == "step.finished" and e.item in "abc")
        return ended, next(e.body for e in events if e.kind == "gate.decided")

    forwards, backwards = turned("abc"), turned("cba")
    assert (forwards[0], backwards[0]) == ("abc", "cba")
    assert forwards[1] == backwards[1]


def test_a_replay_runs_nothing_and_writes_nothing(stage):
    made = stage(a_step("home"), an_action("act"))
    recorded = {}
    first = made.run(recorded)
    count = len(made.events())
    made.fresh()
    assert made.run(dict(recorded)) == first
    assert len(made.events()) == count


def test_a_verdict_that_was_journaled_stands_when_its_checkpoint_was_lost(stage):
    made = stage(a_step("home"))
    recorded = {}
    first = made.run(recorded)
    del recorded["?verdict"]
    made.fresh()
    assert made.run(recorded) == first
    assert len(made.events("verdict.given")) == 1


def test_all_checkpoints_lost_is_the_same_as_the_journal_alone(stage):
    log: list[str] = []
    back = a_rollback(an_option("one", an_action("act", OK, log=log)))
    plan = a_plan(
        a_phase("deploy", an_action("migrate", OK, log=log), role=Role.DEPLOY),
        a_phase("smoke", a_step("home", Scripted("home", (BAD,), log))),
        rollback=back,
    )
    made = stage(plan=plan)
    first = made.run()
    count, done = len(made.events()), list(log)
    made.fresh()
    assert made.run() == first
    assert (len(made.events()), log) == (count, done)


class TestFatal:
    """What is no finding must end the process; no slot and no release may raise in it."""

    def test_the_error_reaches_the_scene_before_anything_is_recorded(self, stage):
        seen = []
        made = stage(a_step("home"))

        class Full(type(made.journal)):
            def append(self, run, kind, item="", **more):
                if kind == "step.finished":
                    raise JournalError("the disk is full")
                return super().append(run, kind, item, **more)

        made.journal.__class__ = Full
        recorded = {}
        made.fresh(on_fatal=seen.append)
        with pytest.raises(JournalError):
            made.run(recorded)
        assert isinstance(seen[0], JournalError)
        assert recorded == {}

    def test_so_does_one_of_the_engine_itself(self, stage):
        class Broken(MemorySlots):
            async def run(self, name, work):
                work()
                raise OSError("database or disk is full")

        seen = []
        made = stage(a_step("home"))
        made.fresh(on_fatal=seen.append)
        with pytest.raises(OSError, match="full"):
            made.run(slots=Broken())
        assert [type(e) for e in seen] == [OSError]

    def test_after_it_the_run_goes_on_where_it_was(self, stage):
        class Once(MemorySlots):
            broken = False

            async def run(self, name, work):
                result = await super().run(name, work)
                if not Once.broken:
                    Once.broken = True
                    del self.recorded[name]
                    raise OSError("database or disk is full")
                return result

        step = an_action("act")
        made = stage(step)
        recorded = {}
        with pytest.raises(OSError, match="full"):
            made.run(slots=Once(recorded))
        made.fresh()
        assert made.run(slots=Once(recorded))["verdict"] == "go"
        assert step.block.work.log == ["act"]


class TestMemorySlots:
    def test_a_name_is_reserved_once(self):
        with pytest.raises(ValueError, match="twice"):
            MemorySlots().reserve(["a", "a"])

    def test_only_reserved_slots_run(self):
        with pytest.raises(ValueError, match="not reserved"):
            asyncio.run(MemorySlots().run("a", dict))

    def test_what_is_recorded_is_not_done_again(self):
        slots = MemorySlots({"a": {"x": 1}})
        slots.reserve(["a"])
        assert asyncio.run(slots.run("a", dict)) == {"x": 1}


def test_every_slot_that_a_release_runs_was_reserved_in_plan_order(stage):
    order = []

    class Watching(MemorySlots):
        def reserve(self, names):
            order.extend(names)
            super().reserve(names)

    plan = a_plan(
        a_phase("pre", a_step("b"), a_step("a")),
        a_phase("deploy", an_action("c")),
        rollback=a_rollback(an_option("one", an_action("act")), proof=[a_step("old")]),
    )
    stage(plan=plan).run(slots=Watching())
    assert order == all_slots(plan)
    assert order[:5] == ["b", "a", "pre?gate", "c", "deploy?gate"]
