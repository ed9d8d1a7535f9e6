"""What destroys data comes after a dump of it: checked in the order in which the steps run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from gonogo.plan.dumps import copies, is_loss_of_data, keeps_data
from gonogo.plan.kinds import Destruction
from gonogo.plan.model import Phase, Rollback, Step
from gonogo.runbook.directives import Name
from gonogo.runbook.notebook import Notebook

_WAIVED = f"{Name.NO_DUMP.value}: "
_HINT = "take a dump in a step before (`action: backup`, `pg_dump`), or say why not: `- No dump: …`"


def guard(phases: Sequence[Phase], back: Rollback | None, book: Notebook) -> tuple[Phase, ...]:
    """Return the phases with each destructive step behind its dump, and report those without.

    In the release the step needs the dump: when that fails, nothing is destroyed. On the way back
    the dump was taken before the deployment, or stands earlier in the same option. A dump counts
    for what it can hold: not one of another target, of other tables, or of files.
    """
    dumps: list[Step] = []
    guarded: list[Phase] = []
    for phase in phases:
        steps: list[Step] = []
        for step in phase.steps:
            needed = _needed(step, dumps, book)
            if needed:
                step = dataclasses.replace(step, needs=(*step.needs, *needed))  # noqa: PLW2901
            if _dumps(step):
                dumps.append(step)
            steps.append(step)
        guarded.append(dataclasses.replace(phase, steps=tuple(steps)))
    for option in back.options if back is not None else ():
        _in_order(option.steps, book, list(dumps))
    for step in (*(s for phase in guarded for s in phase.steps), *_of_way_back(back)):
        _mean(step, book)
    return tuple(guarded)


def _of_way_back(back: Rollback | None) -> tuple[Step, ...]:
    if back is None:
        return ()
    return (*(step for option in back.options for step in option.steps), *back.proof)


def _mean(step: Step, book: Notebook) -> None:
    """Say on its line what a step destroys, as the plan does."""
    for loss in step.destroys:
        book.mean(loss.span, "destroys", f"{loss.target}: a person types its name first")


def _in_order(steps: Iterable[Step], book: Notebook, dumps: list[Step]) -> None:
    for step in steps:
        _needed(step, dumps, book)
        if _dumps(step):
            dumps.append(step)


def _needed(step: Step, dumps: Sequence[Step], book: Notebook) -> tuple[str, ...]:
    """Return the newest dump of each loss of a step, without those it needs already."""
    found: list[str] = []
    for loss in _lost(step):
        holder = next((dump for dump in reversed(dumps) if not _why_not(dump, loss, step)), None)
        if holder is None:
            _report(loss, _said(dumps, loss, step), book)
            break  # one mistake a step
        found.append(holder.id)
    return tuple(name for name in dict.fromkeys(found) if name not in step.needs)


def _why_not(dump: Step, loss: Destruction, step: Step) -> str:
    """Return why a dump cannot hold what a step destroys; empty when it may."""
    assert dump.block is not None, "only a step with a block is a dump"
    on = getattr(step.block.work, "on", "") if step.block is not None else ""
    reasons = [copy.misses(loss, on) for copy in copies(dump.block)]
    return "" if "" in reasons else reasons[-1]


def _said(dumps: Sequence[Step], loss: Destruction, step: Step) -> str:
    said = [f"`{dump.title}` {_why_not(dump, loss, step)}" for dump in dumps[-3:]]
    return "; ".join(said)


def _dumps(step: Step) -> bool:
    return step.block is not None and keeps_data(step.block)


def _lost(step: Step) -> tuple[Destruction, ...]:
    """Return the losses of data of a step that nobody has waived."""
    if any(note.startswith(_WAIVED) and note != _WAIVED for note in step.notes) or _dumps(step):
        return ()
    return tuple(loss for loss in step.destroys if is_loss_of_data(loss.statement))


def _report(loss: Destruction, others: str, book: Notebook) -> None:
    book.strict(
        "GN552",
        f"nothing is dumped before `{loss.statement}`",
        loss.span,
        label=others or f"`{loss.target}` cannot be got back",
        hint=_HINT,
    )
