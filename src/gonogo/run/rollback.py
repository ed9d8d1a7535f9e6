"""The way back after a no-go: the written options in order, else the `Undo:` blocks in reverse.

A rollback runs once per run, is deaf to aborts, and counts only when all of its steps and the
written proof that the old state is back have passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.grammar import read
from gonogo.plan.kinds import Divisible, Effect, Role
from gonogo.plan.model import Block, Expectation, Option, Plan, Step
from gonogo.run import ladder, recovering
from gonogo.run.durable import Slots
from gonogo.run.ladder import Climbed
from gonogo.run.people import Form, Question, ask
from gonogo.run.perform import perform
from gonogo.run.scene import Scene
from gonogo.run.watching import Relay

DECIDE = "rollback?decide"
DONE = "rollback?done"
_UNDO = "~undo"
_GOOD = (Status.PASS, Status.WAIVED)


class Way(StrEnum):
    """How a run goes back."""

    OPTIONS = "options"  # the rollback section
    UNDO = "undo"  # the `Undo:` blocks of what was done, last first
    NONE = "none"  # nothing was changed, or no way back was written
    REFUSED = "refused"  # `rollback: ask`, and a person said no


@dataclass(frozen=True, slots=True)
class Back:
    """What came of going back."""

    way: Way
    restored: bool
    why: str
    option: str = ""  # the id of the one that worked


def undo_steps(plan: Plan) -> tuple[Step, ...]:
    """Return one step per `Undo:` block, in the order in which they would run."""
    result: list[Step] = []
    for step in reversed(tuple(plan.steps())):
        for number, block in enumerate(step.undo, start=1):
            result.append(_undo(step, block, number))
    return tuple(result)


def slot_names(plan: Plan) -> list[str]:
    """Return the names of all slots that going back may need, in order."""
    names = [DECIDE, *ladder.choice_names(plan)]
    if plan.rollback is not None:
        for option in plan.rollback.options:
            names += ladder.slot_names(option)
            names += [f"{option.id}?begin", *(step.id for step in option.steps)]
            names += [step.id for step in _proof(plan, option.id)]
            names += recovering.slot_names(plan, option.id)
            names.append(f"{option.id}?end")
    names += [step.id for step in (*undo_steps(plan), *_proof(plan, _UNDO))]
    names += recovering.slot_names(plan, _UNDO)
    return [*names, DONE]


async def roll_back(
    scene: Scene, slots: Slots, *, item: str, reason: str, relay: Relay | None = None
) -> Back:
    """Go back, once; return what came of it. The alerts of the watch (`relay`) go on meanwhile."""
    decided = await slots.run(DECIDE, partial(_decide, scene, item, reason))
    way, relay = Way(str(decided["way"])), relay or Relay()
    if way is Way.OPTIONS:
        assert scene.plan.rollback is not None
        wish = str(decided.get("choice") or ladder.first_wish(scene.plan.rollback))
        carry_out = partial(_carry_out, scene, slots, relay)
        climbed = await ladder.climb(scene, slots, scene.plan.rollback, wish, carry_out)
    elif way is Way.UNDO:
        climbed = await _through_undo(scene, slots, relay)
    else:
        return Back(way, restored=False, why=str(decided["why"]))
    why = climbed.why + (_unproved(scene.plan) if climbed.restored else "")
    await slots.run(DONE, partial(_finish, scene, climbed.restored, why, climbed.option))
    return Back(way, climbed.restored, why, climbed.option)


def _decide(scene: Scene, item: str, reason: str) -> Mapping[str, object]:
    recorded = scene.last("rollback.started", DECIDE)
    if recorded is not None:
        return recorded.body
    way, why = _way(scene)
    choice = ""
    if way is not Way.NONE and not _automatic(scene.plan):
        back = scene.plan.rollback
        text = f"roll back? {reason}"
        question = Question(DECIDE, Form.ROLLBACK, text, back.span.line if back else 1)
        if back is not None and way is Way.OPTIONS:
            question = ladder.question(DECIDE, text, back, back.options)
        answer = ask(scene, question, deaf=True)
        if answer.answer == ladder.REFUSED:
            way, why = Way.REFUSED, f"{answer.who} refused: {answer.reason}"
        elif back is not None and way is Way.OPTIONS:
            choice = ladder.choice(back, answer.answer)
    body = {"way": way.value, "reason": reason, "item": item, "why": why, "choice": choice}
    if way in (Way.NONE, Way.REFUSED):
        return body  # nothing is begun: the verdict says why, and a replay finds the same
    return scene.write("rollback.started", DECIDE, body=body, durable=True).body


def _automatic(plan: Plan) -> bool:
    return plan.rollback.automatic if plan.rollback else plan.settings.get("rollback") != "ask"


def _way(scene: Scene) -> tuple[Way, str]:
    """Choose by what was begun: the options once a deployment began, else what has an undo."""
    options = scene.plan.rollback.options if scene.plan.rollback else ()
    deployed = False
    changed: list[Step] = []
    for phase in scene.plan.released:
        deployed = deployed or phase.role is Role.DEPLOY
        begun = [step for step in phase.steps if _has_changed(scene, step, deployed=deployed)]
        changed += begun
        if begun and deployed and options:
            return Way.OPTIONS, ""
    if any(_is_to_undo(scene, step) for step in scene.plan.steps()):
        return Way.UNDO, ""
    return Way.NONE, _why_none(changed, written=bool(options))


def _why_none(changed: Sequence[Step], *, written: bool) -> str:
    """Say why nothing is gone back: of what was begun nothing is done, or it has no way back."""
    if not changed:
        return "nothing was changed"
    if all(step.undo for step in changed):
        named = ", ".join(f"`{step.title}`" for step in changed)
        return f"nothing to undo: {named} did not come to its end, and only what is done is undone"
    if written:
        return "the deployment had not begun; what was done before it has no `Undo:`"
    return "no way back was written"


def _has_changed(scene: Scene, step: Step, *, deployed: bool) -> bool:
    """Say whether a step may have changed the world: begun, or done by a person's own hand."""
    if step.effect is Effect.MANUAL or step.block is None:
        return deployed and _passed(scene, step)
    if step.effect is not Effect.ACTION:
        return False
    return scene.last("step.started", step.id) is not None or _by_hand(scene, step)


