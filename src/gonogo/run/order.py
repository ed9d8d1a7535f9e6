"""In which order the steps of a phase run, and what stops one: document order, `Needs:`, barriers.

A step waits for everything before it, except that neighbours marked `parallel` run side by side,
and that what neighbouring steps ask people is asked all at once, so that one answer serves many.
Whether a step is skipped depends only on the steps it waited for, so that a replay decides alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def waits(steps: Sequence[Step]) -> Mapping[str, frozenset[str]]:
    """Return, for each of the sorted steps, the ids of the steps it waits for."""
    result: dict[str, frozenset[str]] = {}
    before: list[str] = []  # all that came before the present group of neighbours
    group: list[str] = []
    for step in steps:
        beside = step.parallel or step.effect is Effect.MANUAL  # people are asked all at once
        breaks = not beside or any(need in group for need in step.needs)
        if breaks:
            before, group = [*before, *group], []
        result[step.id] = frozenset(before)
        if beside:
            group.append(step.id)
        else:
            before.append(step.id)
    return result


def blocked(
    step: Step, waited: Sequence[Step], findings: Mapping[str, Finding], needs_all: frozenset[str]
) -> str | None:
    """Return why `step` must not run after what it waited for; None when it may.

    `needs_all` holds the ids of all steps of the plan that passed or were waived so far.
    """
    for other in waited:
        finding = findings[other.id]
        if finding.status in _GOOD:
            continue
        if other.critical or other.effect is Effect.ACTION:
            return f"not run: `{other.title}` (line {other.span.line}) did not pass"
    for need in step.needs:
        if need not in needs_all:
            return f"not run: needs `{need}`, which did not pass"
    return None
