"""From the bytes of a file to the text of a runbook; what cannot be a runbook is refused here."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from gonogo.errors import Diagnostic, RunbookError, Severity, UsageError
from gonogo.runbook import front_matter, mojibake
from gonogo.source import Source, Span

LARGEST = 10_000_000
"""Bytes that a runbook may have."""

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b") | {127}


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a file and what had to be done to read it."""

    source: Source
    diagnostics: tuple[Diagnostic, ...] = ()


def read_source(name: str, data: bytes) -> Source:
    """Return the text of a file; `read_bytes` says more.

    Raises `UsageError` for what is no text and `RunbookError` for front matter without an end.
    """
    return read_bytes(name, data).source


def read_bytes(name: str, data: bytes) -> Reading:
    """Return the text of a file with plain line ends, and warnings about how it was encoded.

    Raises `UsageError` for an empty, binary or too large file and `RunbookError` for front matter
    without an end. The file itself is never rewritten.
    """
    if len(data) > LARGEST:
        raise UsageError(
            f"`{name}` has {len(data) / 1e6:.1f} MB, expected at most {LARGEST / 1e6:.0f} MB",
            hint="is this really the runbook?",
            code="GN003",
        )
    text, diagnostics = _decoded(name, data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UsageError(
            f"`{name}` is empty, expected a Markdown runbook",
            hint="`gonogo lint` reads any Markdown checklist",
            code="GN001",
        )
    lines = text.split("\n")
    garbled = mojibake.repair(lines)
    source = Source(name, "\n".join(lines))
    if garbled:
        diagnostics.append(_garbled(source, garbled))
    if front_matter.is_unterminated(source.lines):
        raise RunbookError(source, [*diagnostics, front_matter.unterminated(source)])
    return Reading(source, tuple(diagnostics))


def _decoded(name: str, data: bytes) -> tuple[str, list[Diagnostic]]:
    for mark, codec in _WIDE:
        if data.startswith(mark):
            try:
                return data.decode(codec), []
            except UnicodeDecodeError:
                raise _binary(name, "its text breaks off in the middle of a character") from None
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise _binary(name, "it holds zero bytes")
    controls = sum(map(data.count, (bytes([byte]) for byte in _CONTROLS)))
    if controls * 20 > len(data):
        raise _binary(name, "it holds control characters")
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        first = len(data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
        return _by_line(name, data, first)


def _by_line(name: str, data: bytes, first: int) -> tuple[str, list[Diagnostic]]:
    """Read each line as UTF-8, and one that is not as Windows-1252."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    texts = []
    foreign = 0
    for line in lines:
        try:
            texts.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            foreign += sum(byte > 127 for byte in line)
            texts.append(line.decode("cp1252", errors="replace"))
    if foreign * 5 > len(data):
        raise _binary(name, "most of it is no text in UTF-8 or Windows-1252")
    warning = Diagnostic(
        "GN004",
        "this line is not UTF-8; it is read as Windows-1252",
        Span.of_line(first, 1, len(texts[first - 1])),
        hint="save the file as UTF-8",
        severity=Severity.WARNING,
    )
    return "\n".join(texts), [warning]


def _binary(name: str, reason: str) -> UsageError:
    return UsageError(
        f"`{name}` is not a text file: {reason}",
        hint="give the Markdown file of the runbook, saved as UTF-8",
        code="GN002",
    )


def _garbled(source: Source, numbers: list[int]) -> Diagnostic:
    shown = ", ".join(map(str, numbers[:12])) + (", …" if len(numbers) > 12 else "")
    first = numbers[0]
    return Diagnostic(
        "GN005",
        f"garbled characters are read as what they once were, on {len(numbers)} line(s)",
        Span.of_line(first, 1, len(source.line(first))),
        label="shown as it is read",
        hint="save the file as UTF-8 with the right characters",
        severity=Severity.WARNING,
        notes=(f"lines {shown}",),
    )
