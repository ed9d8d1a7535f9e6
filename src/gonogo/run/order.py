"""In which order the steps of a phase run, and what stops one: document order, `Needs:`, barriers.

A step waits for everything before it, except that neighbours marked `parallel` run side by side,
that what neighbouring steps ask people is asked all at once, so that one answer serves many, and
that a step in the background holds up only what needs it.
Whether a step is skipped depends only on the steps it waited for, so that a replay decides alike.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Step

_GOOD = (Status.PASS, Status.WAIVED)


def sorted_by_needs(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps in document order, except that what a step needs comes before it."""
    known = {step.id: step for step in steps}
    placed: dict[str, Step] = {}

    def place(step: Step) -> None:
        if step.id in placed:
            return
        for need in step.needs:
            if need in known and need != step.id:
                place(known[need])
        placed[step.id] = step

    for step in steps:  # the plan has no cycles: assembling refuses them
        place(step)
    return tuple(placed.values())


def stages(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """Return the sorted steps as they begin: a stage begins once all stages before it have ended.

    Nobody waits for a step in the background but what needs it, and the gate of the phase.
    """
    found: list[list[Step]] = []
    beside: set[str] = set()  # of the last stage, if the next step may begin with it
    for step in steps:
        joins = step.parallel or step.effect is Effect.MANUAL  # people are asked all at once
        if not joins or not beside or not beside.isdisjoint(step.needs):
            found.append([])
            beside = set()
        found[-1].append(step)
        if joins:
            beside.add(step.id)
    return tuple(tuple(stage) for stage in found)


def stopper(ended: Sequence[Step], findings: Mapping[str, Finding]) -> Step | None:
    """Return the first of the steps whose finding stops all that waited for it, if there is one."""
    for step in ended:
        stops = step.critical or step.effect is Effect.ACTION
        if stops and findings[step.id].status not in _GOOD:
            return step
    return None


def blocked(step: Step, stopped_by: Step | None, good: Container[str]) -> str | None:
    """Return why `step` must not run; None when it may.

    `stopped_by` is the first stopper of the stages before it; `good` holds the ids of all steps
    and phases of the plan that passed or were waived so far.
    """
    if stopped_by is not None:
        return f"not run: `{stopped_by.title}` (line {stopped_by.span.line}) did not pass"
    for need in step.needs:
        if need not in good:
            return f"not run: needs `{need}`, which did not pass"
    return None
