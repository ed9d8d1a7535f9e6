"""What can go wrong, as a tree, and how a mistake in a runbook is drawn.

GonogoError                 everything of ours
  RunbookError              the author's mistakes, all of them at once (exit 2)
  UsageError                a command line, a file or an answer that cannot be used (exit 2)
  WorkError                 the world: a probe or action could not do its work; it becomes a finding
  JournalError              the journal cannot be read or written; the run stops (exit 3)
  InternalError             our bug; says so (exit 70)

A failed check is none of these: it is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from gonogo.source import Source, Span


class Severity(StrEnum):
    """How much a diagnostic matters."""

    ERROR = "error"  # the run is refused
    WARNING = "warning"  # the run may start; the author should look
    NOTE = "note"  # a default or a reading that the author should know


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A mistake or a remark with its place, what was expected, and what to do."""

    code: str
    message: str
    span: Span
    label: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    expected: str = ""
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        """Return the one JSON form of a diagnostic."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "line": self.span.line,
            "column": self.span.column,
            "end_line": self.span.end_line,
            "end_column": self.span.end_column,
            "label": self.label or None,
            "expected": self.expected or None,
            "hint": self.hint or None,
        }


def draw(diagnostic: Diagnostic, source: Source) -> str:
    """Draw a diagnostic with its line and a caret, readable without colour on 80 columns."""
    span = diagnostic.span
    number = str(span.line)
    gutter = " " * len(number)
    text = source.line(span.line).replace("\t", " ")
    width = (
        span.end_column - span.column if span.end_line == span.line else len(text) - span.column + 1
    )
    start = max(span.column - 1, 0)
    cut = 0
    if start > 60:
        cut = start - 20
        text = "…" + text[cut + 1 :]
    shown = text[:110] + ("…" if len(text) > 110 else "")
    carets = "^" * max(1, min(width, max(len(shown) - (start - cut), 1)))
    lines = [
        f"{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}",
        f"{gutter} --> {source.name}:{span.line}:{span.column}",
        f"{gutter}  |",
        f"{number}  | {shown}",
        f"{gutter}  | {' ' * (start - cut)}{carets} {diagnostic.label}".rstrip(),
    ]
    lines += [f"{gutter}  = {note}" for note in diagnostic.notes]
    if diagnostic.expected:
        lines.append(f"expected: {diagnostic.expected}")
    if diagnostic.hint:
        lines.append(f"hint: {diagnostic.hint}")
    return "\n".join(lines)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by place and drop exact repetitions."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span, d.code, d.message)))


class GonogoError(Exception):
    """Everything that gonogo raises on purpose."""

    exit_code: ClassVar[int] = 70


class RunbookError(GonogoError):
    """The runbook has mistakes; carries all of its diagnostics, not the first."""

    exit_code: ClassVar[int] = 2

    def __init__(self, source: Source, diagnostics: Sequence[Diagnostic]) -> None:
        """Carry the source so that the mistakes can be drawn."""
        errors = [d for d in diagnostics if d.severity is Severity.ERROR]
        super().__init__(f"{source.name}: {len(errors)} mistake(s)")
        self.source = source
        self.diagnostics = tuple(diagnostics)


class UsageError(GonogoError):
    """Something on the command line or in a given file cannot be used."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "", code: str = "GN700") -> None:
        """Say what was found and, in the hint, what to do."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class WorkError(GonogoError):
    """A probe or action could not do its work; the run turns it into a finding.

    `failed` tells "did it and it went wrong" (status fail) from "could not look" (status error).
    """

    def __init__(self, message: str, *, hint: str = "", failed: bool = False) -> None:
        """Say what happened; `failed` means that the work was done and is bad."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.failed = failed


class JournalError(GonogoError):
    """The journal cannot be read or written."""

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Say what happened and what to do."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class InternalError(GonogoError):
    """A bug of ours: says so, with the run and where its journal is."""

    exit_code: ClassVar[int] = 70
