"""The shapes of steps on a page: boxes, signs that stand for them, the first comment of a block."""

from __future__ import annotations

import re

from gonogo.runbook.drafts import Origin
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import OPEN_MARKS, TICK_MARKS, Fence, Html, Item

STEP_MARKS = OPEN_MARKS | TICK_MARKS
"""Signs before a line that make it a step."""
_FIRST_COMMENT = re.compile(r"\s*(?:#(?![!|])|--(?!\|)|//)\s*(\S.{2,150}?)\s*$")


def origin_of(item: Item) -> Origin:
    """Return the shape of an item that is a step."""
    if item.checkbox is not None or item.has_malformed_box:
        return Origin.BOX
    return Origin.ITEM if item.ordered is not None else Origin.MARK


def has_box(item: Item) -> bool:
    """Tell whether an item has a box, or a sign that stands for one."""
    return item.checkbox is not None or item.has_malformed_box or item.mark in STEP_MARKS


def has_boxes(item: Item) -> bool:
    """Tell whether items with a box stand directly under an item."""
    return any(has_box(child) for child in item.items)


def mean_html(node: Html, book: Notebook) -> None:
    """Say what became of a comment or HTML; boxes inside are shown by no page and do nothing."""
    for place in node.hidden_boxes:
        book.warn(
            "GN314",
            "a box inside a comment is not shown on the page, so it is not a step",
            place,
            hint="take it out of the comment, or delete it",
        )
    book.mean(node.span, "ignored", "comment" if node.is_comment else "HTML")


def first_comment(fence: Fence) -> tuple[int, str, int] | None:
    """Return row, text and column of a comment on the first line of a block, if there is one."""
    for row, line in enumerate(fence.body_without_options.split("\n")):
        if not line.strip():
            continue
        found = _FIRST_COMMENT.match(line)
        return (row, found[1], found.start(1)) if found else None
    return None
