"""Measures how the service behaves before the release, for rules that speak of a baseline.

    baseline.recorded  step  figures (subject, value, unit, samples), from_ms, until_ms, violated

A measurement that was cut off begins anew: nothing was changed by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gonogo.judge import baseline
from gonogo.judge.baseline import Known
from gonogo.judge.buckets import Bucket
from gonogo.judge.course import figured, forms_of, grid_of, sources_of, terms_of
from gonogo.judge.rules import Machine, check
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Plan, Step
from gonogo.plan.units import Quantity
from gonogo.run import attending
from gonogo.run.by_hand import opening
from gonogo.run.findings import blank
from gonogo.run.people import Aborted, is_aborted
from gonogo.run.perform import perform
from gonogo.run.sampling import Begun, Station
from gonogo.run.scene import Scene

RECORDED = "baseline.recorded"
_Slices = list[tuple[int, Mapping[str, Bucket]]]


def record(scene: Scene, step: Step) -> Mapping[str, object]:
    """Carry out a step that records a baseline and return its finding as JSON."""
    return perform(scene, step, way=partial(_measured, scene, step))


def recorded(scene: Scene) -> dict[str, Known]:
    """Return every figure that was recorded, by its subject; those without a value too."""
    found: dict[str, Known] = {}
    for step in scene.plan.steps():
        event = scene.last(RECORDED, step.id) if step.baseline is not None else None
        figures = event.body["figures"] if event is not None else ()
        assert isinstance(figures, list | tuple)
        for each in figures:
            known = Known.from_json(each)
            found[known.subject] = known
    return found


def values(scene: Scene) -> dict[str, Quantity]:
    """Return the recorded values, for the rules of a watch."""
    return {name: known.value for name, known in recorded(scene).items() if known.value}


def _measured(scene: Scene, step: Step) -> Finding:
    assert step.baseline is not None
    done = scene.last(RECORDED, step.id)
    if done is None:
        if scene.last("step.started", step.id) is None:
            names = ", ".join(figure[0] for figure in step.baseline.figures)
            scene.write("step.started", step.id, body=opening(step, f"measure {names}"), attempt=1)
        done = scene.write(RECORDED, step.id, body=_measure(scene, step), durable=True)
    begun = scene.last("step.started", step.id)
    figures, violated = done.body["figures"], done.body["violated"]
    assert isinstance(figures, list)
    assert isinstance(violated, Mapping)
    found = [Known.from_json(each) for each in figures]
    lacking = [f"{known.subject}: {known.why}" for known in found if known.value is None]
    seen = [f"{k.subject} {k.value.say()} ({k.samples} samples)" for k in found if k.value]
    bad = [f"already before the release: {says}" for says in violated.values()]
    return blank(
        step,
        Status.UNKNOWN if lacking else Status.PASS,
        "; ".join(lacking),
        actual="; ".join(seen),
        indicators={k.subject: k.value.say() for k in found if k.value},
        sentences=tuple(seen),
        started=begun.at if begun is not None else "",
        duration_s=round((_int(done.body, "until_ms") - _int(done.body, "from_ms")) / 1000, 3),
        attempts=1,
        notes=tuple(bad),
    )


def _int(body: Mapping[str, object], key: str) -> int:
    value = body[key]
    assert isinstance(value, int)
    return value


def _measure(scene: Scene, step: Step) -> dict[str, object]:
    """Read the sources for as long as the step says, or one bucket; return what to journal."""
    assert step.baseline is not None
    plan = scene.plan
    sources = sources_of(plan)
    forms = forms_of(sources)
    begun = Begun.from_json(attending.begin(scene, sources))
    until_ms, slices = _slices(scene, begun, step.baseline.for_s)
    seen, lasted_ms = [each for _, each in slices], until_ms - begun.started_ms
    found = [
        baseline.known(baseline.asked(metric, stat), forms[metric], seen, lasted_ms)
        for _, metric, stat in step.baseline.figures
        if metric in forms
    ]
    machine = _machine(plan)
    return {
        "figures": [known.as_json() for known in found],
        "violated": baseline.violated(machine, seen),
        "from_ms": begun.started_ms,
        "until_ms": until_ms,
    }


def _slices(scene: Scene, begun: Begun, for_s: float | None) -> tuple[int, _Slices]:
    plan = scene.plan
    sources = sources_of(plan)
    grid = grid_of(plan)
    end_ms = begun.started_ms + (round(for_s * 1000) if for_s else grid.width_ms)
    machine = _machine(plan)
    station = Station(scene, sources, grid, machine.limits(), begun)
    found: _Slices = []
    try:
        while True:
            closed = station.next_slices(lambda: is_aborted(scene))
            if not closed.slices:
                raise Aborted
            found += closed.slices
            if closed.next_ms >= end_ms:
                return closed.next_ms, found
    finally:
        station.close()


def _machine(plan: Plan) -> Machine:
    """Return the rules that can be judged on their metrics; lint has refused the others."""
    forms, terms = forms_of(sources_of(plan)), terms_of(plan)
    rules = [
        rule
        for rule in figured(plan)
        if all((p.metric or "") in forms for p in rule.condition.predicates)
        and not check([rule], forms, terms)
    ]
    return Machine(rules, forms, terms)
