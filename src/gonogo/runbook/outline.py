"""What stands where in a runbook: headings, items, blocks, tables, each with its place.

An `Outline` says only what the page shows and where it was written. What a heading or an item
means for a release is decided by the next hop; `gonogo.runbook.labels` reads
`Name: value` and `Step 3` out of their words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gonogo.errors import Diagnostic
from gonogo.runbook.words import Words
from gonogo.source import Source, Span

TICK_MARKS = frozenset("✅☑✔✓")
"""Signs that authors put before something done or wanted."""
OPEN_MARKS = frozenset("☐⬜□▢🔲")
"""Signs that authors draw instead of an open box."""
CROSS_MARKS = frozenset("❌✖✗✘❎")
"""Signs before something that must not be."""
MARKS = TICK_MARKS | OPEN_MARKS | CROSS_MARKS


class Checkbox(StrEnum):
    """What a task list box says; a ticked box is a claim, not a result."""

    OPEN = "open"  # [ ]
    TICKED = "ticked"  # [x] or [X]


@dataclass(frozen=True, slots=True)
class Item:
    """One list item or checkbox, with what stands under it.

    `text` has neither bullet, box, leading emoji nor markup; a comparison keeps its sign
    (`> 95 %`). `span` reaches from the bullet to the end of the item's own text; children have
    spans of their own.
    """

    words: Words
    raw: str  # the item's own text as written, without bullet and indentation, with box and marks
    span: Span
    line_spans: tuple[Span, ...]  # one per source line of the own text
    depth: int  # 0 for an item of an outermost list
    checkbox: Checkbox | None = None
    ordered: int | None = None  # the number that the author wrote
    mark: str | None = None  # a leading sign out of MARKS
    is_critical: bool = False  # marked with the warning sign, or with the word as a label
    has_malformed_box: bool = False  # `[]`, `[x]text`: not a box on the page
    children: tuple[Node, ...] = ()

    @property
    def text(self) -> str:
        """The item's own words."""
        return self.words.text

    @property
    def bold_prefix(self) -> str | None:
        """The bold words at the start of the text."""
        return self.words.bold_prefix

    @property
    def inline_code(self) -> tuple[tuple[str, Span], ...]:
        """What the item writes in backticks."""
        return self.words.inline_code

    @property
    def fences(self) -> tuple[Fence, ...]:
        """The blocks directly under this item."""
        return tuple(node for node in self.children if isinstance(node, Fence))

    @property
    def items(self) -> tuple[Item, ...]:
        """The items directly under this item."""
        return tuple(node for node in self.children if isinstance(node, Item))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One setting in the braces of an info string; `key` is None when it cannot be read."""

    key: str | None
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Option:
    """One option comment at the top of a block; `key` is None when it cannot be read."""

    key: str | None
    value: str
    span: Span  # the whole comment without indentation
    value_span: Span
    problem: str = ""  # why `key` is None


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code: its language, settings and body, with indentation removed."""

    info: str  # what stands after the opening fence, as written
    language: str  # the first word in lower case; empty when there is none
    words: tuple[str, ...]  # plain words after the language, outside braces
    attributes: tuple[Attribute, ...]
    options: tuple[Option, ...]
    body: str  # as written, lines joined by newlines, no newline at the end
    body_without_options: str  # the same number of lines, option lines empty
    span: Span  # from the opening fence to the end of the closing one
    info_span: Span
    body_span: Span  # of an empty body: the line after the opening fence, one column
    offsets: tuple[int, ...]  # per body line: characters before it in its source line
    is_closed: bool = True
    is_indented_code: bool = False  # four spaces instead of a fence: documentation
    indent: int = 0  # columns before the opening fence

    def option(self, key: str) -> Option | None:
        """Return the last option of this name, whatever its letter case."""
        found = [o for o in self.options if o.key is not None and o.key.lower() == key.lower()]
        return found[-1] if found else None

    def attribute(self, key: str) -> Attribute | None:
        """Return the last brace attribute of this exact name."""
        found = [a for a in self.attributes if a.key == key]
        return found[-1] if found else None

    def place(self, line: int, column: int = 0, length: int = 1) -> Span:
        """Return the source place of a body line and column, both counted from 0 (as YAML does)."""
        row = min(max(line, 0), max(len(self.offsets) - 1, 0))
        before = self.offsets[row] if self.offsets else self.indent
        return Span.of_line(self.body_span.line + row, before + column + 1, length)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `raw` keeps markup and emoji, `words` has neither."""

    words: Words
    raw: str
    span: Span

    @property
    def text(self) -> str:
        """The cell's words."""
        return self.words.text


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, with as many cells as the header."""

    cells: tuple[Cell, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page."""

    header: tuple[Cell, ...]
    rows: tuple[Row, ...]
    span: Span

    def column(self, *names: str) -> int | None:
        """Return the index of the first column headed by one of `names`, in any letter case."""
        wanted = {name.casefold() for name in names}
        for index, cell in enumerate(self.header):
            if cell.text.casefold() in wanted:
                return index
        return None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; a bold one before a block is often a step or a label."""

    words: Words
    raw: str
    span: Span
    is_bold_step: bool = False  # starts bold and a block, list or table follows directly
    mark: str | None = None
    is_critical: bool = False

    @property
    def text(self) -> str:
        """The paragraph's words."""
        return self.words.text

    @property
    def bold_prefix(self) -> str | None:
        """The bold words at the start of the text."""
        return self.words.bold_prefix


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation; one that is really a comparison (`> 95 %`) keeps its sign in the text.

    A quotation of several paragraphs has them joined by newlines; lists and blocks inside it
    are `children`, shown on the page but quoted: examples, not steps.
    """

    words: Words
    raw: str
    span: Span
    is_comparison: bool = False
    children: tuple[Node, ...] = ()

    @property
    def text(self) -> str:
        """The words of the quotation."""
        return self.words.text


@dataclass(frozen=True, slots=True)
class Html:
    """HTML, a comment or a link definition: never content, kept so that lint can speak of it."""

    raw: str
    span: Span
    is_comment: bool = False
    hidden_boxes: tuple[Span, ...] = ()  # task boxes that the page does not show as such


Node = Item | Fence | Table | Paragraph | Quote | Html


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and everything up to the next heading of any level; level 0 is the preamble."""

    level: int
    words: Words  # without markup, emoji and closing #
    raw: str
    span: Span  # the heading; of a preamble, the first line
    path: tuple[str, ...]  # the texts of the headings above, and the own one last
    number: str | None = None  # `2.1`, `Step 3`, `Phase B`; still part of the text
    title: str = ""  # the text without its number
    mark: str | None = None
    is_critical: bool = False
    nodes: tuple[Node, ...] = ()

    @property
    def text(self) -> str:
        """The heading's words."""
        return self.words.text


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The settings between two lines of dashes at the top, not parsed yet."""

    text: str  # without the dashes
    span: Span  # with the dashes
    first_line: int  # the source line of the first line of `text`

    def place(self, line: int, column: int = 0, length: int = 1) -> Span:
        """Return the source place of a line and column of the text, counted from 0."""
        return Span.of_line(self.first_line + line, column + 1, length)


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole runbook as it stands on the page; `sections[0]` is always the level 0 preamble."""

    source: Source
    title: str | None  # the text of the first level 1 heading
    front_matter: FrontMatter | None
    sections: tuple[Section, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    def walk(self) -> Iterator[tuple[Section, Node]]:
        """Yield every node with its section, parents before children, in document order."""
        for section in self.sections:
            for node in section.nodes:
                for inner in descend(node):
                    yield section, inner


def descend(node: Node) -> Iterator[Node]:
    """Yield a node and everything under it, in document order."""
    yield node
    if isinstance(node, Item | Quote):
        for child in node.children:
            yield from descend(child)
