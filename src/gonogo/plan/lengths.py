"""How long each watch of a release lasts, and from when that counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gonogo.plan.kinds import Role
from gonogo.plan.model import Metric, Phase, Rule


def lengths(
    phases: Iterable[Phase], rules: Sequence[Rule], metrics: Sequence[Metric]
) -> dict[str, float | None]:
    """Return how long each watch lasts after the end of the one before, by its id, in seconds.

    `First day` behind `First hour` lasts the 23 hours that are left: both count from the begin of
    the first watch that takes time. A watch without a length of its own is None, its longest rule
    decides; and so is one in which nothing lasts, see `is_idle`.
    """
    found: dict[str, float | None] = {}
    passed = 0.0
    for phase in phases:
        if phase.role is not Role.WATCH:
            continue
        if is_idle(phase, rules, metrics):
            found[phase.id] = None
            continue
        span = phase.span_s
        left = max(span - passed, 0.0) if span is not None and phase.from_first else span
        found[phase.id] = left
        if has_figures(phase, rules, metrics):
            passed += left or 0.0
        else:  # the next watch waits for the last checkpoint only
            ends = max(one.ends_s for one in phase.checkpoints)
            passed += max(ends - (passed if phase.from_first else 0.0), 0.0)
    return found


def has_figures(phase: Phase, rules: Iterable[Rule], metrics: Iterable[Metric]) -> bool:
    """Say whether some rule of a watch has all of its metrics bound: a person answers others."""
    bound = {metric.name for metric in metrics}
    return any(
        rule.phase in ("", phase.id) and all(p.metric in bound for p in rule.condition.predicates)
        for rule in rules
    )


def is_idle(phase: Phase, rules: Iterable[Rule], metrics: Iterable[Metric]) -> bool:
    """Say whether nothing in a watch takes time: it has neither figures nor checkpoints."""
    return not phase.checkpoints and not has_figures(phase, rules, metrics)
