"""A watch inside a release: slices of time, one durable slot each, until the end or a trigger.

A slot returns the closed buckets; what they mean is worked out from the recorded buckets alone, so
that streaks, moves and the trigger are the same after every replay. The bucket grid lies on the
wall clock: time in which nobody watched is a gap, never a slice that was made up.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from gonogo.errors import Diagnostic, Severity
from gonogo.judge import watch as judged
from gonogo.judge.buckets import Bucket, Form, Given, Grid
from gonogo.judge.evaluate import Missing
from gonogo.judge.firing import form_of
from gonogo.judge.measures import limits_in
from gonogo.judge.questions import shown
from gonogo.judge.rules import Machine, Move, Terms, check
from gonogo.judge.streaks import State
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence, Phase, Plan, Rule
from gonogo.plan.samples import to_ms
from gonogo.plan.sources import Begin, HttpSource, LogSource, Source
from gonogo.plan.sources_read import read_metric
from gonogo.run.durable import Slots
from gonogo.run.people import is_aborted
from gonogo.run.sampling import Begun, Closed, Station
from gonogo.run.scene import Scene

MISFIT = "GN347"
BUCKET_S = 300
"""The width of a bucket when the runbook says none."""
LONGER = 24
"""How many slices a watch may last longer while a streak is open, a clock is set, or at its end."""
_LONG_GRACE_S = 10
_SHORT_GRACE_S = 1
_MINUTE_MS = 60_000


@dataclass(slots=True)
class Watched:
    """What a watch has come to."""

    findings: list[Finding] = field(default_factory=list)
    trigger: Move | None = None  # the move that rolls back


def figured(plan: Plan) -> tuple[Rule, ...]:
    """Return the rules whose metrics are all bound; a person answers the others."""
    bound = {metric.name for metric in plan.metrics}
    return tuple(
        rule for rule in plan.rules if all(p.metric in bound for p in rule.condition.predicates)
    )


def watched_phase(plan: Plan) -> Phase | None:
    """Return the phase that is watched: the first of its role, when there are rules to watch."""
    first = next((p for p in plan.released if p.role is Role.WATCH), None)
    return first if figured(plan) else None


def is_watched(plan: Plan, phase: Phase) -> bool:
    """Say whether a phase is watched by figures."""
    found = watched_phase(plan)
    return found is not None and phase.id == found.id


def is_second(plan: Plan, phase: Phase) -> bool:
    """Say whether a phase ought to be watched, but another one is."""
    return bool(figured(plan)) and phase.role is Role.WATCH and not is_watched(plan, phase)


def not_watched(phase: Phase) -> Watched:
    """Return what a second watch comes to: nobody measured in it, so a person decides."""
    why = "only the first watch of a runbook is measured"
    finding = Finding(
        item=f"{phase.id}?watch",
        title="the rules hold in this watch too",
        status=Status.UNKNOWN,
        effect="check",
        line=phase.span.line,
        expected="one watch for all rules",
        why=why,
    )
    return Watched([finding])


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
    windows = [rule.condition.window for rule in figured(plan) if rule.condition.window]
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
    """Return the grid of the watch; short buckets have a short grace.

    A request of ours counts for the moment at which it was sent: without the time that its answer
    may take, the slowest ones would be left out.
    """
    width = width_ms(plan)
    base = _LONG_GRACE_S if width >= _MINUTE_MS else _SHORT_GRACE_S
    lags = [math.ceil(s.lag_s) for s in sources_of(plan).values() if isinstance(s, HttpSource)]
    return Grid(width // 1000, max([base, *lags]))


def sources_of(plan: Plan) -> dict[str, Source]:
    """Return the sources of the metrics that are bound; lint has refused mistakes in them."""
    names = [target.name for target in plan.targets]
    found = {metric.name: read_metric(metric, names)[0] for metric in plan.metrics}
    return {name: source for name, source in found.items() if source is not None}


async def watch(scene: Scene, slots: Slots, phase: Phase) -> Watched:
    """Watch until the planned end and no streak is open, a trigger fires, or the run is aborted."""
    plan = scene.plan
    refused = [d for d in mistakes(plan) if d.severity is Severity.ERROR]
    if refused:
        return _refused(refused)
    sources = sources_of(plan)
    begun = await slots.run(f"{phase.id}?watch", partial(_begin, scene, phase, sources))
    machine = Machine(figured(plan), forms_of(sources), Terms(width_ms=width_ms(plan)))
    start = Begun.from_json(begun)
    end_ms = start.started_ms + planned(plan, phase) * machine.terms.width_ms
    attendant = Attendant(scene, sources, machine.limits(), start)
    watched = Watched()
    complete = False
    try:
        for number in range(planned(plan, phase) + LONGER):
            result = await slots.run(_slot(phase, number), attendant.next)
            slices = slices_of(result)
            if not slices:
                break  # the run was aborted
            for start_ms, buckets in slices:
                is_whole = start_ms >= start.started_ms  # the first one is shown, not judged
                moves = machine.step(start_ms, buckets) if is_whole else []
                _note(scene, phase, machine, start_ms, buckets)
                watched.trigger = watched.trigger or _told(scene, moves)
            attendant.before = result
            complete = slices[-1][0] + machine.terms.width_ms >= end_ms
            if watched.trigger is not None or (complete and not judged.open_streaks(machine)):
                break
    finally:
        attendant.close()
    watched.findings = judged.findings(machine, complete=complete)
    why = watched.trigger.reason if watched.trigger else "planned end" if complete else "stopped"
    scene.once("watch.ended", phase.id, body={"why": why, "complete": complete})
    return watched


def forms_of(sources: Mapping[str, Source]) -> dict[str, Form]:
    """Return what the figures of each metric are."""
    return {name: form_of(source) for name, source in sources.items()}


def mistakes(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the metrics and with the rules on them; pure, for before a run."""
    names = [target.name for target in plan.targets]
    found = [d for metric in plan.metrics for d in read_metric(metric, names)[1]]
    if watched_phase(plan) is None:
        return tuple(found)
    forms = forms_of(sources_of(plan))
    unread = {metric.name for metric in plan.metrics} - set(forms)  # that was said already
    for rule in figured(plan):
        if unread & {predicate.metric for predicate in rule.condition.predicates}:
            continue
        for misfit in check([rule], forms, Terms(width_ms=width_ms(plan))):
            hint = "docs/watch-semantics.md says what each kind of figure can be asked"
            said = f"`{rule.condition.text}` cannot be judged: {misfit.message}"
            found.append(Diagnostic(MISFIT, said, misfit.span, hint=hint))
    return tuple(found)


