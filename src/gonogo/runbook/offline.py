"""A site without a way out: what would fetch from outside is found before the run."""

from __future__ import annotations

from collections.abc import Iterator

from gonogo.plan.kinds import Scripted
from gonogo.plan.model import Block, Plan
from gonogo.plan.outside import outside_host
from gonogo.plan.places import Places
from gonogo.plan.shelloffline import reaches_out
from gonogo.plan.shellscript import Reading
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings


def report(plan: Plan, found: Settings, book: Notebook) -> None:
    """Note whatever reaches out of a site whose front matter says `offline: yes`."""
    if found.others.get("offline") != "yes":
        return
    for block in _blocks(plan):
        if block.kind == "http":
            _request(block, book)
        elif isinstance(block.work, Scripted) and not block.work.interpreter:
            _commands(block, block.work.script(), book)


def _commands(block: Block, script: str, book: Notebook) -> None:
    reading = Reading(script)
    seen: set[int] = set()
    for call in reading.calls:
        hint = reaches_out(call)
        if hint is None or call.at in seen:
            continue
        seen.add(call.at)
        place = reading.places.span(call.at, call.end).shifted(block.span.line - 1)
        words = " ".join((call.name, *call.args[:1]))
        book.strict("GN551", f"`{words}` fetches from outside", place, hint=hint)


def _request(block: Block, book: Notebook) -> None:
    from gonogo.plan import httptext  # only where a block is a request

    request = httptext.read(block.text)
    if isinstance(request, httptext.Problem):
        return
    host = outside_host(request.url)
    if host is None:
        return
    at = block.text.find(host)
    place = Places(block.text).span(at, at + len(host)).shifted(block.span.line - 1)
    hint = "name a host of this site, or a target of the front matter"
    book.strict("GN551", f"the request to `{host}` goes outside", place, hint=hint)


def _blocks(plan: Plan) -> Iterator[Block]:
    for step in plan.every_step():
        if step.block is not None:
            yield step.block
        if step.unless is not None:
            yield step.unless.block
        yield from step.undo
