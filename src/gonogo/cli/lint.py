"""`gonogo lint FILE`: line by line what was understood as what, and all mistakes at once."""

from __future__ import annotations

import argparse
import sys

from gonogo.cli import screen
from gonogo.cli.load import look
from gonogo.cli.precheck import precheck
from gonogo.errors import Severity, in_order
from gonogo.plan.model import Meaning
from gonogo.report.words import cut

_WIDTH = 80


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", nargs="+", help="one or more runbooks")
    parser.add_argument("--quiet", action="store_true", help="mistakes only")
    parser.add_argument("--json", action="store_true", help="as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print what was understood to stdout and the mistakes to stderr; 2 when there is an error."""
    found = [_one(path, options) for path in options.file]
    if options.json:
        screen.say_json(found[0] if len(found) == 1 else found)
    return 2 if any(item["errors"] for item in found) else 0


def _one(path: str, options: argparse.Namespace) -> dict[str, object]:
    source, understood = look(path)
    more = precheck(understood.plan) if understood.plan else ()
    diagnostics = in_order([*understood.diagnostics, *more])
    errors = sum(d.severity is Severity.ERROR for d in diagnostics)
    mode = understood.plan.mode.value if understood.plan else None
    if not options.json:
        if not options.quiet:
            for meaning in understood.meanings:
                screen.say(_line(meaning))
        shown = [d for d in diagnostics if d.severity is not Severity.NOTE or not options.quiet]
        if shown:
            sys.stdout.flush()
            screen.tell(("" if options.quiet else "\n") + screen.drawn(shown, source))
        screen.tell(f"\n{path}: {screen.summary(diagnostics)}{f', {mode}' if mode else ''}")
    return {
        "file": path,
        "mode": mode,
        "errors": errors,
        "diagnostics": [d.as_json() for d in diagnostics],
        "meanings": [
            {"line": m.span.line, "end_line": m.span.end_line, "what": m.what, "detail": m.detail}
            for m in understood.meanings
        ],
    }


def _line(meaning: Meaning) -> str:
    first, last = meaning.span.line, meaning.span.end_line
    where = f"{first}-{last}" if last > first else str(first)
    return f"{where:>9}  {meaning.what:<14} {cut(meaning.detail, _WIDTH - 27)}".rstrip()
