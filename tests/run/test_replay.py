"""The law of the replay: cut anywhere and as often as you like, the evidence is the same.

Actions are real commands under the real shim, so that what a dying process leaves behind is
really there; checks are scripted. Death comes out of the journal (after or before an event is
written) or out of a slot (before its work, or after it and before it is recorded).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.scenes import RUN, Stage
from tests.support.works import (
    Scripted,
    Shelled,
    a_block,
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_option,
    wanted,
)

from gonogo.errors import WorkError
from gonogo.plan.kinds import Effect, Role
from gonogo.plan.model import Done, Plan, Retry, Step
from gonogo.plan.summary import plan_summary
from gonogo.report.evidence import collect
from gonogo.run.durable import MemorySlots
from gonogo.run.journal import broken_link
from gonogo.store.journal import SqliteJournal

OK = {"ok": True}
BAD = {"ok": False}
MOST_LIVES = 400


class Death(BaseException):
    """The process is gone; nothing of ours may catch this."""


class Mortal(SqliteJournal):
    """A journal whose process dies around the n-th event of its life."""

    left = 10**9
    before = False

    def append(self, *args: Any, **more: Any) -> Any:
        self.left -= 1
        if self.left <= 0 and self.before:
            raise Death
        event = super().append(*args, **more)
        if self.left <= 0:
            raise Death
        return event


class MortalSlots(MemorySlots):
    """Slots whose process dies around the n-th one that is really run."""

    left = 10**9
    before = False

    async def run(self, name: str, work: Callable[[], Any]) -> Any:
        if name in self.recorded:
            return await super().run(name, work)
        self.left -= 1
        if self.left <= 0 and self.before:
            raise Death
        result = await super().run(name, work)
        if self.left <= 0:
            del self.recorded[name]
            raise Death
        return result


@st.composite
def checks(draw: st.DrawFn, name: str, **more: Any) -> Step:
    result = draw(st.sampled_from([OK, OK, OK, BAD, {}, WorkError("no route")]))
    retry = draw(st.none() | st.just(Retry(3, 5)))
    results = (BAD, OK) if retry else (result,)
    return a_step(name, Scripted(name, results), retry=retry, **more)


def act(name: str, undo: str = "", *, fails: bool = False, **more: Any) -> Step:
    command = f"echo {name} >>effects" + ("; exit 1" if fails else "")
    blocks = (a_block(Shelled(undo, command=f"echo {undo} >>effects")),) if undo else ()
    work = Shelled(name, command=command)
    return a_step(name, work, effect=Effect.ACTION, undo=blocks, **more)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    number = iter(range(100))

    def some(most: int, **more: Any) -> list[Step]:
        return [
            draw(checks(f"check{next(number)}", parallel=draw(st.booleans()), **more))
            for _ in range(draw(st.integers(0, most)))
        ]

    pre = some(2, critical=draw(st.booleans()))
    if draw(st.booleans()):
        pre.append(a_manual("told"))
    deploy = [act("one", "one-undo" if draw(st.booleans()) else "")]
    if draw(st.booleans()):
        seen = Done(
            a_block(Scripted("seen", (draw(st.sampled_from([OK, BAD])),))), wanted("ok = true")
        )
        deploy.append(act("two", "two-undo", unless=seen))
    deploy.append(act("three", fails=draw(st.booleans())))
    phases = [a_phase("pre", *pre, role=Role.PREFLIGHT)] if pre else []
    phases.append(a_phase("deploy", *deploy, role=Role.DEPLOY))
    phases.append(
        a_phase("smoke", *some(3), a_step("last", None, draw(st.sampled_from([OK, BAD]))))
    )
    back = None
    if draw(st.booleans()):
        options = [an_option("opt1", act("back1", fails=draw(st.booleans())))]
        if draw(st.booleans()):
            options.append(an_option("opt2", act("back2")))
        back = a_rollback(*options, proof=[a_step("old", None, draw(st.sampled_from([OK, BAD])))])
    return a_plan(*phases, rollback=back)


def reset(plan: Plan) -> Plan:
    """Return the same plan with fresh works: nothing was carried out yet."""

    def block(old: Any) -> Any:
        return replace(old, work=replace(old.work, log=[]))

    def step(old: Step) -> Step:
        return replace(
            old,
            block=block(old.block) if old.block else None,
            unless=replace(old.unless, block=block(old.unless.block)) if old.unless else None,
            undo=tuple(block(b) for b in old.undo),
        )

    back = plan.rollback
    if back is not None:
        options = tuple(replace(o, steps=tuple(step(s) for s in o.steps)) for o in back.options)
        back = replace(back, options=options, proof=tuple(step(s) for s in back.proof))
    phases = tuple(replace(p, steps=tuple(step(s) for s in p.steps)) for p in plan.phases)
    return replace(plan, phases=phases, rollback=back)


def staged(folder: Path, plan: Plan) -> Stage:
    folder.mkdir()
    made = Stage(folder, reset(plan))
    made.journal.__class__ = Mortal
    made.answers({"told": "yes", **{f"{p.id}?gate": "go" for p in plan.phases}}, reason="accepted")
    made.scene.write("run.started", body={"plan": plan_summary(plan), "service": "search"})
    return made


def lived(made: Stage, *, cut: str, every: int, before: bool) -> int:
    """Carry a run through as many lives as it takes; return how many there were."""
    recorded: dict[str, Any] = {}
    known, patience = 0, 0
    for life in range(1, MOST_LIVES):
        made.journal.left = every + patience if cut == "event" else 10**9
        made.journal.before = before
        slots = MortalSlots(recorded)
        slots.left, slots.before = (every + patience if cut == "slot" else 10**9), before
        made.fresh()
        try:
            made.run(slots=slots)
        except Death:
            # A check that dies right after its start in every life would never end: live longer.
            now = len({(e.kind, e.item) for e in made.events()}) + len(recorded)
            known, patience = (now, 0) if now > known else (known, patience + 1)
            continue
        return life
    pytest.fail("the run does not get on")


def effects(made: Stage) -> list[str]:
    file = made.folder / "effects"
    return file.read_text().split() if file.exists() else []


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("cut", ["event", "slot"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(plan=plans(), every=st.integers(1, 3))
def test_a_run_that_dies_again_and_again_ends_with_the_same_evidence(plan, every, cut, before):
    with tempfile.TemporaryDirectory() as folder:
        calm = staged(Path(folder) / "calm", plan)
        calm.run()
        cut_off = staged(Path(folder) / "cut", plan)
        lives = lived(cut_off, cut=cut, every=every, before=before)
        try:
            assert lives > 1 or every > 1
            told = [collect(made.journal.events(RUN)) for made in (calm, cut_off)]
            assert told[1].comparable() == told[0].comparable()
            assert effects(cut_off) == effects(calm)
            assert len(set(effects(cut_off))) == len(effects(cut_off))
            assert broken_link(cut_off.journal.events(RUN)) is None
            ended = [e.item for e in cut_off.events("step.finished")]
            assert len(set(ended)) == len(ended)
        finally:
            calm.journal.close()
            cut_off.journal.close()


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("again", [0, 1, 2])
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(every=st.integers(1, 4))
def test_without_a_trace_an_action_begins_again_only_when_a_person_says_so(every, again, before):
    step = a_step("act", Scripted("act"), effect=Effect.ACTION)
    with tempfile.TemporaryDirectory() as folder:
        made = staged(Path(folder) / "cut", a_plan(a_phase("deploy", step, role=Role.DEPLOY)))
        words = {f"act?interrupted{n}": "again" if n <= again else "done" for n in range(1, 9)}
        made.answers(words)
        lived(made, cut="event", every=every, before=before)
        try:
            given_ = [e for e in made.events("answer.given") if "?interrupted" in e.item]
            allowed = 1 + sum(e.body["answer"] == "again" for e in given_)
            begun = [e for e in made.events("step.started") if e.item == "act"]
            work = made.plan.phases[0].steps[0].block.work
            assert len(begun) <= allowed
            assert len(work.log) <= allowed
            assert every > 2 or given_
        finally:
            made.journal.close()
