"""A watch inside a release: slices of time, one durable slot each, until the end or a trigger.

A slot returns the closed buckets; what they mean is worked out from the recorded buckets alone, so
that streaks, moves and the trigger are the same after every replay. The bucket grid lies on the
wall clock: time in which nobody watched is a gap, never a slice that was made up.

A release may have several watches. One goes on where the one before ended: its rules stand where
they stood, its first slice follows the last one. What happened between two of them is judged by
the rules that belong to all; what nobody saw there is a gap and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gonogo.errors import Diagnostic
from gonogo.judge import watch as judged
from gonogo.judge.buckets import Bucket
from gonogo.judge.course import (
    LONGER,
    figured,
    forms_of,
    is_watched,
    planned,
    sources_of,
    terms_of,
    watching_of,
)
from gonogo.judge.firing import refusals
from gonogo.judge.measures import limits_of, with_baseline
from gonogo.judge.moves import Move
from gonogo.judge.relay import Leg, Times
from gonogo.judge.rules import Machine
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Phase, Plan
from gonogo.run import baseline, drilling
from gonogo.run.attending import Attendant, begin, now_ms, slices_of
from gonogo.run.durable import Result, Slots
from gonogo.run.noting import note, opening, told
from gonogo.run.sampling import Begun
from gonogo.run.scene import Scene


@dataclass(slots=True)
class Watched:
    """What a watch has come to."""

    findings: list[Finding] = field(default_factory=list)
    trigger: Move | None = None  # the move that rolls back


@dataclass(slots=True)
class Relay:
    """What one watch hands to the next; `close` when the last one is over."""

    first: Begun | None = None  # the begin of the first watch
    begun: Begun | None = None  # of the latest one
    machine: Machine | None = None
    attendant: Attendant | None = None

    def close(self) -> None:
        """End the reading of the sources, if it was begun."""
        if self.attendant is not None:
            self.attendant.close()
            self.attendant = None


def has_times(phase: Phase) -> bool:
    """Say whether something in a phase counts from its begin."""
    return bool(phase.checkpoints)


def slot_names(plan: Plan, phase: Phase) -> list[str]:
    """Return the names of the slots that the watch of a phase may need, in order."""
    begins = [_begin_slot(phase)] if has_times(phase) or is_watched(plan, phase) else []
    if not is_watched(plan, phase):
        return begins
    return [*begins, *(_slot(phase, n) for n in range(planned(plan, phase) + LONGER))]


async def begun_at(scene: Scene, slots: Slots, phase: Phase, relay: Relay) -> int | None:
    """Begin a watch; return the moment from which its times count, in milliseconds.

    That is the begin of the first watch for one that is called `First day`. None where nothing
    of a phase counts from its begin.
    """
    if not has_times(phase) and not is_watched(scene.plan, phase):
        return None
    recorded = await slots.run(_begin_slot(phase), partial(_begin, scene, phase, relay.first))
    mine = Begun.from_json(recorded)
    relay.first, relay.begun = relay.first or mine, mine
    return relay.first.started_ms if phase.from_first else mine.started_ms


async def watch(scene: Scene, slots: Slots, phase: Phase, relay: Relay) -> Watched:
    """Watch until the planned end and no streak is open, a trigger fires, or the run is aborted."""
    plan = scene.plan
    refused = refusals(plan)
    if refused:
        return _refused(phase, refused)
    assert relay.begun is not None, "a watch was begun before it is watched"
    course = _Course(scene, phase, relay, relay.begun)
    attendant = course.attendant()
    watched = Watched()
    complete = False
    for number in range(planned(plan, phase) + LONGER):
        result = await slots.run(_slot(phase, number), attendant.next)
        slices = slices_of(result)
        if not slices:
            break  # the run was aborted, or a critical check has failed
        for start_ms, buckets in slices:
            moves = course.step(start_ms, buckets)
            note(scene, phase, course.machine, start_ms, buckets)
            watched.trigger = watched.trigger or told(scene, phase, moves)
        attendant.before = result
        complete = course.leg.is_complete(slices[-1][0])
        is_open = judged.open_streaks(course.machine)
        if watched.trigger is not None or (complete and not is_open):
            break
    relay.machine = course.machine
    watched.findings = judged.findings(course.machine, complete=complete)
    why = _why(scene, watched.trigger, complete=complete)
    scene.once("watch.ended", phase.id, body={"why": why, "complete": complete})
    if watched.trigger is not None and scene.ending is not None:
        scene.ending.end(f"{rule_said(plan, watched.trigger.rule)}: it rolls back")
    return watched


def rule_said(plan: Plan, name: str) -> str:
    """Return a rule as it is written, for people; its id where nobody wrote it."""
    return next((rule.condition.text for rule in plan.rules if rule.id == name), name)


class _Course:
    """The way of one watch: which rules judge a slice, and when it is over."""

    def __init__(self, scene: Scene, phase: Phase, relay: Relay, mine: Begun) -> None:
        self._scene, self._relay = scene, relay
        plan = scene.plan
        self._sources = sources_of(plan)
        forms, terms = forms_of(self._sources), terms_of(plan)
        values = baseline.values(scene)
        full, common = Machine(figured(plan, phase), forms, terms, values), None
        if relay.machine is not None:  # until this watch begins, only the rules of all judge
            common = Machine([r for r in figured(plan) if not r.phase], forms, terms, values)
            common.follow(relay.machine)
        self._first = relay.first or mine
        first_ms, begun_ms = self._first.started_ms, mine.started_ms
        ends_ms = watching_of(plan, phase).ends_ms(first_ms, begun_ms, terms.width_ms)
        self.leg = Leg(Times(first_ms, begun_ms, ends_ms), full, common)
        conditions = (with_baseline(rule.condition, values) for rule in figured(plan))
        self._limits = limits_of(conditions, forms)

    @property
    def machine(self) -> Machine:
        """Return the rules that judge now."""
        return self.leg.machine

    def attendant(self) -> Attendant:
        """Return who reads the sources: the one of the watch before, where that was ours."""
        relay = self._relay
        if relay.attendant is None:
            relay.attendant = Attendant(self._scene, self._sources, self._limits, self._first)
        relay.attendant.scene = self._scene
        return relay.attendant

    def step(self, start_ms: int, buckets: Mapping[str, Bucket]) -> list[Move]:
        """Judge one slice; the first one of a release, which is a part, is shown and not judged."""
        if not self.leg.turn(start_ms):
            return []
        drilling.make_up(self._scene, self.machine)
        return self.machine.step(start_ms, buckets)


def _why(scene: Scene, trigger: Move | None, *, complete: bool) -> str:
    if trigger is not None:
        return trigger.reason
    cut_short = scene.ending.why if scene.ending is not None else ""
    return "planned end" if complete else cut_short or "stopped"


def _refused(phase: Phase, refused: Sequence[Diagnostic]) -> Watched:
    """Return what a watch comes to whose rules cannot be judged: nothing is known."""
    return Watched(
        [
            Finding(
                item=f"{phase.id}?{number}",
                title="the rules can be judged",
                status=Status.UNKNOWN,
                effect="check",
                line=each.span.line,
                expected="rules that fit their metrics",
                why=each.message,
            )
            for number, each in enumerate(refused)
        ]
    )


def _begin_slot(phase: Phase) -> str:
    return f"{phase.id}?watch"


def _slot(phase: Phase, number: int) -> str:
    return f"{phase.id}?slice{number}"


def _begin(scene: Scene, phase: Phase, first: Begun | None) -> Result:
    """Journal the start of the watch: what is seen from now on is judged."""
    recorded = scene.last("watch.started", phase.id)
    if recorded is not None:
        return recorded.body
    plan = scene.plan
    if not is_watched(plan, phase) or refusals(plan):
        return {"started_ms": now_ms(scene) // 1000 * 1000, "positions": {}}
    body = opening(plan, phase, baseline.recorded(scene))
    if first is None:
        body |= begin(scene, sources_of(plan))
    else:  # the sources are read on from where the watch before left them
        body |= {"started_ms": now_ms(scene) // 1000 * 1000, "first_ms": first.started_ms}
    return scene.once("watch.started", phase.id, body=body)
