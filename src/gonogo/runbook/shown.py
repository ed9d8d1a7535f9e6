"""Blocks that are only shown, and the bounds in them: no reader must think that they are judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gonogo.runbook import phrases, promises
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence
from gonogo.runbook.words import Piece, Words
from gonogo.source import shortened

_PROSE = frozenset({"", "text", "txt", "plain", "plaintext", "md", "markdown"})
_SETTINGS = frozenset({"yaml", "yml", "toml", "json", "json5", "hcl"})
_ITEM = re.compile(r"[\s>#*+\-•]*(?:\[[ xX]?\]\s*|\d+[.)]\s+)?")
_SETTING = re.compile(
    r"""[\s\-{,]*["']?(?:condition|when|if|trigger|threshold|rollback_on|rollback_if|objective)["']?
    \s*[:=]\s*(?P<value>\S.*)""",
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN = re.compile(  # a comment, or an item of a list that is a sentence and no setting
    r"""\s*(?:\#|//|-\s+(?![\w.-]+\s*:))\s*["']?(?P<value>[\w<>≤≥].{3,})"""
)
_OF_K6 = re.compile(  # only k6 writes a threshold so, in whatever language its options stand
    r"""(?P<sign>["'`])(?P<value>(?:p\(\d{1,2}(?:\.\d+)?\)|avg|med|min|max|rate|count)\s?
    [<>]=?\s?\d+(?:\.\d+)?)(?P=sign)""",
    re.VERBOSE,
)
_MOST = 400  # characters of a line: a longer one is data


def document(fence: Fence, book: Notebook) -> None:
    """Say that a block is not run, and which bounds stand in it: one warning for all of them."""
    book.mean(fence.span, "text", f"block of {fence.language or 'no language'}: not run")
    found = [one for one in _candidates(fence) if promises.has_bound(one)]
    if not found:
        return
    first = f"the bound `{shortened(found[0].text)}`"
    said = f"{first} stands" if len(found) == 1 else f"{first} and {len(found) - 1} more stand"
    book.warn(
        "GN527",
        f"{said} in a block that is only shown",
        found[0].place(),
        label="nobody compares it",
        hint="write it as a list item: under `### Triggers` of a rollback section, or"
        " under `### Objectives` or `### Alerts` of a watch",
    )


def _candidates(fence: Fence) -> Iterator[Words]:
    """Give the parts of a block that may state a bound of the release."""
    for row, line in enumerate(fence.body.split("\n")):
        if len(line) > _MOST or not phrases.may_hold_a_bound(line):
            continue
        if fence.language in _PROSE:
            start = _end_of_mark(line)
            yield _words(fence, row, start, line[start:].rstrip())
            continue
        settings = fence.language in _SETTINGS
        if settings or fence.language == "promql":
            plain = _PLAIN.match(line)
            if plain is not None:
                yield _words(fence, row, plain.start("value"), plain["value"].rstrip().strip("\"'"))
                continue
        said = _SETTING.match(line) if settings else None
        for match in [said] if said is not None else _OF_K6.finditer(line):
            value = match["value"].rstrip().rstrip(",").strip("\"'")
            yield _words(fence, row, line.index(value, match.start("value")), value)


def _end_of_mark(line: str) -> int:
    mark = _ITEM.match(line)
    return mark.end() if mark is not None else 0


def _words(fence: Fence, row: int, column: int, text: str) -> Words:
    place = fence.place(row, column, max(len(text), 1))
    return Words(text, (Piece(0, place.line, place.column),))
