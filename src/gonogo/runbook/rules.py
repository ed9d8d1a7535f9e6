"""How markdown-it is set up: blocks only, bounded nesting, no sign of a comparison lost."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, html_block
from markdown_it.token import Token

from gonogo.runbook.inline import HTML_NAMES

DEEPEST = 20
"""Levels of nesting that are read: a quotation counts one, a list with its item two."""

COMPARISON = re.compile(r">[ \t]*=?[ \t]*[-$€£]?\d")
"""A line that begins with a comparison, which CommonMark would take for a quotation."""
_NUMBERED = re.compile(r">[ \t]*\d{1,9}[.)](?:[ \t]|$)")
_MARKUP = re.compile(r"<(?:!|\?|/?([A-Za-z][A-Za-z0-9-]*))")
_ALSO_BLOCKS = frozenset(
    {"address", "article", "aside", "caption", "col", "colgroup", "dialog", "dir", "fieldset"}
    | {"footer", "form", "html", "legend", "main", "menu", "noframes", "optgroup", "option"}
    | {"search", "section"}
)


def is_comparison(line: str) -> bool:
    """Whether a line begins with `> 95 %` or `>= 5` rather than with a quotation."""
    return COMPARISON.match(line) is not None and _NUMBERED.match(line) is None


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """Take a quotation, unless the line is a comparison and no quoted line follows it."""
    line = _line(state, start)
    if not line.startswith(">"):
        return False
    if is_comparison(line):
        following = _line(state, start + 1) if start + 1 < end else ""
        if not following.startswith(">") or is_comparison(following):
            return False
    return blockquote(state, start, end, silent)


def _html(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """Take HTML, unless the name is no element: then it is a placeholder that must stay text."""
    found = _MARKUP.match(_line(state, start))
    if found is None:
        return False
    name = (found[1] or "").lower()
    if name and name not in HTML_NAMES and name not in _ALSO_BLOCKS:
        return False
    return html_block(state, start, end, silent)


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """Keep what is nested too deep as one paragraph, so that nothing vanishes in silence."""
    if silent or state.level < DEEPEST:
        return False
    last = start
    while last < end and (state.isEmpty(last) or state.sCount[last] >= state.blkIndent):
        last += 1
    last = max(last, start + 1)
    state.env.setdefault("too_deep", []).append(start)
    state.line = last
    opening = state.push("paragraph_open", "p", 1)
    opening.map = [start, last]
    token = state.push("inline", "", 0)
    token.content = state.getLines(start, last, state.blkIndent, keepLastLF=False)
    token.map = [start, last]
    state.push("paragraph_close", "p", -1)
    return True


def _parser() -> MarkdownIt:
    """Return CommonMark with tables, without inline rules and link definitions."""
    parser = MarkdownIt("commonmark", {"maxNesting": 2 * DEEPEST})
    parser.enable("table").disable("reference")
    parser.core.ruler.enableOnly(["normalize", "block"])
    ends = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("blockquote", _quote, {"alt": [*ends, "list"]})
    parser.block.ruler.at("html_block", _html, {"alt": ends})
    parser.block.ruler.before("table", "too_deep", _too_deep)
    return parser


_PARSER = _parser()


def blocks(text: str) -> tuple[list[Token], list[int]]:
    """Return the block tokens of a text, and the lines (from 0) where nesting was cut off."""
    env: dict[str, list[int]] = {}
    tokens = _PARSER.parse(text, env)
    return tokens, env.get("too_deep", [])
