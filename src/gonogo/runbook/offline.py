"""A site without a way out: commands that would fetch from outside are found before the run."""

from __future__ import annotations

from collections.abc import Iterator

from gonogo.plan.kinds import Scripted
from gonogo.plan.model import Block, Plan
from gonogo.plan.shelloffline import reaches_out
from gonogo.plan.shellscript import Reading
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings


def report(plan: Plan, found: Settings, book: Notebook) -> None:
    """Note every command that reaches out of a site whose front matter says `offline: yes`."""
    if found.others.get("offline") != "yes":
        return
    for block in _blocks(plan):
        if not isinstance(block.work, Scripted) or block.work.interpreter:
            continue
        reading = Reading(block.work.script())
        seen: set[int] = set()
        for call in reading.calls:
            hint = reaches_out(call)
            if hint is None or call.at in seen:
                continue
            seen.add(call.at)
            place = reading.places.span(call.at, call.end).shifted(block.span.line - 1)
            words = " ".join((call.name, *call.args[:1]))
            book.strict("GN551", f"`{words}` fetches from outside", place, hint=hint)


def _blocks(plan: Plan) -> Iterator[Block]:
    for step in plan.every_step():
        if step.block is not None:
            yield step.block
        if step.unless is not None:
            yield step.unless.block
        yield from step.undo
