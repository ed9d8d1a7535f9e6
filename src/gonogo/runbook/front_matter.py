"""The settings at the top of a runbook, found but not parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gonogo.errors import Diagnostic
from gonogo.runbook.outline import FrontMatter
from gonogo.source import Source, Span

_DASHES = re.compile(r"---[ \t]*$")
_END = re.compile(r"(?:---|\.\.\.)[ \t]*$")
_SETTING = re.compile(r"(?:[A-Za-z_][\w .-]*|\"[^\"]*\"|'[^']*')[ \t]*:(?:[ \t]|$)|\{")


def read_front_matter(lines: Sequence[str]) -> FrontMatter | None:
    """Return the text between two lines of dashes at the top when it looks like settings.

    Without a setting in it the first line is a rule across the page; `---` directly followed by
    `---` is front matter without settings.
    """
    end = _end(lines)
    if end is None or not (end == 1 or _begins_with_setting(lines[1:end])):
        return None
    span = Span(1, 1, end + 1, len(lines[end]) + 1)
    return FrontMatter("\n".join(lines[1:end]), span, 2)


def is_unterminated(lines: Sequence[str]) -> bool:
    """Whether settings begin at the top and no line of dashes ends them."""
    opens = bool(lines) and _DASHES.match(lines[0]) is not None
    return opens and _end(lines) is None and _begins_with_setting(lines[1:])


def unterminated(source: Source) -> Diagnostic:
    """Return the mistake of front matter without an end."""
    return Diagnostic(
        "GN006",
        "the front matter has no end",
        Span.of_line(1, 1, len(source.line(1))),
        label="opened here",
        expected="a line `---` after the last setting",
        hint="close it with `---`, or write `***` for a rule across the page",
    )


def _end(lines: Sequence[str]) -> int | None:
    if not lines or not _DASHES.match(lines[0]):
        return None
    return next((n for n in range(1, len(lines)) if _END.match(lines[n])), None)


def _begins_with_setting(lines: Sequence[str]) -> bool:
    said = (t for t in lines if t.strip() and not t.startswith("#"))
    return _SETTING.match(next(said, "")) is not None
