"""From the text of a runbook to its outline: the first of the six hops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from markdown_it.token import Token

from gonogo.errors import Diagnostic, Severity, in_order
from gonogo.runbook import front_matter, rules
from gonogo.runbook.code_blocks import read_code
from gonogo.runbook.inline import EDGE_EMOJI, Chunk, joined, nothing, read_words
from gonogo.runbook.labels import numbered
from gonogo.runbook.outline import (
    MARKS,
    Checkbox,
    Html,
    Item,
    Node,
    Outline,
    Paragraph,
    Quote,
    Section,
)
from gonogo.runbook.page_tables import read_table
from gonogo.runbook.words import Words
from gonogo.source import Source, Span, shortened

_BOX = re.compile(r"\[([ \u00a0xX])\](?=\s|$)[ \t]*")
_NEARLY_BOX = re.compile(r"\[[ \t]*[-xXvV*~✓✔✅☑]?[ \t]*\](?![\[(:])[ \t]*")
_BULLET = re.compile(r"(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_BULLET_BEFORE = re.compile(r"(?:[-+*]|\d{1,9}[.)])[ \t]*$")
_HIDDEN_BOX = re.compile(r"[ \t>]*(?:[-+*]|\d{1,9}[.)])[ \t]+\[[ xX]\](?=\s|$)")
_DEFINITION = re.compile(
    r"\[(?!\^)[^\[\]]*[^\s\[\]][^\[\]]*\]:[ \t]*(?:<[^<>]*>|\S+)"
    r"(?:[ \t]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*$"
)
_CRITICAL = re.compile(
    r"(?i:critical)\s*(?:[:–—]|-\s)|[\[(](?i:critical)[\])]|(?<![\w=-])CRITICAL(?![\w=-])"
    r"|[–—-]\s*(?i:critical)$"
)
_BLOCK_TYPES = frozenset({"fence", "bullet_list_open", "ordered_list_open", "table_open"})


def read(source: Source) -> Outline:
    """Read any text as a runbook; never raises, what is doubtful stands in the diagnostics."""
    return _Reader(source).outline()


@dataclass(frozen=True, slots=True)
class _Own:
    """The own text of an item and what was taken off its front."""

    chunks: tuple[Chunk, ...]
    words: Words
    raw: str
    checkbox: Checkbox | None = None
    has_malformed_box: bool = False


@dataclass(slots=True)
class _Draft:
    """A section while its nodes are being read."""

    heading: Section
    nodes: list[Node] = field(default_factory=list)

    def done(self) -> Section:
        return replace(self.heading, nodes=tuple(self.nodes))


class _Reader:
    """Walks the block tokens once, from left to right."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = tuple(line.replace("\0", "\ufffd") for line in source.lines)
        self.front_matter = front_matter.read_front_matter(self.lines)
        skipped = self.front_matter.span.end_line if self.front_matter else 0
        page = [""] * skipped + list(self.lines[skipped:])
        end = "\n" if page[-1] else ""
        self.tokens, self.cut_off = rules.blocks("\n".join(page) + end)
        self.at = 0
        self.diagnostics: list[Diagnostic] = []

    def outline(self) -> Outline:
        """Read everything."""
        drafts = [_Draft(Section(0, nothing(1, 1), "", Span.of_line(1), ()))]
        above: list[tuple[int, str]] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at].type == "heading_open":
                drafts.append(_Draft(self._heading(above)))
            else:
                drafts[-1].nodes += self._nodes(0)
        self._report_cut_off()
        sections = tuple(draft.done() for draft in drafts)
        title = next((s.text for s in sections if s.level == 1), None)
        found = in_order(self.diagnostics)
        return Outline(self.source, title, self.front_matter, sections, found)

    def _report_cut_off(self) -> None:
        for row in self.cut_off[:1]:
            self.diagnostics.append(
                Diagnostic(
                    "GN007",
                    "this is nested too deep to be read as steps",
                    self.source.find(row + 1, ""),
                    expected=f"at most {rules.DEEPEST // 2} lists or {rules.DEEPEST} quotations",
                    hint="move it into a section of its own",
                )
            )
        if front_matter.is_unterminated(self.lines):
            self.diagnostics.append(front_matter.unterminated(self.source))

    def _heading(self, above: list[tuple[int, str]]) -> Section:
        opening, inline = self.tokens[self.at], self.tokens[self.at + 1]
        self.at += 3
        start, end = _lines_of(opening)
        level = int(opening.tag[1:])
        chunks = self._chunks(inline, end)
        words = read_words(chunks, without_emoji=True)
        raw = "\n".join(line.strip() for line in self.lines[start:end])
        while above and above[-1][0] >= level:
            above.pop()
        above.append((level, words.text))
        number, title = numbered(words.text)
        return Section(
            level,
            words,
            raw,
            self._reach(start, end),
            tuple(text for _, text in above),
            number,
            title,
            next((sign for sign in raw if sign in MARKS), None),
            _is_critical(raw, words.text),
        )

    def _reach(self, start: int, end: int) -> Span:
        """Return the place from the first character of a line to the end of another."""
        first = self.lines[start]
        indent = len(first) - len(first.lstrip())
        last = self.lines[end - 1].rstrip()
        if end - 1 == start:
            return Span.of_line(start + 1, indent + 1, len(last) - indent)
        return Span(start + 1, indent + 1, end, max(len(last) + 1, 2))

    def _nodes(self, depth: int) -> list[Node]:
        """Read one block, which can be several nodes (a list is its items)."""
        token = self.tokens[self.at]
        match token.type:
            case "paragraph_open" | "heading_open":
                return self._paragraphs()
            case "bullet_list_open" | "ordered_list_open":
                return self._list(depth)
            case "blockquote_open":
                return [self._quote(depth)]
            case "table_open":
                return [self._table()]
            case "html_block":
                self.at += 1
                return [self._html(*_lines_of(token))]
            case "fence" | "code_block":
                self.at += 1
                code, said = read_code(token, self.lines)
                self.diagnostics += said
                return [code]
            case _:
                self.at += 1
                return []

    def _table(self) -> Node:
        start = self.at
        while self.tokens[self.at].type != "table_close":
            self.at += 1
        self.at += 1
        return read_table(self.tokens[start : self.at], self.lines)

    def _chunks(self, inline: Token, end: int) -> list[Chunk]:
        """Find each line of a running text in the source, where markdown-it tells lines only."""
        row = _lines_of(inline)[0]
        parts = inline.content.split("\n")
        chunks = []
        for index, part in enumerate(parts):
            text = part.lstrip(" \t")
            # white space that is no blank line to Markdown may be cut off before the first line
            row, column = self._locate(text.rstrip(), row, row + 1 if index else end)
            is_last = index == len(parts) - 1
            chunks.append(Chunk(text.rstrip() if is_last else text + "\n", row + 1, column + 1))
            row += 1
        return chunks

    def _locate(self, text: str, row: int, end: int) -> tuple[int, int]:
        """Return the row and column (from 0) of a text; it ends its line but for a heading."""
        rows = (n for n in range(row, end) if text in self.lines[n])
        found = next(rows, min(row, len(self.lines) - 1))
        line = self.lines[found].rstrip()
        if line.endswith(text):
            return found, len(line) - len(text)
        return found, max(line.rfind(text), 0)

    def _paragraphs(self) -> list[Node]:
        """Read running text; it can turn out to be link definitions, a comparison, or ticks."""
        opening, inline = self.tokens[self.at], self.tokens[self.at + 1]
        self.at += 3
        start, end = _lines_of(opening)
        chunks = self._chunks(inline, end)
        nodes: list[Node] = []
        defined = 0
        while defined < len(chunks) and _DEFINITION.match(chunks[defined].text.rstrip()):
            defined += 1
        if defined:
            nodes.append(self._html(start, start + defined))
            chunks = chunks[defined:]
        if not chunks:
            return nodes
        self._note_comparisons(chunks)
        if rules.is_comparison(chunks[0].text):
            words = read_words(chunks)
            return [*nodes, Quote(words, _raw(chunks), _span(chunks), is_comparison=True)]
        if len(chunks) > 1 and all(chunk.text[0] in MARKS for chunk in chunks if chunk.text):
            return [*nodes, *(self._paragraph([chunk]) for chunk in chunks)]
        return [*nodes, self._paragraph(chunks)]

    def _paragraph(self, chunks: Sequence[Chunk]) -> Paragraph:
        whole = read_words(chunks)
        mark, words = _without_edges(whole)
        followed = self.at < len(self.tokens) and self.tokens[self.at].type in _BLOCK_TYPES
        return Paragraph(
            words,
            _raw(chunks),
            _span(chunks),
            followed and words.bold_prefix is not None,
            mark,
            _is_critical(whole.text, words.text),
        )

    def _note_comparisons(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            if rules.is_comparison(chunk.text):
                text = chunk.text.strip()
                self.diagnostics.append(
                    Diagnostic(
                        "GN010",
                        f"read as the comparison `{shortened(text)}`; a page shows a quotation",
                        Span.of_line(chunk.line, chunk.column, len(text)),
                        hint="write `\\>`, or words such as `more than`",
                        severity=Severity.NOTE,
                    )
                )

    def _list(self, depth: int) -> list[Node]:
        closing = self.tokens[self.at].type.replace("open", "close")
        self.at += 1
        items: list[Node] = []
        while self.tokens[self.at].type != closing:
            items.append(self._item(depth))
        self.at += 1
        return items

    def _item(self, depth: int) -> Item:
        opening = self.tokens[self.at]
        self.at += 1
        row = _lines_of(opening)[0]
        own = self._own_text(row)
        mark, words = _without_edges(own.words)
        marker = self._marker(row, own.chunks)
        children: list[Node] = []
        while self.tokens[self.at].type != "list_item_close":
            children += self._nodes(depth + 1)
        self.at += 1
        return Item(
            words,
            own.raw,
            marker.to(_span(own.chunks)) if own.chunks else marker,
            tuple(_span([chunk]) for chunk in own.chunks),
            depth,
            own.checkbox,
            int(opening.info) if opening.info.isdecimal() else None,
            mark,
            _is_critical(own.words.text, words.text),
            own.has_malformed_box,
            tuple(children),
        )

    def _marker(self, row: int, chunks: Sequence[Chunk]) -> Span:
        """Return the place of an item's bullet or number."""
        line = self.lines[row]
        if chunks and chunks[0].line == row + 1:
            found = _BULLET_BEFORE.search(line, 0, chunks[0].column - 1)
        else:
            found = _BULLET.search(line)
        if found is None:
            return self.source.find(row + 1, "")
        return Span.of_line(row + 1, found.start() + 1, len(found[0].rstrip()))

    def _own_text(self, row: int) -> _Own:
        """Take the text of an item and its box; an item may have none and hold only blocks."""
        if self.tokens[self.at].type not in {"paragraph_open", "heading_open"}:
            return _Own((), nothing(row + 1, len(self.lines[row].rstrip()) + 1), "")
        chunks = self._chunks(self.tokens[self.at + 1], _lines_of(self.tokens[self.at])[1])
        self.at += 3
        first = chunks[0]
        raw = _raw(chunks)
        found = _BOX.match(first.text)
        if found is not None:
            box = Checkbox.OPEN if found[1] in " \u00a0" else Checkbox.TICKED
            return _Own(tuple(chunks), read_words(_cut(chunks, found.end())), raw, box)
        self._note_comparisons(chunks)
        found = _NEARLY_BOX.match(first.text)
        if found is None:
            return _Own(tuple(chunks), read_words(chunks), raw)
        self.diagnostics.append(
            Diagnostic(
                "GN009",
                f"`{found[0].strip()}` is not a box, so this is an ordinary item",
                Span.of_line(first.line, first.column, len(found[0].strip())),
                expected="`[ ]` or `[x]`, then a space",
                hint="write `- [ ] …`",
                severity=Severity.WARNING,
            )
        )
        words = read_words(_cut(chunks, found.end()))
        return _Own(tuple(chunks), words, raw, has_malformed_box=True)

    def _quote(self, depth: int) -> Quote:
        start, end = _lines_of(self.tokens[self.at])
        self.at += 1
        nodes: list[Node] = []
        while self.tokens[self.at].type != "blockquote_close":
            nodes += self._nodes(depth)
        self.at += 1
        said = [n.words for n in nodes if isinstance(n, Paragraph)]
        words = joined(said, "\n") if said else nothing(start + 1, 1)
        rest = tuple(n for n in nodes if not isinstance(n, Paragraph))
        raw = "\n".join(line.strip() for line in self.lines[start:end])
        return Quote(words, raw, self._reach(start, end), children=rest)

    def _html(self, start: int, end: int) -> Html:
        rows = self.lines[start:end]
        raw = "\n".join(rows).strip()
        hidden = tuple(
            Span.of_line(start + n + 1, found.start() + 1, len(found[0]))
            for n, line in enumerate(rows)
            if (found := _HIDDEN_BOX.match(line.replace("<!--", "    ", 1)))
        )
        return Html(raw, self._reach(start, end), raw.startswith(("<!--", "[")), hidden)


def _lines_of(token: Token) -> tuple[int, int]:
    """Return the lines of a token: the first from 0, and the one after the last."""
    start, end = token.map or (0, 1)
    return start, max(end, start + 1)


def _cut(chunks: Sequence[Chunk], width: int) -> list[Chunk]:
    """Take characters off the front of a text."""
    first = chunks[0]
    return [Chunk(first.text[width:], first.line, first.column + width), *chunks[1:]]


def _raw(chunks: Sequence[Chunk]) -> str:
    return "\n".join(chunk.text.strip() for chunk in chunks)


def _span(chunks: Sequence[Chunk]) -> Span:
    last = chunks[-1]
    end = last.column + len(last.text.rstrip())
    first = chunks[0]
    return Span(first.line, first.column, last.line, max(end, last.column + 1))


def _is_critical(raw: str, text: str) -> bool:
    return "⚠" in raw or _CRITICAL.search(text) is not None


def _without_edges(words: Words) -> tuple[str | None, Words]:
    """Take pictures off both ends of a text; the first mark among the leading ones is returned."""
    found = EDGE_EMOJI.match(words.text)
    if found is not None and words.code and words.code[0].start < found.end():
        found = None
    start = found.end() if found else 0
    end = len(words.text)
    while end > start and EDGE_EMOJI.match(words.text[end - 1]):
        end -= 1
    mark = next((sign for sign in words.text[:start] if sign in MARKS), None)
    return mark, words if (start, end) == (0, len(words.text)) else words.part(start, end)
