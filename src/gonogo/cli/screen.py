"""What is written where: data to stdout, the rest to stderr, one JSON form for every error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping

from gonogo.cli import streams
from gonogo.errors import Diagnostic, RunbookError, Severity, draw
from gonogo.source import Source

_NARROWEST, _USUAL, _WIDEST = 60, 80, 120
_hidden: list[Callable[[str], str]] = []


def hide(redact: Callable[[str], str]) -> None:
    """Let every message from now on go through `redact`; data is redacted where it is made."""
    _hidden.append(redact)


def say(text: str) -> None:
    """Write one line of data."""
    streams.write(sys.stdout, text + "\n")


def tell(text: str) -> None:
    """Write one line that is not data."""
    for redact in _hidden:
        text = redact(text)
    streams.write(sys.stderr, text + "\n")


def say_json(data: object) -> None:
    """Write data as JSON; characters that the stream cannot hold are written as escapes."""
    import json

    ascii_only = not streams.holds_all(sys.stdout)
    say(json.dumps(data, ensure_ascii=ascii_only, indent=2, default=str))


def say_document(text: str, form: str) -> None:
    """Write a rendered report; `form` tells how characters are escaped that do not fit."""
    text = text.rstrip("\n")
    if not streams.holds_all(sys.stdout):
        encoding = sys.stdout.encoding or "ascii"
        if form == "json":
            import json

            text = json.dumps(json.loads(text), ensure_ascii=True, indent=2)
        elif form in ("html", "junit"):
            text = text.encode(encoding, "xmlcharrefreplace").decode(encoding)
    say(text)


def width() -> int:
    """Return how many columns a line may take: of the terminal or `COLUMNS`, else 80."""
    said = os.environ.get("COLUMNS", "")
    columns = int(said[:6]) if said.isdecimal() else 0
    for stream in (sys.stdout, sys.stderr):
        if not columns:
            with contextlib.suppress(OSError, ValueError):  # no terminal
                columns = os.get_terminal_size(stream.fileno()).columns
    return max(_NARROWEST, min(columns or _USUAL, _WIDEST))


def is_plain() -> bool:
    """Say whether nothing may be redrawn here: no terminal, or one that cannot."""
    return not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb", "unknown")


def drawn(diagnostics: Iterable[Diagnostic], source: Source) -> str:
    """Draw diagnostics one below the other, errors last so that they stay in sight.

    A secret that stands in the runbook is masked in the lines that are shown.
    """
    from gonogo.cli import hiding

    order = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}
    by_weight = sorted(diagnostics, key=lambda d: order[d.severity])
    hide, shown = hiding.hider(source, by_weight), hiding.masked(source, by_weight)
    return "\n\n".join(draw(hiding.about(item, hide), shown) for item in by_weight)


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
