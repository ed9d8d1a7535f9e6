"""Gives phases and steps the names under which a run keeps them, and says where two are alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from gonogo.plan.model import Step
from gonogo.runbook.binding import Loose
from gonogo.runbook.bound import BoundChapter
from gonogo.runbook.chapters import Chapter
from gonogo.runbook.identity import Register, slug, slug_of_title, step_id
from gonogo.runbook.notebook import Notebook


def name_phases(chapters: Iterable[Chapter], book: Notebook) -> list[BoundChapter]:
    """Return the chapters with their names, still without steps."""
    register = Register()
    bound = []
    for chapter in chapters:
        name, first = register.claim(slug_of_title(chapter.title), chapter.span.line)
        if first is not None and chapter.drafts:
            book.note(
                "GN322",
                f"a phase `{chapter.title}` stands on line {first} too; this one is `{name}`",
                chapter.span,
            )
        bound.append(BoundChapter(chapter, name))
    return bound


def name_step(loose: Loose, register: Register, book: Notebook) -> Step:
    """Return a step with its name, which `register` gives to no other."""
    step = loose.step
    if loose.named is not None:
        wanted = slug(loose.named.text)
    else:
        wanted = step_id(step.path, step.title) + loose.suffix
    name, first = register.claim(wanted, step.span.line)
    if first is not None:
        _same_name(loose, (wanted, name), first, book)
    return dataclasses.replace(step, id=name)


def _same_name(loose: Loose, names: tuple[str, str], first: int, book: Notebook) -> None:
    wanted, given = names
    span = loose.named.span if loose.named is not None else loose.step.span
    what = f"the name `{wanted}`" if loose.named is not None else f"`{loose.step.title}`"
    if book.explicit:
        book.error(
            "GN323",
            f"{what} stands under these headings on line {first} too",
            span,
            label="cannot be told apart",
            hint="change the words, or give this step a line `- Name: …` of its own",
        )
    else:
        book.note("GN323", f"{what} stands on line {first} too; this one is `{given}`", span)
