"""When each phase may begin: by `- Window:` under its heading, else by the front matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gonogo.plan import windows
from gonogo.plan.kinds import Role
from gonogo.plan.windows import Calendar
from gonogo.runbook.chapters import Chapter
from gonogo.runbook.directives import Name, of_name
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings
from gonogo.source import Span

SETTING = "release window"


def calendar_of(
    chapter: Chapter, chapters: Sequence[Chapter], settings: Settings, book: Notebook
) -> Calendar | None:
    """Return when a phase may begin; None when nothing is said of it.

    What the front matter says holds for the first deployment phase, and a freeze for every phase
    with a window as well.
    """
    written = of_name(chapter.remarks, Name.WINDOW)
    first = next((one for one in chapters if one.role is Role.DEPLOY), None)
    if written:
        found = _read(written[-1].text, written[-1].span, settings, book)
    elif chapter is not first:
        return None
    elif SETTING in settings.others:
        span = settings.places.get(SETTING, chapter.span)
        found = _read(settings.others[SETTING], span, settings, book)
    elif settings.freezes:
        found = Calendar(zone=settings.others.get("timezone", "UTC"))
    else:
        return None
    if found is None:
        return None
    found = dataclasses.replace(found, freezes=settings.freezes)
    book.mean(chapter.span, "window", f"begins {found.say()}")
    return found


def _read(text: str, span: Span, settings: Settings, book: Notebook) -> Calendar | None:
    try:
        return windows.read(text, settings.others.get("timezone", "UTC"))
    except windows.NotUnderstood as error:
        book.strict(
            "GN550",
            str(error),
            span,
            hint="write `Tue-Thu 02:00-05:00 Europe/London`, with `(if possible)` for a wish",
        )
        return None
