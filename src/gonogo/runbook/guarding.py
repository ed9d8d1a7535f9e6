"""What destroys data comes after a dump of it: checked in the order in which the steps run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from gonogo.plan.dumps import is_loss_of_data, keeps_data
from gonogo.plan.kinds import Destruction
from gonogo.plan.model import Phase, Rollback, Step
from gonogo.runbook.directives import Name
from gonogo.runbook.notebook import Notebook

_WAIVED = f"{Name.NO_DUMP.value}: "
_HINT = "take a dump in a step before (`action: backup`, `pg_dump`), or say why not: `- No dump: …`"


def guard(phases: Sequence[Phase], back: Rollback | None, book: Notebook) -> tuple[Phase, ...]:
    """Return the phases with each destructive step behind its dump, and report those without.

    In the release the step needs the dump: when that fails, nothing is destroyed. On the way back
    the dump was taken before the deployment, or stands earlier in the same option.
    """
    dump: Step | None = None
    guarded: list[Phase] = []
    for phase in phases:
        steps: list[Step] = []
        for step in phase.steps:
            lost = _lost(step)
            if lost is not None and dump is None:
                _report(lost, book)
            elif lost is not None and dump is not None and dump.id not in step.needs:
                step = dataclasses.replace(step, needs=(*step.needs, dump.id))  # noqa: PLW2901
            if _dumps(step):
                dump = step
            steps.append(step)
        guarded.append(dataclasses.replace(phase, steps=tuple(steps)))
    for option in back.options if back is not None else ():
        _in_order(option.steps, book, kept=dump is not None)
    return tuple(guarded)


def _in_order(steps: Iterable[Step], book: Notebook, *, kept: bool) -> None:
    for step in steps:
        kept = kept or _dumps(step)
        lost = _lost(step)
        if lost is not None and not kept:
            _report(lost, book)


def _dumps(step: Step) -> bool:
    return step.block is not None and keeps_data(step.block)


def _lost(step: Step) -> Destruction | None:
    """Return the first loss of data of a step that nobody has waived."""
    if any(note.startswith(_WAIVED) and note != _WAIVED for note in step.notes) or _dumps(step):
        return None
    return next((loss for loss in step.destroys if is_loss_of_data(loss.statement)), None)


def _report(loss: Destruction, book: Notebook) -> None:
    book.strict(
        "GN552",
        f"nothing is dumped before `{loss.statement}`",
        loss.span,
        label=f"`{loss.target}` cannot be got back",
        hint=_HINT,
    )
