"""From an offset in a text to a line and a column, so that a diagnostic can point at its place."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from gonogo.source import Span


@dataclass(frozen=True, slots=True)
class Places:
    """Turns offsets of one text into spans; lines and columns count from 1."""

    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the line starts once."""
        starts = [0]
        starts += [index + 1 for index, char in enumerate(self.text) if char == "\n"]
        object.__setattr__(self, "_starts", tuple(starts))

    def span(self, start: int, end: int) -> Span:
        """Return the place from offset `start` up to `end`; never empty."""
        line, column = self._at(start)
        end_line, end_column = self._at(max(end, start + 1))
        if end_line > line and end_column == 1:  # ends with a line feed: stay on the line before
            end_line -= 1
            end_column = self._starts[end_line] - self._starts[end_line - 1]
        return Span(line, column, end_line, max(end_column, 1))

    def of_line(self, number: int) -> Span:
        """Return the place of the words of line `number`, without its indentation."""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else len(self.text)]
        indent = len(line) - len(line.lstrip())
        return Span.of_line(number, indent + 1, max(len(line.strip()), 1))

    def _at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
