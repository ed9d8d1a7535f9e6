"""Settles which steps each step and phase of a page needs: by name, and in the written order."""

from __future__ import annotations

import dataclasses

from gonogo.runbook.bound import BoundChapter
from gonogo.runbook.directives import Name, of_name
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.order import Entry, Index, check_order, resolve
from gonogo.source import Span


def settle(bound: list[BoundChapter], book: Notebook) -> dict[str, tuple[str, ...]]:
    """Give each step the names of those that it needs; return the phases that each phase needs."""
    entries, parents = _entries(bound)
    index = Index(entries)
    edges: dict[str, list[tuple[str, Span]]] = {}
    of_phases: dict[str, tuple[str, ...]] = {}
    for one in bound:
        phase = f"phase:{one.id}"
        needs = resolve(of_name(one.chapter.remarks, Name.NEEDS), index, book)
        edges[phase] = list(needs)
        of_phases[one.id] = tuple(name.removeprefix("phase:") for name, _ in needs)
        for at, loose in enumerate(one.loose):
            found = resolve(loose.needs, index, book)
            edges[one.steps[at].id] = list(found)
            names = _expanded(found, bound)
            before = one.steps[at - 1]
            if loose.follows and not before.background and before.id not in names:
                names = (*names, before.id)
            one.steps[at] = dataclasses.replace(one.steps[at], needs=names)
    check_order(edges, index, parents, book)
    return of_phases


def _entries(bound: list[BoundChapter]) -> tuple[list[Entry], dict[str, str]]:
    """Return everything that can be needed, in document order, and the phase of each step."""
    entries: list[Entry] = []
    parents: dict[str, str] = {}
    for one in bound:
        phase = f"phase:{one.id}"
        entries.append(Entry(phase, one.chapter.title, (), one.chapter.span, is_phase=True))
        for step in one.steps:
            entries.append(Entry(step.id, step.title, step.path, step.span))
            parents[step.id] = phase
    return entries, parents


def _expanded(found: tuple[tuple[str, object], ...], bound: list[BoundChapter]) -> tuple[str, ...]:
    """Return the needs as identities of steps; a phase stands for all of its steps."""
    names: dict[str, None] = {}
    for name, _ in found:
        if not name.startswith("phase:"):
            names[name] = None
            continue
        for one in bound:
            if f"phase:{one.id}" == name:
                names.update(dict.fromkeys(step.id for step in one.steps))
    return tuple(names)
