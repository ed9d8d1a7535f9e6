"""What is written where: data to stdout, the rest to stderr, one JSON form for every error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

from gonogo.errors import Diagnostic, RunbookError, Severity, draw
from gonogo.source import Source


def say(text: str) -> None:
    """Write one line of data."""
    write(sys.stdout, text + "\n")


def tell(text: str) -> None:
    """Write one line that is not data."""
    write(sys.stderr, text + "\n")


def write(stream: TextIO, text: str) -> None:
    """Write what the stream's encoding can hold; a mark it cannot hold becomes a question mark."""
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def say_json(data: object) -> None:
    """Write data as JSON."""
    say(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def drawn(diagnostics: Iterable[Diagnostic], source: Source) -> str:
    """Draw diagnostics one below the other, errors last so that they stay in sight."""
    order = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}
    by_weight = sorted(diagnostics, key=lambda d: order[d.severity])
    return "\n\n".join(draw(item, source) for item in by_weight)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Count diagnostics in words: `2 errors, 1 warning`."""
    counts = dict.fromkeys(Severity, 0)
    for item in diagnostics:
        counts[item.severity] += 1
    words = [
        f"{number} {severity.value}{'' if number == 1 else 's'}"
        for severity, number in counts.items()
        if number
    ]
    return ", ".join(words) or "no mistakes"


def error_json(
    message: str, *, hint: str = "", code: str = "GN700", diagnostics: Iterable[Diagnostic] = ()
) -> Mapping[str, object]:
    """Return the one JSON form of an error."""
    return {
        "error": {
            "code": code,
            "message": message,
            "hint": hint or None,
            "diagnostics": [item.as_json() for item in diagnostics],
        }
    }


def runbook_error(error: RunbookError) -> str:
    """Draw all mistakes of a runbook with their count."""
    shown = [d for d in error.diagnostics if d.severity is not Severity.NOTE]
    return f"{drawn(shown, error.source)}\n\n{error.source.name}: {summary(shown)}"
