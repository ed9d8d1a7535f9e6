"""What a watch journals: its beginning, every closed slice, and every move of a rule, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gonogo.judge.baseline import Known
from gonogo.judge.buckets import Bucket, Given
from gonogo.judge.course import figured, planned, sources_of, terms_of
from gonogo.judge.lookup import Missing
from gonogo.judge.measures import given_figure, limits_in
from gonogo.judge.moves import Move
from gonogo.judge.questions import shown
from gonogo.judge.rules import Machine
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
    before = _before(rule, recorded)
    return said | {"baseline": before} if before else said


def _before(rule: Rule, recorded: Mapping[str, Known]) -> str:
    """Return what the figures of a rule were before the deploy; named where there are several."""
    subjects = dict.fromkeys(predicate.subject() for predicate in rule.condition.predicates)
    known = {name: recorded[name].value for name in subjects if name in recorded}
    said = {name: value.say() for name, value in known.items() if value is not None}
    if len(subjects) == 1:
        return "".join(said.values())
    return ", ".join(f"{name} {value}" for name, value in said.items())


def note(
    scene: Scene, phase: Phase, machine: Machine, start_ms: int, buckets: Mapping[str, Bucket]
) -> None:
    """Journal a closed slice once: what each rule saw in it, and how full its streak is."""
    rules = {
        rule.id: seen(machine, rule, buckets) | _figure(machine, rule, buckets)
        for rule in machine.rules
    }
    body = {"phase": phase.id, "start_ms": start_ms, "rules": rules, "metrics": counted(buckets)}
    scene.once("bucket.closed", f"{phase.id}@{start_ms}", body=body)


def seen(machine: Machine, rule: Rule, buckets: Mapping[str, Bucket]) -> dict[str, object]:
    """Return what a rule saw in a slice, and how full its streak is."""
    streak = machine.streaks[rule.id]
    return {
        "says": machine.say(rule.id, buckets),
        "event": machine.event(rule.id, buckets).value,
        "state": streak.state.value,
        "count": streak.count,
        "need": streak.pattern.need,
        "of": streak.pattern.of,
    }


def counted(buckets: Mapping[str, Bucket]) -> dict[str, object]:
    """Return by metric how much of it came in a slice, and why not all."""
    return {
        name: {
            "count": bucket.count,
            "coverage": round(bucket.coverage, 3),
            "late": bucket.late,
            "why": list(bucket.reasons),
        }
        | ({"bad": dict(sorted(bucket.bad.items()))} if bucket.bad else {})
        for name, bucket in buckets.items()
    }


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
    form = machine.forms[predicate.metric or ""]
    if isinstance(bucket.body, Given) and given_figure(predicate, form, bucket.body) is None:
        return said
    value = shown(predicate, form, bucket)
    if isinstance(value, Missing):
        return said
    return said | {"value": float(value.number), "unit": value.unit}


def moved(scene: Scene, move: Move, **where: str) -> None:
    """Journal a move once, with the watch that it belongs to."""
    scene.once("rule.moved", f"{move.rule}@{move.at_ms}", body=move.as_json() | where)


def told(scene: Scene, phase: Phase, moves: Sequence[Move]) -> Move | None:
    """Journal the moves of a slice once; return the first that rolls back."""
    trigger = None
    for move in moves:
        moved(scene, move, phase=phase.id)
        fires = move.after is State.FIRING and move.consequence is Consequence.ROLLBACK
        if fires and trigger is None:
            trigger = move
    return trigger