def _is_to_undo(scene: Scene, step: Step) -> bool:
    """Say whether this run did what the step's `Undo:` takes back.

    A step that was found already done was not done by this run; one that failed is not done,
    unless its block keeps which part it did. A failure that was waived counts as done.
    """
    if not step.undo:
        return False
    if step.block is None or _by_hand(scene, step):
        return _passed(scene, step)
    found = scene.last("step.finished", step.id)
    good = found is not None and (
        found.body.get("status") in _GOOD or isinstance(step.block.work, Divisible)
    )
    return good and scene.last("step.started", step.id) is not None


def _passed(scene: Scene, step: Step) -> bool:
    found = scene.last("step.finished", step.id)
    return found is not None and found.body.get("status") == Status.PASS.value


def _by_hand(scene: Scene, step: Step) -> bool:
    answer = scene.last("answer.given", f"{step.id}?block")
    return answer is not None and answer.body.get("answer") == "by hand"


async def _carry_out(scene: Scene, slots: Slots, relay: Relay, option: Option) -> Finding | None:
    failed = await _in_turn(scene, slots, option.steps)
    return failed or await _proved(scene, slots, option.id, relay)


async def _through_undo(scene: Scene, slots: Slots, relay: Relay) -> Climbed:
    done = {step.id for step in scene.plan.steps() if _is_to_undo(scene, step)}
    steps = [step for step in undo_steps(scene.plan) if step.id.rsplit("~undo", 1)[0] in done]
    failed = await _in_turn(scene, slots, steps)
    failed = failed or await _proved(scene, slots, _UNDO, relay)
    if failed is None:
        return Climbed(restored=True, why=f"{len(done)} undone{_parts(scene, steps)}")
    return Climbed(restored=False, why=ladder.said_of(failed))


def _parts(scene: Scene, steps: Sequence[Step]) -> str:
    """Say which parts were taken back, where an action may be done in part."""
    said: list[str] = []
    for step in steps:
        found = scene.last("step.finished", step.id)
        if found is not None and step.block is not None and isinstance(step.block.work, Divisible):
            said += str(found.body.get("text") or "").splitlines()
    return f": {'; '.join(said)}" if said else ""


async def _proved(scene: Scene, slots: Slots, way: str, relay: Relay) -> Finding | None:
    """Look whether the old state is back; return the first finding that says otherwise."""
    failed = await _in_turn(scene, slots, _proof(scene.plan, way), stop_early=False)
    return failed or await recovering.green(scene, slots, way, relay)


def _unproved(plan: Plan) -> str:
    return "" if plan.rollback and plan.rollback.proof else "; no proof was written"


async def _in_turn(
    scene: Scene, slots: Slots, steps: Sequence[Step], *, stop_early: bool = True
) -> Finding | None:
    """Carry out steps one after another; return the first finding that is not good."""
    bad: Finding | None = None
    for step in steps:
        result = await slots.run(step.id, partial(perform, scene, step, deaf=True))
        finding = Finding.from_json(result)
        if finding.status not in _GOOD and bad is None:
            bad = finding
            if stop_early:
                break
    return bad


def _finish(scene: Scene, restored: bool, why: str, option: str) -> Mapping[str, object]:  # noqa: FBT001
    status = Status.PASS if restored else Status.FAIL
    body = {"status": status.value, "option": option, "why": why}
    return scene.once("rollback.finished", DECIDE, body=body)


def _undo(step: Step, block: Block, number: int) -> Step:
    return Step(
        id=f"{step.id}~undo{number}",
        title=f"undo: {step.title}",
        span=block.span,
        path=step.path,
        effect=Effect.ACTION,
        block=block,
        expect=default_expectation(block),
        timeout_s=step.timeout_s,
        interrupted=step.interrupted,
        destroys=tuple(
            replace(loss, span=loss.span.shifted(block.span.line - 1))
            for loss in block.work.destroys()
        ),
    )


def _proof(plan: Plan, way: str) -> tuple[Step, ...]:
    """Return proof steps of its own for each way: a second option is proved anew."""
    written = plan.rollback.proof if plan.rollback else ()
    return tuple(replace(s, id=f"{way}?proof:{s.id}", parallel=False) for s in written)


def default_expectation(block: Block) -> tuple[Expectation, ...]:
    """Return the condition that a block of this kind must meet when none is written."""
    text = block.work.default_expectation(Effect.ACTION)
    if text is None:
        return ()
    condition = read(text, block.span).condition
    assert condition is not None, f"kind {block.kind}: its default expectation is a condition"
    return (Expectation(condition, block.span, default=True),)
