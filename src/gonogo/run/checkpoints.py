"""The checkpoints of a watch: each looks at its steps when it begins, on its beat, and at its end.

    checkpoints.began  phase     started_ms, checkpoints (title, begins_s, ends_s, steps)
    look.taken         step      checkpoint, due_ms, status, actual, why
    look.missed        step      checkpoint, due_ms, why (nobody looked: it is not made up)
    checkpoints.ended  phase     -

Timers stand on the wall clock and begin anew from the journal: after a crash the next look happens
when it is due, and those that fell into the gap are missed.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from gonogo.clock import moment
from gonogo.judge.looks import say, together
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Checkpoint, Mode, Phase, Step
from gonogo.plan.samples import to_ms
from gonogo.run.by_hand import allowed, manual, opening, shown
from gonogo.run.durable import Slots
from gonogo.run.findings import blank
from gonogo.run.looking import look, remembered
from gonogo.run.order import blocked
from gonogo.run.people import Aborted, stop_signal
from gonogo.run.perform import context_of, perform
from gonogo.run.scene import Scene

_LEAST_SLACK_MS = 2_000
_MOST_SLACK_MS = 300_000
_FAR_S = 10.0
_HAIR = 1e-6  # of a beat: what dividing a calendar leaves over
_MOST_NAMED = 6
_MISSED = "nobody looked: gonogo was not running"
_BUSY = "nobody looked: the look before it still went on"


@dataclass(frozen=True, slots=True)
class Round:
    """One step of a checkpoint: when it is due."""

    step: Step
    checkpoint: Checkpoint
    began_ms: int  # of the watch
    until_ms: int  # its end: what is due once may be looked at until then

    def dues(self) -> tuple[int, ...]:
        """Return when it is looked at: at the begin, on the beat, at the end; each once."""
        one, beat = self.checkpoint, self.step.every_s or self.checkpoint.every_s
        begin = self.began_ms + round(one.begins_s * 1000)
        end = self.began_ms + round(one.ends_s * 1000)
        length = one.ends_s - one.begins_s
        number = max(1, math.ceil(length / beat - _HAIR)) if beat else 1
        between = [begin + round(n * (beat or 0.0) * 1000) for n in range(number)]
        return tuple(dict.fromkeys([*(due for due in between if due < end), end]))

    def slack_ms(self, number: int) -> int:
        """Return how late a look may be: half of the way to its neighbour, at most 5 minutes."""
        dues = self.dues()
        if len(dues) == 1:
            return max(self.until_ms - dues[0], _MOST_SLACK_MS)
        other = dues[number + 1] if number + 1 < len(dues) else dues[number - 1]
        return max(_LEAST_SLACK_MS, min(abs(other - dues[number]) // 2, _MOST_SLACK_MS))

    def deadline(self) -> datetime | None:
        """Return until when a person must have answered; None where the watch is over by then."""
        end_ms = self.dues()[-1]
        if self.checkpoint.once:
            end_ms = self.until_ms if self.until_ms > end_ms else 0
        return datetime.fromtimestamp(end_ms / 1000, UTC) if end_ms else None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look as it stands in the journal."""

    due_ms: int
    status: Status | None  # None: missed
    actual: str = ""
    why: str = ""


