"""The tables of a page: rows of cells, each with its place in its line."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from gonogo.runbook.inline import Chunk, read_words
from gonogo.runbook.outline import Cell, Row, Table
from gonogo.source import Span


def read_table(tokens: Sequence[Token], lines: Sequence[str]) -> Table:
    """Turn the tokens of one table, from its opening to its closing, into a table."""
    rows: list[Row] = []
    contents: list[str] = []
    number = 0
    for token in tokens:
        if token.type == "tr_open":
            number = (token.map or [0])[0]
            contents = []
        elif token.type == "inline":
            contents.append(token.content)
        elif token.type == "tr_close":
            rows.append(_row(contents, number, lines[number]))
    start, end = tokens[0].map or (0, 1)
    first, last = lines[start], lines[end - 1]
    indent = len(first) - len(first.lstrip())
    span = Span(start + 1, indent + 1, end, max(len(last.rstrip()) + 1, 2))
    return Table(rows[0].cells, tuple(rows[1:]), span)


def _row(contents: Sequence[str], number: int, line: str) -> Row:
    """Find the cells of a row in its line; missing ones are empty and stand at its end."""
    cells = []
    at = 0
    for content in contents:
        # in the source a bar inside a cell is written with a backslash
        written = content.replace("|", "\\|")
        found = line.find(written, at) if written else -1
        if found < 0:
            bar = line.find("|", at)
            inside = bar + 1 if bar >= 0 else len(line)
            cells.append(_cell("", number, inside))
            bar = line.find("|", inside)
            at = bar if bar >= 0 else len(line)
            continue
        cells.append(_cell(written, number, found))
        at = found + len(written)
    indent = len(line) - len(line.lstrip())
    return Row(tuple(cells), Span.of_line(number + 1, indent + 1, len(line.strip())))


def _cell(written: str, number: int, column: int) -> Cell:
    """Read one cell; a backslash before a bar belongs to the table, even inside code."""
    chunks = []
    at = column
    parts = written.split("\\|")
    for index, part in enumerate(parts):
        text = part if index == 0 else f"|{part}"
        chunks.append(Chunk(text, number + 1, at + 1))
        at += len(text) + 1
    words = read_words(chunks, without_emoji=True)
    raw = written.replace("\\|", "|")
    return Cell(words, raw, Span.of_line(number + 1, column + 1, len(written)))
