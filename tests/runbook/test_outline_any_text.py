"""Any text gives an outline: no exception, places inside the text, nothing lost, linear work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gonogo.runbook.labels import directive_of, split_folded
from gonogo.runbook.markdown import read
from gonogo.runbook.outline import Checkbox, Fence, Html, Item, Node, Outline, Paragraph, Quote
from gonogo.runbook.outline import Table as PageTable
from gonogo.runbook.reading import read_bytes
from gonogo.runbook.words import Words
from gonogo.source import Source, Span

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"

_MARKUP = """
- ¦1. ¦* ¦+ ¦> ¦>¦# ¦## ¦[ ] ¦[x] ¦[]¦``` ¦```bash¦~~~¦`¦``¦**¦*¦__¦_¦~~¦---¦===¦| a |¦|-|¦|¦
  ¦    ¦<!--¦-->¦<div>¦<br>¦<sha>¦&lt;¦&#0;¦\\¦[a](b)¦![¦](¦[a]: b¦✅¦⚠️¦❌¦word¦95 %¦> 95¦<a
¦#| a: b¦--| c¦Expect: ¦Retry: ¦:¦{¦}¦{"a":1}¦é¦Step 3: ¦2.1 ¦$ ls¦"a"¦a¦ a
"""
FRAGMENTS = st.sampled_from(
    [*_MARKUP.replace("\n", "").split("¦"), "\t", "\u00a0", "\0", "\x0b", "\x0c", "\u2028", "\n"]
)
PAGES = st.lists(
    st.lists(FRAGMENTS | st.text(max_size=4), max_size=6).map("".join), max_size=14
).map("\n".join)


def places(node: Node) -> list[Span]:
    """Return every place that a node tells."""
    match node:
        case Item():
            own = [node.span, *node.line_spans, *(span for _, span in node.inline_code)]
            return own + every_part(node.words)
        case Fence():
            told = [node.span, node.info_span, node.body_span]
            told += [span for o in node.options for span in (o.span, o.value_span)]
            return told + [a.span for a in node.attributes]
        case PageTable():
            rows = [node.header, *(row.cells for row in node.rows)]
            cells = [cell for row in rows for cell in row]
            parts = [span for cell in cells for span in (cell.span, *every_part(cell.words))]
            return [node.span, *(row.span for row in node.rows), *parts]
        case Paragraph() | Quote():
            return [node.span, *every_part(node.words)]
        case Html():
            return [node.span, *node.hidden_boxes]


def every_part(words: Words) -> list[Span]:
    return [words.place(), *(words.place(n, n + 1) for n in range(len(words.text)))]


def is_inside(span: Span, lines: tuple[str, ...]) -> bool:
    """A place begins on its line or right behind it, and is at least one column wide."""
    if not 1 <= span.line <= span.end_line <= len(lines):
        return False
    first, last = lines[span.line - 1], lines[span.end_line - 1]
    return (
        1 <= span.column <= len(first) + 1
        and 1 < span.end_column <= max(len(last) + 1, 2, span.column + 1)
        and (span.line, span.column) < (span.end_line, span.end_column)
    )


def misplaced(outline: Outline) -> list[tuple[str, Span]]:
    told = [(s.text, span) for s in outline.sections for span in (s.span, *every_part(s.words))]
    told += [(type(n).__name__, span) for _, n in outline.walk() for span in places(n)]
    told += [(d.code, d.span) for d in outline.diagnostics]
    return [(what, span) for what, span in told if not is_inside(span, outline.source.lines)]


@settings(max_examples=200, deadline=None)
@given(PAGES)
@example("    \xa0")  # content of a block that is indented, and no white space of the page
def test_every_place_lies_inside_the_text(text: str) -> None:
    assert misplaced(read(Source("deploy.md", text))) == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_characters_give_an_outline(text: str) -> None:
    outline = read(Source("deploy.md", text))
    assert outline.sections[0].level == 0
    assert misplaced(outline) == []


@pytest.mark.parametrize(
    "text", ["`\n`", "<R\n> 95", "\u00a0\n\u00a0\nExpect: ", "- a\n\n  \x0b\n  b"]
)
def test_places_that_were_once_wrong(text: str) -> None:
    assert misplaced(read(Source("deploy.md", text))) == []


@settings(max_examples=200, deadline=None)
@given(PAGES)
def test_labels_of_any_text_have_places_inside_it(text: str) -> None:
    outline = read(Source("deploy.md", text))
    for _, node in outline.walk():
        found = [directive_of(node)]
        if isinstance(node, Item | Paragraph | Quote):
            found += split_folded(node.words, ("Expect", "Retry"))
        for one in found:
            if one is not None:
                assert is_inside(one.name_span, outline.source.lines)
                assert is_inside(one.value_span, outline.source.lines)


def everything_said(outline: Outline) -> str:
    """Return all that an outline holds of the text, as written."""
    said = [outline.front_matter.text if outline.front_matter else ""]
    said += [section.raw for section in outline.sections]
    for _, node in outline.walk():
        match node:
            case Fence():
                said += [node.info, node.body]
            case PageTable():
                rows = [node.header, *(row.cells for row in node.rows)]
                said += [cell.raw for row in rows for cell in row]
            case _:
                said.append(node.raw)
    return "\n".join(said)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(FRAGMENTS, max_size=5).map("".join), max_size=10))
def test_no_word_of_a_page_vanishes(lines: list[str]) -> None:
    page = "\n".join(f"{line} w{number}w" for number, line in enumerate(lines))
    said = everything_said(read(Source("deploy.md", page)))
    for number in range(len(lines)):
        # the cells of a table beyond its header are dropped by every reader of GitHub tables
        if "|" not in page:
            assert f"w{number}w" in said


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_an_outline_is_the_same_each_time(text: str) -> None:
    assert read(Source("deploy.md", text)) == read(Source("deploy.md", text))


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_lines_without_options_keep_their_number(text: str) -> None:
    for _, node in read(Source("deploy.md", text)).walk():
        if isinstance(node, Fence):
            assert node.body.count("\n") == node.body_without_options.count("\n")


HOSTILE = {
    "quotations": ">" * 10_000,
    "lists in one line": "+ " * 10_000,
    "lists over lines": "\n".join("  " * depth + "- a" for depth in range(400)),
    "lazy lines": ">" * 100 + " a\n" + "b\n" * 2_000,
    "backticks": "`" * 1_000_000,
    "runs of backticks": " ".join("`" * length for length in range(1, 1_000)),
    "brackets": "[" * 50_000 + "]" * 50_000,
    "links": "[](" * 30_000,
    "emphasis": "**a *b_ " * 10_000,
    "closing emphasis": "*a " * 20_000 + "b* " * 20_000,
    "comments": "a <!-- " * 20_000,
    "tags": "<a b='" * 20_000,
    "entities": "&amp" * 30_000,
    "blank": " " * 200_000 + "x",
    "a table": "|a" * 200 + "|\n" + "|-" * 200 + "|\n" + "|b\n" * 400,
    "braces": "```bash " + '{"a":' * 30_000 + "\n```",
    "a deep value": '```bash {"a":' + "[" * 100_000 + "}\n```",
    "definitions": "[a]: b\n" * 10_000,
    "options": "```bash\n" + "#| a: b\n" * 10_000 + "```",
    "quotation marks": 'Expect: "' * 10_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_pages_are_read(text: str) -> None:
    outline = read(Source("deploy.md", text))
    kept = re.findall(r"\w", everything_said(outline))
    assert len(kept) >= len(re.findall(r"\w", text)) * 0.99


COUNTS = {"000": (36, 7, 13), "001": (192, 0, 91), "002": (33, 0, 0), "003": (12, 34, 16)}
COUNTS["004"] = (31, 0, 14)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the five source documents are not beside the tree")
@pytest.mark.parametrize("number", COUNTS)
def test_the_source_documents_are_read_in_full(number: str) -> None:
    (path,) = SEEDS.glob(f"{number}_*")
    outline = read(read_bytes(path.name, path.read_bytes()).source)
    boxes = [n.checkbox for _, n in outline.walk() if isinstance(n, Item) and n.checkbox]
    fences = [n for _, n in outline.walk() if isinstance(n, Fence) and not n.is_indented_code]
    counted = boxes.count(Checkbox.OPEN), boxes.count(Checkbox.TICKED), len(fences)
    assert counted == COUNTS[number]
    assert misplaced(outline) == []
    assert outline.diagnostics == ()
