"""How the lines of a run are set on a terminal: its columns, and what is cut where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gonogo.report import words
from gonogo.report.evidence import Evidence

NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Page:
    """How lines are set: columns in all, of the first word, of the titles of phases."""

    width: int = 80
    word: int = 9
    titles: int = 17
    runbook: str = ""

    @classmethod
    def of(cls, evidence: Evidence, width: int) -> Page:
        """Return a page whose columns fit the phases of this evidence."""
        titles = [words.cells(words.one_line(phase.title)) for phase in evidence.phases]
        starts = [len(phase.word) + 1 for phase in evidence.phases]
        width = max(width, NARROWEST)
        return cls(
            width=width,
            word=max([9, *starts]),
            titles=min(max([12, *titles]) + 3, max(14, width // 2 - 8)),
            runbook=words.one_line(evidence.runbook),
        )

    def row(self, word: str, left: str, seconds: float | None = None, tail: str = "") -> str:
        """Return one line: word, text, time in its column, remark behind it."""
        time = words.duration(seconds)
        right = time
        if self.width >= 60:
            right = f"{time:>9}  {tail:<16}" if time or tail else ""
            if len(tail) > 16:
                right = f"{time:>9}  {tail}"
        room = self.width - self.word - (len(right) + 1 if right else 0)
        left = words.neutral(left).replace("\n", " ")
        text = words.pad(word, self.word) + words.pad(words.cut(left, room), room)
        return f"{text} {right}".rstrip()

    def place(self, line: int) -> str:
        """Return `deploy.md:57`, shortened from the left; empty without a line."""
        if line < 1:
            return ""
        return words.cut_left(f"{self.runbook or 'runbook'}:{line}", self.width // 2)

    def block(self, word: str, parts: Iterable[str], place: str = "") -> list[str]:
        """Return indented lines under a phase: word and title, details, the place at the right."""
        first, *rest = [part for part in parts if part] or [""]
        gap = max(6, len(word) + 2)
        room = self.width - self.word - gap
        lines = words.wrap(first, room, most=2) or [""]
        for part in rest:
            lines += words.wrap(part, room, ends=True)
        if place:
            lines = self._placed(lines, room, place)
        heads = [words.pad(word, gap), *[" " * gap] * (len(lines) - 1)]
        return [
            (" " * self.word + head + line).rstrip()
            for head, line in zip(heads, lines, strict=True)
        ]

    @staticmethod
    def _placed(lines: list[str], room: int, place: str) -> list[str]:
        free = room - words.cells(lines[-1]) - 2
        if words.cells(place) <= free:
            return [*lines[:-1], words.pad(lines[-1], room - words.cells(place)) + place]
        return [*lines, " " * (room - words.cells(place)) + place]
