"""The way through a plan: how long it takes, what it hangs on, where there is no way back."""

from __future__ import annotations

from gonogo.plan.kinds import Effect, Role
from gonogo.plan.model import Phase, Plan, Step


def estimated_s(phase: Phase) -> float | None:
    """Return the seconds that the author gives a phase, else the sum of what its steps say."""
    if phase.estimate_s is not None:
        return phase.estimate_s
    given = [step.estimate_s for step in phase.steps if step.estimate_s is not None]
    return sum(given) if given else None


def no_return(plan: Plan) -> str | None:
    """Return the first step behind which the written way back does not reach, in words.

    That is a step that destroys something, or an action that neither an `Undo:` nor (from the
    first deployment on) a rollback section takes back; None when there is no such step.
    """
    deployed = False
    for phase in plan.phases:
        deployed = deployed or phase.role is Role.DEPLOY
        for step in phase.steps:
            where = f"`{step.title}` (line {step.span.line})"
            if step.destroys:
                return f"{where}: {step.destroys[0].target} cannot be got back"
            covered = step.undo or (deployed and plan.rollback and plan.rollback.options)
            if deployed and step.effect is Effect.ACTION and not covered:
                return f"{where}: no `Undo:` and no rollback section"
    return None


def critical_path(plan: Plan) -> tuple[Step, ...]:
    """Return the chain of steps that the end of the run hangs on, by the stated estimates.

    Steps run one after another, so of neighbours that run side by side only the longest counts,
    and without estimates only steps that are critical or that others need.
    """
    needed = {need for step in plan.steps() for need in step.needs}
    path: list[Step] = []
    group: list[Step] = []

    def close_group() -> None:
        timed = [step for step in group if step.estimate_s]
        if timed:
            path.append(max(timed, key=lambda step: step.estimate_s or 0.0))
        path.extend(s for s in group if s not in path and (s.critical or s.id in needed))
        group.clear()

    for step in plan.steps():
        if step.parallel:
            group.append(step)
            continue
        close_group()
        if step.estimate_s or step.critical or step.id in needed or step.effect is Effect.ACTION:
            path.append(step)
    close_group()
    return tuple(path)
