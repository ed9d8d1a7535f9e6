"""The plan as the journal keeps it: enough to name every step that a run had before it."""

from __future__ import annotations

from gonogo.plan.model import Option, Phase, Plan, Step


def plan_summary(plan: Plan) -> dict[str, object]:
    """Return the phases, steps and ways back of a plan as JSON-like values.

    Times are in seconds, lines count from 1; `estimate_s` of a phase is what its author wrote
    there, else the sum of its steps when every one of them has an estimate.
    """
    back = plan.rollback
    return {
        "blocks": plan.settings.get("blocks", ""),
        "phases": [_phase(phase) for phase in plan.released],
        "rollback": None
        if back is None
        else {
            "id": back.id,
            "line": back.span.line,
            "stated_s": back.stated_s,
            "options": [_option(option) for option in back.options],
            "proof": [_step(step) for step in back.proof],
        },
    }


def _phase(phase: Phase) -> dict[str, object]:
    estimates = [step.estimate_s for step in phase.steps if step.estimate_s is not None]
    estimate = phase.estimate_s
    if estimate is None and estimates and len(estimates) == len(phase.steps):
        estimate = sum(estimates)
    return {
        "id": phase.id,
        "title": phase.title,
        "role": phase.role.value,
        "line": phase.span.line,
        "estimate_s": estimate,
        "steps": [_step(step) for step in phase.steps],
    }


def _option(option: Option) -> dict[str, object]:
    return {
        "id": option.id,
        "title": option.title,
        "line": option.span.line,
        "stated_s": option.stated_s,
        "destructive": option.destructive,
        "loses": option.loss,
        "only_if": list(option.open_when),
        "steps": [_step(step) for step in (*option.conditions, *option.steps)],
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "id": step.id,
        "title": step.title,
        "line": step.span.line,
        "effect": step.effect.value,
        "critical": step.critical,
        "claimed": step.claimed,
        "owner": step.owner,
        "estimate_s": step.estimate_s,
    }
