"""What a watch journals: its beginning, every closed slice, and every move of a rule, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gonogo.judge.baseline import Known
from gonogo.judge.buckets import Bucket, Given
from gonogo.judge.course import figured, planned, sources_of, terms_of
from gonogo.judge.evaluate import Missing
from gonogo.judge.measures import limits_in
from gonogo.judge.questions import shown
from gonogo.judge.rules import Machine, Move
from gonogo.judge.streaks import State
from gonogo.plan.model import Consequence, Phase, Plan, Rule
from gonogo.run.scene import Scene


def opening(plan: Plan, phase: Phase, recorded: Mapping[str, Known]) -> dict[str, object]:
    """Return what is journaled when a watch begins: its rules, metrics and length."""
    terms = terms_of(plan)
    body: dict[str, object] = {
        "width_ms": terms.width_ms,
        "planned": planned(plan, phase),
        "blind_after_s": terms.blind_after_s,
        "metrics": {name: source.describe() for name, source in sources_of(plan).items()},
        "rules": [_rule(rule, recorded) for rule in figured(plan, phase)],
    }
    if recorded:
        body["baseline"] = [known.as_json() for known in recorded.values()]
    if "calendar" in plan.settings:
        body["calendar"] = plan.settings["calendar"]
    return body


def _rule(rule: Rule, recorded: Mapping[str, Known]) -> dict[str, object]:
    said: dict[str, object] = {
        "id": rule.id,
        "text": rule.condition.text,
        "says": rule.condition.say(),
        "consequence": rule.consequence.value,
        "line": rule.span.line,
    }
    subject = rule.condition.predicates[0].subject()
    known = recorded.get(subject)
    if known is not None and known.value is not None:
        said["baseline"] = known.value.say()
    return said


def note(
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
    predicate = machine.asked(rule.id).predicates[0]
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


def told(scene: Scene, phase: Phase, moves: Sequence[Move]) -> Move | None:
    """Journal the moves of a slice once; return the first that rolls back."""
    trigger = None
    for move in moves:
        body = move.as_json() | {"phase": phase.id}
        scene.once("rule.moved", f"{move.rule}@{move.at_ms}", body=body)
        fires = move.after is State.FIRING and move.consequence is Consequence.ROLLBACK
        if fires and trigger is None:
            trigger = move
    return trigger
