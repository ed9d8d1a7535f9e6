"""A watch inside a release: slices of time, one durable slot each, until the end or a trigger.

A slot returns the closed buckets; what they mean is worked out from the recorded buckets alone, so
that streaks, moves and the trigger are the same after every replay. The bucket grid lies on the
wall clock: time in which nobody watched is a gap, never a slice that was made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from gonogo.judge import watch as judged
from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.rules import Machine, Move, Terms
from gonogo.judge.streaks import State
from gonogo.judge.verdict import Finding
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Phase, Plan
from gonogo.plan.samples import to_ms
from gonogo.plan.sources import Source
from gonogo.plan.sources_read import read_metric
from gonogo.run.durable import Slots
from gonogo.run.people import is_aborted
from gonogo.run.sampling import Closed, Station, form_of
from gonogo.run.scene import Scene

BUCKET_S = 300
"""The width of a bucket when the runbook says none."""
LONGER = 24
"""How many slices a watch may last longer while a streak is open, a clock is set, or at its end."""
_LONG_GRACE_S = 5
_SHORT_GRACE_S = 1
_MINUTE_MS = 60_000


@dataclass(slots=True)
class Watched:
    """What a watch has come to."""

    findings: list[Finding] = field(default_factory=list)
    trigger: Move | None = None  # the move that rolls back


def is_watched(plan: Plan, phase: Phase) -> bool:
    """Say whether a phase is watched: it has the role, and there are rules to watch."""
    first = next((p for p in plan.phases if p.role is Role.WATCH), None)
    return bool(plan.rules) and first is not None and phase.id == first.id


def slot_names(plan: Plan, phase: Phase) -> list[str]:
    """Return the names of the slots that the watch of a phase may need, in order."""
    if not is_watched(plan, phase):
        return []
    return [f"{phase.id}?watch", *(_slot(phase, n) for n in range(planned(plan, phase) + LONGER))]


def planned(plan: Plan, phase: Phase) -> int:
    """Return how many slices the watch lasts: its stated length, else its longest rule."""
    width = width_ms(plan)
    if phase.span_s is not None:
        return max(1, -(-int(phase.span_s * 1000) // width))
    windows = [rule.condition.window for rule in plan.rules if rule.condition.window]
    counts = [window.of or window.count or 1 for window in windows]
    lasting = [-(-int((window.seconds or 0) * 1000) // width) for window in windows]
    return max([1, *counts, *lasting])


def width_ms(plan: Plan) -> int:
    """Return the width of a bucket in milliseconds."""
    return int(Decimal(plan.settings.get("bucket", BUCKET_S)) * 1000)


def now_ms(scene: Scene) -> int:
    """Return the wall-clock time in milliseconds since 1970, UTC."""
    return to_ms(scene.clock.now())


def grid_of(plan: Plan) -> Grid:
    """Return the grid of the watch; short buckets have a short grace."""
    width = width_ms(plan)
    return Grid(width // 1000, _LONG_GRACE_S if width >= _MINUTE_MS else _SHORT_GRACE_S)


def sources_of(plan: Plan) -> dict[str, Source]:
    """Return the sources of the metrics that are bound; lint has refused mistakes in them."""
    names = [target.name for target in plan.targets]
    found = {metric.name: read_metric(metric, names)[0] for metric in plan.metrics}
    return {name: source for name, source in found.items() if source is not None}


async def watch(scene: Scene, slots: Slots, phase: Phase) -> Watched:
    """Watch until the planned end and no streak is open, a trigger fires, or the run is aborted."""
    plan = scene.plan
    sources = sources_of(plan)
    begun = await slots.run(f"{phase.id}?watch", partial(_begin, scene, phase, sources))
    started = int(str(begun["started_ms"]))
    terms = Terms(width_ms=width_ms(plan))
    machine = Machine(plan.rules, {name: form_of(s) for name, s in sources.items()}, terms)
    attendant = Attendant(scene, sources, machine.limits(), started)
    end_ms = started + planned(plan, phase) * terms.width_ms
    watched = Watched()
    complete = False
    for number in range(planned(plan, phase) + LONGER):
        result = await slots.run(_slot(phase, number), attendant.next)
        slices = slices_of(result)
        if not slices:
            break  # the run was aborted
        for start_ms, buckets in slices:
            moves = machine.step(start_ms, buckets)
            _note(scene, phase, machine, start_ms, buckets)
            watched.trigger = watched.trigger or _told(scene, moves)
        attendant.before = result
        complete = slices[-1][0] + terms.width_ms >= end_ms
        if watched.trigger is not None or (complete and not judged.open_streaks(machine)):
            break
    attendant.close()
    watched.findings = judged.findings(machine, complete=complete)
    why = watched.trigger.reason if watched.trigger else "planned end" if complete else "stopped"
    scene.once("watch.ended", phase.id, body={"why": why, "complete": complete})
    return watched


class Attendant:
    """Does the work of the slots; opens the sources when the first slot is not recorded yet."""

    def __init__(
        self,
        scene: Scene,
        sources: Mapping[str, Source],
        limits: Mapping[str, set[Decimal]],
        started_ms: int,
        *,
        deaf: bool = False,
    ) -> None:
        """Watch from `started_ms`; with `deaf` an abort does not end it, inside a rollback."""
        self._scene = scene
        self._deaf = deaf
        self._sources = sources
        self._limits = limits
        self._started_ms = started_ms
        self._station: Station | None = None
        self.before: Mapping[str, object] | None = None  # the last recorded slot

    def next(self) -> Mapping[str, object]:
        """Wait for the next closed slices."""
        if self._station is None:
            self._station = Station(
                self._scene,
                self._sources,
                grid_of(self._scene.plan),
                self._limits,
                self._started_ms,
                self.before,
            )
        closed: Closed = self._station.next_slices(
            lambda: not self._deaf and is_aborted(self._scene)
        )
        return closed.as_json()

    def close(self) -> None:
        """End the reading, if it was begun."""
        if self._station is not None:
            self._station.close()


def _slot(phase: Phase, number: int) -> str:
    return f"{phase.id}?slice{number}"


def _begin(scene: Scene, phase: Phase, sources: Mapping[str, Source]) -> Mapping[str, object]:
    """Journal the start of the watch: from the next whole slice on everything is judged."""
    plan = scene.plan
    return scene.once(
        "watch.started",
        phase.id,
        body={
            "started_ms": now_ms(scene),
            "width_ms": width_ms(plan),
            "planned": planned(plan, phase),
            "metrics": {name: source.describe() for name, source in sources.items()},
            "rules": [
                {
                    "id": rule.id,
                    "text": rule.condition.text,
                    "says": rule.condition.say(),
                    "consequence": rule.consequence.value,
                    "line": rule.span.line,
                }
                for rule in plan.rules
            ],
        },
    )


def slices_of(result: Mapping[str, object]) -> list[tuple[int, dict[str, Bucket]]]:
    """Read the closed slices that a slot recorded: start in milliseconds, buckets by metric."""
    found = result["slices"]
    assert isinstance(found, Sequence)
    return [
        (int(each["start_ms"]), {k: Bucket.from_json(v) for k, v in each["buckets"].items()})
        for each in found
    ]


def _note(
    scene: Scene, phase: Phase, machine: Machine, start_ms: int, buckets: Mapping[str, Bucket]
) -> None:
    """Journal a closed slice once: what each rule saw in it, and how full its streak is."""
    rules: dict[str, object] = {}
    for rule in machine.rules:
        streak = machine.streaks[rule.id]
        rules[rule.id] = {
            "says": machine.say(rule.id, buckets),
            "event": machine.event(rule.id, buckets).value,
            "state": streak.state.value,
            "count": streak.count,
            "need": streak.pattern.need,
            "of": streak.pattern.of,
        }
    metrics = {
        name: {
            "count": bucket.count,
            "coverage": round(bucket.coverage, 3),
            "late": bucket.late,
            "why": list(bucket.reasons),
        }
        for name, bucket in buckets.items()
    }
    body = {"phase": phase.id, "start_ms": start_ms, "rules": rules, "metrics": metrics}
    scene.once("bucket.closed", f"{phase.id}@{start_ms}", body=body)


def _told(scene: Scene, moves: Sequence[Move]) -> Move | None:
    """Journal the moves of a slice once; return the first that rolls back."""
    trigger = None
    for move in moves:
        scene.once("rule.moved", f"{move.rule}@{move.at_ms}", body=move.as_json())
        fires = move.after is State.FIRING and move.consequence is Consequence.ROLLBACK
        if fires and trigger is None:
            trigger = move
    return trigger
