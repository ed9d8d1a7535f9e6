"""The way through a plan: how long it takes, what it hangs on, where there is no way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gonogo.plan.kinds import Effect, Role
from gonogo.plan.model import Phase, Plan, Step


@dataclass(frozen=True, slots=True)
class PointOfNoReturn:
    """The first step behind which the written way back does not reach, and why."""

    step: Step
    why: str


def estimated_s(phase: Phase) -> float | None:
    """Return the seconds that the author gives a phase, else the sum of what its steps say.

    A step in the background counts only by what it lasts longer than the steps after it.
    """
    if phase.estimate_s is not None:
        return phase.estimate_s
    if all(step.estimate_s is None for step in phase.steps):
        return None
    passed_s = 0.0
    ends_s: dict[str, float] = {}  # of the steps in the background
    for step in phase.steps:
        begins_s = max([passed_s, *(ends_s[need] for need in step.needs if need in ends_s)])
        if step.background:
            ends_s[step.id] = begins_s + (step.estimate_s or 0.0)
        else:
            passed_s = begins_s + (step.estimate_s or 0.0)
    return max([passed_s, *ends_s.values()])


def no_return(plan: Plan, ahead: Mapping[str, str] | None = None) -> PointOfNoReturn | None:
    """Return the first step that cannot be taken back; None when every step can.

    That is a step that destroys something, or one that changes the world in or after the first
    deployment (an action, or in a deployment something that a person does) while neither an
    `Undo:` nor a rollback section takes it back. `ahead` says by the id of a step what the files
    that it uses destroy: the plan itself does not hold them.
    """
    options = plan.rollback.options if plan.rollback is not None else ()
    deployed = False
    for phase in plan.phases:
        deployed = deployed or phase.role is Role.DEPLOY
        for step in phase.steps:
            if step.destroys:
                return PointOfNoReturn(step, f"{step.destroys[0].target} cannot be got back")
            if ahead and step.id in ahead:
                return PointOfNoReturn(step, ahead[step.id])
            if deployed and _changes(step, phase) and not (step.undo or options):
                return PointOfNoReturn(step, "no `Undo:` and no rollback section")
    return None


def _changes(step: Step, phase: Phase) -> bool:
    if step.effect is Effect.ACTION:
        return True
    return step.effect is Effect.MANUAL and phase.role is Role.DEPLOY


def critical_path(plan: Plan) -> tuple[Step, ...]:
    """Return the chain of steps that the end of the run hangs on, by the stated estimates.

    Steps run one after another, so of neighbours that run side by side only the longest counts,
    one in the background only if it lasts longer than all that comes after it in its phase, and
    without estimates only actions, what people do, and steps that are critical or needed.
    """
    needed = {need for step in plan.steps() for need in step.needs}
    path: list[Step] = []
    for phase in plan.phases:
        for group in _groups(phase):
            longest = max(group, key=lambda step: step.estimate_s or 0.0)
            for step in group:
                counts = step.estimate_s and step is longest and not _is_outlasted(step, phase)
                if counts or _is_decisive(step, needed):
                    path.append(step)
    return tuple(path)


def _is_outlasted(step: Step, phase: Phase) -> bool:
    if not step.background:
        return False
    after = phase.steps[phase.steps.index(step) + 1 :]
    return (step.estimate_s or 0.0) <= sum(other.estimate_s or 0.0 for other in after)


def _groups(phase: Phase) -> Iterator[list[Step]]:
    """Yield the steps of a phase as they run: neighbours side by side, all others alone."""
    group: list[Step] = []
    for step in phase.steps:
        if step.background:
            yield [step]
            continue
        inside = {other.id for other in group}
        if group and (not step.parallel or inside & set(step.needs)):
            yield group
            group = []
        group.append(step)
        if not step.parallel:
            yield group
            group = []
    if group:
        yield group


def _is_decisive(step: Step, needed: set[str]) -> bool:
    return step.critical or step.id in needed or step.effect is not Effect.CHECK
