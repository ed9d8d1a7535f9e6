"""A whole release: phases through their gates, the way back on a no-go, one verdict.

Everything between two slots is pure or idempotent: after a crash this function runs again from its
beginning, and every slot that was recorded answers at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

from gonogo.clock import moment
from gonogo.judge.verdict import Finding, Status, Verdict
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Consequence, Phase, Plan, Step
from gonogo.run import gates, watching
from gonogo.run.durable import Result, Slots
from gonogo.run.journal import Event
from gonogo.run.order import blocked, sorted_by_needs, waits
from gonogo.run.perform import perform
from gonogo.run.rollback import Back, Way, roll_back, slot_names
from gonogo.run.scene import Scene
from gonogo.run.watching import Watched

VERDICT = "?verdict"
SIDE_BY_SIDE = 8
"""How many parallel checks run at once; the front matter's `parallel:` may say less or more."""

EXIT_CODES: Mapping[str, int] = {"go": 0, "no-go": 1, "hold": 3, "rolled back": 4}


class Guarded:
    """Slots that never raise: an error that is no finding ends the process, not the run."""

    def __init__(self, slots: Slots, scene: Scene) -> None:
        """Wrap the engine's slots."""
        self._slots = slots
        self._scene = scene

    def reserve(self, names: Sequence[str]) -> None:
        """Draw all places."""
        self._slots.reserve(names)

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        """Run a slot; what raises is handed to the scene, which does not come back."""
        return await self._slots.run(name, partial(self._kept, work))

    def _kept(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except Exception as error:
            self._scene.on_fatal(error)
            raise


def all_slots(plan: Plan) -> list[str]:
    """Return the names of every slot of a plan, in plan order."""
    names: list[str] = []
    for phase in plan.released:
        names += [step.id for step in phase.steps] + watching.slot_names(plan, phase)
        names.append(f"{phase.id}?gate")
    return [*names, *slot_names(plan), VERDICT]


async def release(scene: Scene, slots: Slots) -> Result:
    """Carry the plan out and return the verdict as it stands in the journal."""
    try:
        return await _release(scene, slots)
    except Exception as error:
        scene.on_fatal(error)  # a release that raised would never be taken up again
        raise


async def _release(scene: Scene, slots: Slots) -> Result:
    kept = Guarded(slots, scene)
    kept.reserve(all_slots(scene.plan))
    good: set[str] = set()
    why = ""
    item = ""
    verdict = Verdict.GO if scene.plan.released else Verdict.HOLD
    for phase in scene.plan.released:
        decided = await _phase(scene, kept, phase, good)
        verdict = Verdict(str(decided["verdict"]))
        if verdict is not Verdict.GO:
            why, item = _reason(phase, decided), phase.id
            break
    back = None
    if verdict is Verdict.NO_GO:
        back = await roll_back(scene, kept, item=item, reason=why)
    return await kept.run(VERDICT, partial(_verdict, scene, verdict, why, back))


async def _phase(scene: Scene, slots: Guarded, phase: Phase, good: set[str]) -> Result:
    """Carry out one phase and close its gate; `good` collects what passed or was waived."""
    scene.once("phase.started", phase.id, body={"title": phase.title, "role": phase.role.value})
    steps = sorted_by_needs(phase.steps)
    waiting = waits(steps)
    ended = {step.id: asyncio.Event() for step in steps}
    findings: dict[str, Finding] = {}
    skipped: dict[str, str] = {}
    room = asyncio.Semaphore(max(1, int(scene.plan.settings.get("parallel", SIDE_BY_SIDE))))

    async def node(step: Step) -> None:
        before = [other for other in steps if other.id in waiting[step.id]]
        for other in before:
            await ended[other.id].wait()
        why = blocked(step, before, findings, frozenset(good))
        if why is None:
            async with nullcontext() if step.effect is Effect.MANUAL else room:
                result = await slots.run(step.id, partial(perform, scene, step))
            findings[step.id] = Finding.from_json(result)
        else:
            skipped[step.id] = why
            findings[step.id] = Finding(
                step.id, step.title, Status.UNKNOWN, step.effect.value, step.span.line, why=why
            )
        if findings[step.id].status in (Status.PASS, Status.WAIVED):
            good.add(step.id)
        ended[step.id].set()

    async def look_on() -> Watched | None:
        if watching.is_second(scene.plan, phase):
            return watching.not_watched(phase)
        if not watching.is_watched(scene.plan, phase):
            return None
        return await watching.watch(scene, slots, phase)

    watched, *_ = await asyncio.gather(look_on(), *(node(step) for step in steps))
    looked_at = [findings[step.id] for step in phase.steps if step.id not in skipped]
    close = partial(gates.close, scene, phase, looked_at, skipped, watched)
    decided = await slots.run(f"{phase.id}?gate", close)
    if decided["verdict"] == Verdict.GO.value:
        good.add(phase.id)
        good.update(step.id for step in phase.steps)  # a hold that became a go waives the rest
    return decided


def _reason(phase: Phase, decided: Result) -> str:
    if "aborted_by" in decided:
        return f"aborted by {decided['aborted_by']}: {decided['reason']}".rstrip(": ")
    reasons = decided.get("reasons")
    first = str(reasons[0]) if isinstance(reasons, list) and reasons else "no evidence"
    return f"{phase.title}: {first}"


def _verdict(scene: Scene, verdict: Verdict, why: str, back: Back | None) -> Result:
    word = verdict.value
    body: dict[str, object] = {"why": why}
    if back is not None:
        body |= {"way": back.way.value, "rollback": back.why}
        if back.restored:
            word = "rolled back"
            body["times"] = _recovery(scene)
        else:
            tried = back.way in (Way.OPTIONS, Way.UNDO)
            body["why"] = f"{why}; {'rollback failed' if tried else 'not rolled back'}: {back.why}"
    body |= {"verdict": verdict.value, "exit_code": EXIT_CODES[word]}
    found = scene.last("verdict.given")
    return (found or scene.write("verdict.given", body=body, durable=True)).body


def _recovery(scene: Scene) -> dict[str, float]:
    """Measure the way back in four parts, in seconds, from the journal's times.

    detect: from the first slice of the rule that fired, or the start of the first step that
    failed (else from the abort, else from the gate), to the finding; decide: to the start of the
    rollback; act: to the end of its last action; recover: to the last proof.
    """
    events = scene.journal.events(scene.run)
    begun = next(e for e in events if e.kind == "rollback.started")
    done = next(e for e in events if e.kind == "rollback.finished")
    found, started = _cause(events, begun)
    acts = [
        e
        for e in events
        if e.kind == "step.finished" and begun.seq < e.seq < done.seq and "?proof:" not in e.item
    ]
    acted = acts[-1] if acts else begun
    marks = [started, *(moment(e.at) for e in (found, begun, acted, done))]
    spans = [(b - a).total_seconds() for a, b in pairwise(marks)]
    names = ("detect_s", "decide_s", "act_s", "recover_s")
    return {name: round(max(s, 0.0), 3) for name, s in zip(names, spans, strict=True)}


def _cause(events: Sequence[Event], begun: Event) -> tuple[Event, datetime]:
    """Return what led to the rollback, and since when it could have been seen."""
    before = [e for e in events if e.seq < begun.seq]
    fired = [e for e in before if e.kind == "rule.moved" and e.body.get("after") == "firing"]
    rolled = [e for e in fired if e.body.get("consequence") == Consequence.ROLLBACK.value]
    if rolled:
        slices = rolled[0].body.get("slices")
        first = slices[0] if isinstance(slices, list) and slices else rolled[0].body["at_ms"]
        return rolled[0], datetime.fromtimestamp(int(str(first)) / 1000, UTC)
    failed = [e for e in before if e.kind == "step.finished" and e.body.get("status") == "fail"]
    aborted = [e for e in before if e.kind == "abort.requested"]
    decided = [e for e in before if e.kind == "gate.decided"][-1:]
    found = (failed or aborted or decided)[0]
    start = next((e for e in events if e.kind == "step.started" and e.item == found.item), found)
    return found, moment(start.at)