class Rounds:
    """Carries out the checkpoints of one watch; `skipped` tells why a step was not carried out."""

    def __init__(self, scene: Scene, slots: Slots, phase: Phase) -> None:
        """Begin with nothing done."""
        self.skipped: dict[str, str] = {}
        self._findings: dict[str, Finding] = {}
        self._scene, self._slots, self._phase = scene, slots, phase
        self._good: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def through(self, began_ms: int | None, good: set[str]) -> None:
        """Return when the last checkpoint has ended; times count from `began_ms`.

        What passes or is waived is added to `good`.
        """
        phase = self._phase
        if not phase.checkpoints or began_ms is None:
            return
        self._good = good
        steps = {step.id: step for step in phase.steps}
        ends = [phase.span_s or 0.0, *(one.ends_s for one in phase.checkpoints)]
        until_ms = began_ms + round(max(ends) * 1000)
        _note_begin(self._scene, phase, began_ms)
        rounds = [
            Round(steps[name], one, began_ms, until_ms)
            for one in phase.checkpoints
            for name in one.steps
        ]
        for each in rounds:
            self._tasks[each.step.id] = asyncio.create_task(self._one(each))
        await asyncio.gather(*self._tasks.values())
        self._scene.once("checkpoints.ended", phase.id)

    def looked_at(self) -> list[Finding]:
        """Return what was found, in the order of the document."""
        ids = (step.id for step in self._phase.steps if step.id not in self.skipped)
        return [self._findings[name] for name in ids if name in self._findings]

    async def _one(self, each: Round) -> None:
        step = each.step
        for need in step.needs:
            if need in self._tasks:
                await self._tasks[need]
        why = blocked(step, None, self._good)
        if why is None:
            finding = Finding.from_json(
                await self._slots.run(step.id, partial(carry_out, self._scene, each))
            )
        else:
            self.skipped[step.id] = why
            finding = blank(step, Status.UNKNOWN, why)
        self._findings[step.id] = finding
        if finding.status in (Status.PASS, Status.WAIVED):
            self._good.add(step.id)


def untimed(phase: Phase) -> Phase:
    """Return a phase with those of its steps that belong to no checkpoint."""
    timed = {name for one in phase.checkpoints for name in one.steps}
    return replace(phase, steps=tuple(step for step in phase.steps if step.id not in timed))


def _note_begin(scene: Scene, phase: Phase, began_ms: int) -> None:
    shown_ = [
        {"title": c.title, "begins_s": c.begins_s, "ends_s": c.ends_s, "steps": list(c.steps)}
        for c in phase.checkpoints
    ]
    body = {"started_ms": began_ms, "checkpoints": shown_}
    scene.once("checkpoints.began", phase.id, body=body)


def carry_out(scene: Scene, each: Round) -> Mapping[str, object]:
    """Carry out one step of a checkpoint to its end and return its finding as JSON."""
    step = each.step
    if step.block is None:
        way = partial(_asked, scene, each)
    elif step.effect is Effect.ACTION:
        _wait_until(scene, each.dues()[0])
        return perform(scene, step)
    else:
        way = partial(_looked, scene, each)
    return perform(scene, step, way=way)


def _asked(scene: Scene, each: Round) -> Finding:
    """Ask a person when the checkpoint begins; unanswered at its end, nothing is known."""
    _wait_until(scene, each.dues()[0])
    return manual(scene, each.step, until=each.deadline())


def _wait_until(scene: Scene, at_ms: int) -> None:
    """Wait on the wall clock, which goes on while a machine sleeps.

    Raises:
        Aborted: the run or the watch was ended meanwhile.
    """
    stop = stop_signal(scene, deaf=False)
    while True:
        if stop():
            raise Aborted
        left = (at_ms - to_ms(scene.clock.now())) / 1000
        if left <= 0:
            return
        scene.clock.wait(min(left, 1.0 if left > _FAR_S else scene.poll_s))


def _looked(scene: Scene, each: Round) -> Finding:
    """Look whenever it is due; a critical step that fails ends the watch at once."""
    step, looks = each.step, _journaled(scene, each.step)
    latest: Finding | None = None
    busy_ms = 0
    for number, due_ms in enumerate(each.dues()):
        if due_ms in looks:
            if _decides(scene, step, looks[due_ms]):
                break
            continue
        if to_ms(scene.clock.now()) - due_ms > each.slack_ms(number):
            looks[due_ms] = _miss(scene, each, due_ms, _BUSY if busy_ms > due_ms else _MISSED)
            continue
        _wait_until(scene, due_ms)
        settled = _first(scene, step)
        if settled is not None:
            return settled
        looks[due_ms], latest = _take(scene, each, number)
        busy_ms = to_ms(scene.clock.now())
        if _decides(scene, step, looks[due_ms]):
            break
    finding = _summed(scene, step, [looks[due] for due in sorted(looks)], latest)
    return shown(scene, step, finding)


