"""A whole release: phases through their gates, the way back on a no-go, one verdict.

Everything between two slots is pure or idempotent: after a crash this function runs again from its
beginning, and every slot that was recorded answers at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from gonogo.judge.course import is_watched
from gonogo.judge.verdict import Finding, Status, Verdict
from gonogo.plan.kinds import Role
from gonogo.plan.model import Phase, Plan
from gonogo.run import drilling, gates, times, watching, windows
from gonogo.run.checkpoints import Rounds, untimed
from gonogo.run.durable import Result, Slots
from gonogo.run.ending import Ending
from gonogo.run.rollback import Back, Way, roll_back, slot_names
from gonogo.run.scene import Scene
from gonogo.run.walk import Walk
from gonogo.run.watching import Relay, Watched

VERDICT = "?verdict"
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
        names += windows.slot_names(phase)
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
    done = _Done()
    why = ""
    item = ""
    stays = False
    verdict = Verdict.GO if scene.plan.released else Verdict.HOLD
    for phase in scene.plan.released:
        if drilling.goes_back_before(scene, phase):
            break
        decided = await _kept_out(scene, kept, phase) or await _phase(scene, kept, phase, done)
        verdict = Verdict(str(decided["verdict"]))
        if verdict is not Verdict.GO:
            why, item, stays = _reason(phase, decided), phase.id, gates.stays(decided)
            break
    done.relay.close()
    if scene.drill and verdict is Verdict.GO:
        verdict, why = Verdict.NO_GO, drilling.WHY
    back = None
    if verdict is Verdict.NO_GO and not stays:
        back = await roll_back(scene, kept, item=item, reason=why, relay=done.relay)
    return await kept.run(VERDICT, partial(_verdict, scene, verdict, why, back))


async def _kept_out(scene: Scene, slots: Guarded, phase: Phase) -> Result | None:
    """Wait for the window of a phase; return the gate's no-go when nobody lets it begin."""
    if phase.calendar is None:
        return None
    _begin(scene, phase)
    entered = await slots.run(windows.slot_name(phase), partial(windows.enter, scene, phase))
    finding = Finding.from_json(entered)
    if finding.status in (Status.PASS, Status.WAIVED):
        return None
    return await slots.run(f"{phase.id}?gate", partial(gates.refuse, scene, phase, finding))


def _begin(scene: Scene, phase: Phase) -> None:
    scene.once("phase.started", phase.id, body={"title": phase.title, "role": phase.role.value})


@dataclass(slots=True)
class _Done:
    """What the phases of a release hand on: what passed or was waived, and the watch so far."""

    good: set[str] = field(default_factory=set)
    relay: Relay = field(default_factory=Relay)


async def _phase(scene: Scene, slots: Guarded, phase: Phase, done: _Done) -> Result:
    """Carry out one phase and close its gate."""
    _begin(scene, phase)
    here = replace(scene, ending=Ending()) if phase.role is Role.WATCH else scene
    walk, rounds = Walk(here, slots, untimed(phase), done.good), Rounds(here, slots, phase)
    began_ms = await watching.begun_at(here, slots, phase, done.relay)

    async def look_on() -> Watched | None:
        if not is_watched(scene.plan, phase):
            return None
        return await watching.watch(here, slots, phase, done.relay)

    watched, *_ = await asyncio.gather(
        look_on(), walk.through(), rounds.through(began_ms, done.good)
    )
    found = [*walk.looked_at(), *rounds.looked_at()]
    close = partial(gates.close, scene, phase, found, walk.skipped | rounds.skipped, watched)
    decided = await slots.run(f"{phase.id}?gate", close)
    if decided["verdict"] == Verdict.GO.value:
        done.good.add(phase.id)
        done.good.update(step.id for step in phase.steps)  # a hold that became a go waives the rest
    return decided


def _reason(phase: Phase, decided: Result) -> str:
    if "aborted_by" in decided:
        return f"aborted by {decided['aborted_by']}: {decided['reason']}".rstrip(": ")
    reasons = decided.get("reasons")
    first = str(reasons[0]) if isinstance(reasons, list) and reasons else "no evidence"
    kept = f"; {decided['by']} keeps the release" if gates.stays(decided) else ""
    return f"{phase.title}: {first}{kept}"


def _verdict(scene: Scene, verdict: Verdict, why: str, back: Back | None) -> Result:
    word = verdict.value
    body: dict[str, object] = {"why": why}
    if back is not None:
        body |= {"way": back.way.value, "rollback": back.why}
        if back.restored:
            word = "rolled back"
            body["times"] = times.measured(scene)
            body["recovery"] = times.held_against(scene, times.measured(scene), back.option)
        else:
            tried = back.way in (Way.OPTIONS, Way.UNDO)
            body["why"] = f"{why}; {'rollback failed' if tried else 'not rolled back'}: {back.why}"
    body |= {"verdict": verdict.value, "exit_code": EXIT_CODES[word]}
    found = scene.last("verdict.given")
    return (found or scene.write("verdict.given", body=body, durable=True)).body
