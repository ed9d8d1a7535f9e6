"""The shapes of steps on a page: boxes, signs that stand for them, the first comment of a block."""

from __future__ import annotations

import re

from gonogo.plan.kinds import Role
from gonogo.runbook import phrases, roles
from gonogo.runbook.drafts import Origin, short_title
from gonogo.runbook.labels import numbered
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import OPEN_MARKS, TICK_MARKS, Fence, Html, Item, Paragraph, Quote
from gonogo.runbook.words import Piece, Words

STEP_MARKS = OPEN_MARKS | TICK_MARKS
"""Signs before a line that make it a step."""
_WAIT = re.compile(
    r"(?:wait|pause|hold|soak|bake|watch|monitor|observe)\b[^.<>≤≥]{0,60}?\s\d+\s?(?:[-–]\s?\d+\s?)?"
    r"(?:s|sec\w*|m|min\w*|h|hrs?|hours?|days?)\b",
    re.IGNORECASE,
)
_FIRST_COMMENT = re.compile(r"\s*(?:#(?![!|])|--(?!\|)|//)\s*(\S.{2,150}?)\s*$")


def origin_of(item: Item) -> Origin:
    """Return the shape of an item that is a step."""
    if item.checkbox is not None or item.has_malformed_box:
        return Origin.BOX
    return Origin.ITEM if item.ordered is not None else Origin.MARK


def title_of(words: Words, origin: Origin) -> str:
    """Return what a step is called: its words, or the first sentence of those of a paragraph."""
    text = words.text if origin is not Origin.PARAGRAPH else words.text.rstrip(":")
    title = " ".join(numbered(text)[1].split())
    whole = origin is Origin.MARK and phrases.smells(words)  # `✅ Mail: > 93 % delivered`
    if origin not in (Origin.BOX, Origin.ITEM, Origin.ROW) and not whole:
        title = short_title(title)
    return title.rstrip(":").strip() or text.strip() or "(no words)"


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


def is_wait(paragraph: Paragraph, role: Role | None) -> bool:
    """Tell `Wait 10 minutes before the next wave.` from text, and from the lead of a list."""
    text = paragraph.text.strip()
    if role not in (Role.DEPLOY, Role.VERIFY) or paragraph.is_bold_step or text.endswith(":"):
        return False
    return _WAIT.match(text) is not None


def heads_a_list(item: Item) -> bool:
    """Tell a category (`**Slow answers**`, `Data:`) from a line that says something itself."""
    text = item.text.strip()
    bold = item.words.bold
    whole = bool(bold) and bold[0].start == 0 and bold[0].end >= len(text.rstrip(":").rstrip())
    return bool(item.items) and (whole or text.endswith(":")) and not phrases.smells(item.words)


def holds_conditions(item: Item, book: Notebook) -> bool:
    """Say what a category among conditions is; steps that stand there are carried out by nobody."""
    if not roles.are_steps(item.text):
        book.mean(item.span, "group", short_title(item.text))
        return True
    book.mean(item.span, "text", short_title(item.text))
    book.warn(
        "GN325",
        f"the steps under `{item.text.strip().rstrip(':')}` stand among conditions: they are not"
        " carried out",
        item.span,
        hint="put them under a heading of their own, such as `## Rollback`",
    )
    return False


def mean_quotation(quote: Quote, book: Notebook) -> None:
    """Say of a quotation that it is one, and of a bound in it that nobody judges it."""
    book.mean(quote.span, "text", "quotation")
    if phrases.smells(quote.words):
        book.warn(
            "GN330",
            "a bound in a quotation is not judged",
            quote.span,
            hint="take the `>` away, or leave it if it is only quoted",
        )
    for child in quote.children:
        if isinstance(child, Html):
            mean_html(child, book)


def first_comment(fence: Fence) -> Words | None:
    """Return a comment on the first line of a block, if there is one."""
    for row, line in enumerate(fence.body_without_options.split("\n")):
        if not line.strip():
            continue
        found = _FIRST_COMMENT.match(line)
        if found is None:
            return None
        place = fence.place(row, found.start(1), len(found[1]))
        return Words(found[1], (Piece(0, place.line, place.column),))
    return None