def _refused(refused: Sequence[Diagnostic]) -> Watched:
    """Return what a watch comes to whose rules cannot be judged: nothing is known."""
    return Watched(
        [
            Finding(
                item=f"watch?{number}",
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


class Attendant:
    """Does the work of the slots; opens the sources when the first slot is not recorded yet."""

    def __init__(
        self,
        scene: Scene,
        sources: Mapping[str, Source],
        limits: Mapping[str, set[Decimal]],
        begun: Begun,
        *,
        deaf: bool = False,
    ) -> None:
        """Watch from where it began; with `deaf` an abort does not end it, inside a rollback."""
        self._scene = scene
        self._deaf = deaf
        self._sources = sources
        self._limits = limits
        self._begun = begun
        self._station: Station | None = None
        self.before: Mapping[str, object] | None = None  # the last recorded slot

    def next(self) -> Mapping[str, object]:
        """Wait for the next closed slices."""
        if self._station is None:
            grid = grid_of(self._scene.plan)
            self._station = Station(
                self._scene, self._sources, grid, self._limits, self._begun, self.before
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


def begin(scene: Scene, sources: Mapping[str, Source]) -> dict[str, object]:
    """Return the beginning of a stretch of watching: when it is, and where the logs end now.

    Without that, what is written until the first slice is closed would be lost with our death.
    """
    positions: dict[str, object] = {}
    for name, source in sources.items():
        if not isinstance(source, LogSource) or source.begin is Begin.BEGINNING:
            continue
        with contextlib.suppress(Exception):  # the station tries again, and says what is wrong
            reader = scene.open_source(source, None)
            positions[name] = reader.read(scene.clock.now()).position
            reader.close()
    started_ms = now_ms(scene) // 1000 * 1000  # shares of a log are counted by the second
    return {"started_ms": started_ms, "positions": positions}


def _begin(scene: Scene, phase: Phase, sources: Mapping[str, Source]) -> Mapping[str, object]:
    """Journal the start of the watch: what is seen from now on is judged."""
    recorded = scene.last("watch.started", phase.id)
    if recorded is not None:
        return recorded.body
    plan = scene.plan
    return scene.once(
        "watch.started",
        phase.id,
        body={
            **begin(scene, sources),
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
                for rule in figured(plan)
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
            **_figure(machine, rule, buckets),
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


def _figure(machine: Machine, rule: Rule, buckets: Mapping[str, Bucket]) -> dict[str, object]:
    """Return what a chart needs of a rule: the value of its first comparison, and the limit."""
    predicate = rule.condition.predicates[0]
    limits = limits_in(predicate)
    bucket = buckets.get(predicate.metric or "")
    if not limits:
        return {}
    said: dict[str, object] = {"unit": limits[0].unit, "limit": float(limits[0].number)}
    if bucket is None or not bucket.count:
        return said
    given = bucket.body.figures if isinstance(bucket.body, Given) else None
    if given is not None and (predicate.stat or "") not in given:
        return said
    value = shown(predicate, machine.forms[predicate.metric or ""], bucket)
    if isinstance(value, Missing):
        return said
    return said | {"value": float(value.number), "unit": value.unit}


def _told(scene: Scene, moves: Sequence[Move]) -> Move | None:
    """Journal the moves of a slice once; return the first that rolls back."""
    trigger = None
    for move in moves:
        scene.once("rule.moved", f"{move.rule}@{move.at_ms}", body=move.as_json())
        fires = move.after is State.FIRING and move.consequence is Consequence.ROLLBACK
        if fires and trigger is None:
            trigger = move
    return trigger
