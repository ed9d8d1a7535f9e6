"""Where words came from: a text with a name, and places in it.

Every node that the author of a runbook wrote carries a `Span`, so that each diagnostic and each
finding can point at its line. A `Span` does not hold its `Source`: it stays small and comparable.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a source: lines and columns count from 1, the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def of_line(cls, line: int, column: int = 1, length: int = 1) -> Span:
        """Return a place of `length` characters on one line."""
        return cls(line, column, line, column + max(length, 1))

    def to(self, other: Span) -> Span:
        """Return the place that reaches from the start of this one to the end of `other`."""
        return Span(self.line, self.column, other.end_line, other.end_column)

    def shifted(self, lines: int, columns: int = 0) -> Span:
        """Return this place moved down and right; used for text read out of a larger text."""
        return Span(
            self.line + lines,
            self.column + columns,
            self.end_line + lines,
            self.end_column + columns,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name under which its reader knows it (usually the path as typed)."""

    name: str
    text: str
    lines: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Split the text once; a line never holds its line end."""
        normal = self.text.replace("\r\n", "\n").replace("\r", "\n")
        object.__setattr__(self, "lines", tuple(normal.split("\n")))

    def line(self, number: int) -> str:
        """Return line `number` (from 1); empty when there is no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def find(self, line: int, words: str, start: int = 1) -> Span:
        """Return where `words` stand on `line` at or after column `start`, else the whole line.

        markdown-it gives line ranges only, so columns are looked up in the line itself.
        """
        text = self.line(line)
        at = text.find(words, start - 1) if words else -1
        if at >= 0:
            return Span.of_line(line, at + 1, len(words))
        stripped = text.strip()
        indent = len(text) - len(text.lstrip())
        return Span.of_line(line, indent + 1, max(len(stripped), 1))


def shortened(text: str, most: int = 60) -> str:
    """Return a text on one line, at most `most` characters long; one that was cut ends in `…`."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
