"""Text as the reader of the page sees it, which still knows where each character was written."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import NamedTuple

from gonogo.source import Span


class Piece(NamedTuple):
    """From `offset` of a text on, its characters stand in the source from this place on."""

    offset: int
    line: int
    column: int


class Range(NamedTuple):
    """A part of a text: from `start` up to and without `end`, in characters."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """Text as the reader of the page sees it, and where each character was written.

    Markup is removed, entities and escapes are resolved, soft line ends are one space, hard ones
    a newline, and runs of white space are one space. Inline code keeps its content.
    """

    text: str
    pieces: tuple[Piece, ...]
    code: tuple[Range, ...] = ()
    bold: tuple[Range, ...] = ()
    struck: tuple[Range, ...] = ()

    def place(self, start: int = 0, end: int | None = None) -> Span:
        """Return where `text[start:end]` was written; an empty part gives one column."""
        stop = len(self.text) if end is None else end
        line, column = self._at(start)
        last_line, last_column = self._at(max(stop - 1, start))
        return Span(line, column, last_line, last_column + 1)

    def _at(self, offset: int) -> tuple[int, int]:
        index = bisect.bisect_right(self.pieces, offset, key=lambda piece: piece.offset) - 1
        piece = self.pieces[max(index, 0)]
        return piece.line, piece.column + max(offset - piece.offset, 0)

    def part(self, start: int, end: int | None = None) -> Words:
        """Return `text[start:end]` without white space around it, as words of their own."""
        stop = len(self.text) if end is None else end
        cut = self.text[start:stop]
        if cut.strip():  # a part without words stays where it begins
            start += len(cut) - len(cut.lstrip())
        stop = max(start, stop - (len(cut) - len(cut.rstrip())))
        inside = [p for p in self.pieces if start < p.offset < stop]
        pieces = (
            Piece(0, *self._at(start)),
            *(p._replace(offset=p.offset - start) for p in inside),
        )
        return Words(
            self.text[start:stop],
            pieces,
            code=_clipped(self.code, start, stop),
            bold=_clipped(self.bold, start, stop),
            struck=_clipped(self.struck, start, stop),
        )

    @property
    def inline_code(self) -> tuple[tuple[str, Span], ...]:
        """The pieces written in backticks, in order, each with its place."""
        return tuple((self.text[a:b], self.place(a, b)) for a, b in self.code)

    @property
    def bold_prefix(self) -> str | None:
        """The bold words at the very start, without a colon: `Page` in `**Page**: P99 > 2s`."""
        if not self.bold or self.bold[0].start != 0:
            return None
        return self.text[: self.bold[0].end].strip().rstrip(":").strip() or None

    @property
    def is_struck(self) -> bool:
        """Whether the author struck out the whole text."""
        return bool(self.struck) and self.struck[0] == (0, len(self.text))


def _clipped(ranges: tuple[Range, ...], start: int, stop: int) -> tuple[Range, ...]:
    """Return the ranges inside a cut-out, counted from its start."""
    return tuple(
        Range(max(a, start) - start, min(b, stop) - start)
        for a, b in ranges
        if max(a, start) < min(b, stop)
    )