def _first(scene: Scene, step: Step) -> Finding | None:
    """Begin the step in the journal; in assisted mode a person says first whether it may run."""
    if scene.last("step.started", step.id) is not None:
        return None
    if scene.plan.mode is Mode.ASSISTED:
        settled = allowed(scene, step)
        if settled is not None:
            return settled
    assert step.block is not None
    scene.write("step.started", step.id, body=opening(step, step.block.work.describe()), attempt=1)
    return None


def _take(scene: Scene, each: Round, number: int) -> tuple[_Look, Finding]:
    step = each.step
    assert step.block is not None
    due_ms = each.dues()[number]
    folder = scene.attempt_folder(f"{step.id}~look", number + 1)
    context = replace(context_of(scene, step), folder=folder)
    begun = scene.clock.monotonic()
    seen = look(step.block, step.expect, context, remembered(scene, step))
    if context.should_stop() and seen.status is not Status.PASS:
        raise Aborted
    found = blank(
        step,
        seen.status,
        seen.why,
        actual=seen.actual,
        text=seen.text,
        indicators=seen.kept,
        sentences=seen.sentences,
        duration_s=round(scene.clock.monotonic() - begun, 3),
        notes=seen.notes,
    )
    body = {
        "checkpoint": each.checkpoint.title,
        "due_ms": due_ms,
        "status": seen.status.value,
        "actual": seen.actual,
        "why": seen.why,
    }
    scene.write("look.taken", step.id, body=body, attempt=number + 1)
    return _Look(due_ms, seen.status, seen.actual, seen.why), found


def _miss(scene: Scene, each: Round, due_ms: int, why: str) -> _Look:
    body = {"checkpoint": each.checkpoint.title, "due_ms": due_ms, "why": why}
    scene.write("look.missed", each.step.id, body=body)
    return _Look(due_ms, None, why=why)


def _decides(scene: Scene, step: Step, one: _Look) -> bool:
    """End the watch when a critical step has failed."""
    if not step.critical or one.status is not Status.FAIL:
        return False
    if scene.ending is not None:
        scene.ending.end(f"critical: `{step.title}` failed: {one.why}")
    return True


def _journaled(scene: Scene, step: Step) -> dict[int, _Look]:
    """Return the looks of before, by when they were due."""
    found: dict[int, _Look] = {}
    for event in scene.journal.of_item(scene.run, step.id):
        if event.kind in ("look.taken", "look.missed"):
            body, due_ms = event.body, int(str(event.body["due_ms"]))
            status = Status(str(body["status"])) if "status" in body else None
            found[due_ms] = _Look(due_ms, status, str(body.get("actual", "")), str(body["why"]))
    return found


def _summed(scene: Scene, step: Step, looks: list[_Look], latest: Finding | None) -> Finding:
    """Return one finding of all looks, with the worst one's words."""
    status = together([one.status for one in looks])
    telling = [one for one in looks if one.status is status] or looks[-1:]
    begun = scene.last("step.started", step.id)
    base = latest or blank(step, status, "")
    said = say([one.status for one in looks])
    bad = [one for one in looks if one.status is not Status.PASS]
    named = [f"{_at(one)} {_word(one)}" for one in bad[:_MOST_NAMED]]
    more = [f"and {len(bad) - _MOST_NAMED} more"] if len(bad) > _MOST_NAMED else []
    return replace(
        base,
        status=status,
        why="" if status is Status.PASS else f"{telling[-1].why or telling[-1].actual} ({said})",
        actual=telling[-1].actual,
        started=begun.at if begun is not None else "",
        duration_s=_since(scene, begun.at) if begun is not None else 0.0,
        attempts=1,
        notes=(*base.notes, said, *named, *more),
    )


def _since(scene: Scene, at: str) -> float:
    return round((scene.clock.now() - moment(at)).total_seconds(), 3)


def _at(one: _Look) -> str:
    return f"{datetime.fromtimestamp(one.due_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _word(one: _Look) -> str:
    said = one.why or one.actual
    return f"{'missed' if one.status is None else one.status.value}: {said}".rstrip(": ")
