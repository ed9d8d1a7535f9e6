"""Sections that are not carried out: reference text, and headings that name no phase."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gonogo.plan.kinds import Role
from gonogo.runbook import promises
from gonogo.runbook.directives import Name, remarks_of
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence, Html, Item, Section, Table, descend
from gonogo.runbook.shapes import mean_html
from gonogo.runbook.words import Words
from gonogo.source import Span, shortened

_LONGEST = 100  # characters of a line that states a bound: longer ones explain something
_ESCALATES = re.compile(r"\bescalation\b", re.IGNORECASE)  # its conditions are often alerts
_NAMES = ", ".join(f"`{r.value}`" for r in Role)


def report(places: Sequence[Place], book: Notebook) -> None:
    """Say of every section that is not carried out what became of it."""
    for place in places:
        if place.runs:
            continue
        for node in place.section.nodes:
            for inner in descend(node):
                if isinstance(inner, Html):
                    mean_html(inner, book)
        section = place.section
        if place.role is Role.REFERENCE:
            book.mean(_whole(section), "reference", f"{section.text}: never carried out")
            if _ESCALATES.search(section.text):
                _untold(section, "is never carried out", book)
        elif section.level > 0 or section.nodes:
            book.mean(_whole(section), "text", section.text or "before the first heading")
            _unrecognised(section, book)


def _whole(section: Section) -> Span:
    last = section.nodes[-1] if section.nodes else None
    if last is None:
        return section.span
    end = max((inner.span for inner in descend(last)), key=lambda s: (s.end_line, s.end_column))
    return Span(section.span.line, section.span.column, end.end_line, end.end_column)


def _unrecognised(section: Section, book: Notebook) -> None:
    """Report steps under a heading that names no phase; they would be left out in silence."""
    if any(r.name is Name.PHASE for node in section.nodes for r in remarks_of(node, book)):
        return  # a `Phase:` that names none is a mistake of its own
    items = [i for n in section.nodes for i in descend(n) if isinstance(i, Item)]
    boxes = [item for item in items if item.checkbox is not None]
    blocks = [
        fence
        for item in items
        if item.checkbox is not None or item.ordered is not None
        for fence in item.fences
        if _runs(fence, book)
    ]
    if section.number is not None:
        blocks += [n for n in section.nodes if isinstance(n, Fence) and _runs(n, book)]
    told = _untold(section, "names no phase", book)
    if blocks:
        book.strict(
            "GN324",
            f"the heading `{section.text}` names no phase, but a step with a block stands under it",
            section.span,
            hint=f"write `- Phase: …` under the heading, one of {_NAMES}",
        )
    elif boxes:
        book.warn(
            "GN325",
            f"`{section.text}` names no phase: its {len(boxes)} boxes are not asked",
            section.span,
            hint=f"write `- Phase: …` under the heading, one of {_NAMES}",
        )
    elif not told and any(isinstance(n, Fence) and _runs(n, book) for n in section.nodes):
        book.note(
            "GN325",
            f"`{section.text}` names no phase: its blocks are only shown",
            section.span,
            hint="write `- Phase: …` under the heading to carry them out",
        )


def _untold(section: Section, why: str, book: Notebook) -> bool:
    """Say once that the bounds of a section are compared by nobody; False when it has none."""
    bounds = _bounds(section)
    if not bounds:
        return False
    more = f" and {len(bounds) - 1} more stand" if len(bounds) > 1 else " stands"
    book.warn(
        "GN325",
        f"`{section.text}` {why}: the bound `{shortened(bounds[0].text)}`{more} there, and nobody"
        " compares it",
        bounds[0].place(),
        hint=f"write `- Phase: …` under the heading, one of {_NAMES}",
    )
    return True


def _bounds(section: Section) -> list[Words]:
    """Return the lines and cells of a section that state a bound, not those of running text."""
    found: list[Words] = []
    for node in section.nodes:
        for inner in descend(node):
            if isinstance(inner, Item):
                found.append(inner.words)
            elif isinstance(inner, Table):
                found += [cell.words for row in inner.rows for cell in row.cells]
    short = (words for words in found if len(words.text) <= _LONGEST)
    return [words for words in short if promises.has_bound(words)]


def _runs(fence: Fence, book: Notebook) -> bool:
    return not fence.is_indented_code and bool(
        fence.language and book.catalog.language(fence.language)
    )
