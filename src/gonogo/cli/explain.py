"""`gonogo explain TEXT`: a condition in canonical words, typed."""

from __future__ import annotations

import argparse

from gonogo.cli import screen
from gonogo.errors import Diagnostic, RunbookError, Severity
from gonogo.source import Source, Span


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("text", nargs="+", help="the condition, as a runbook would say it")
    parser.add_argument("--json", action="store_true", help="typed, as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print the condition; a text that is none ends with exit code 2 and the diagnostic."""
    from gonogo.plan.grammar import read

    text = " ".join(options.text)
    source = Source("<text>", text)
    whole = Span.of_line(1, 1, len(text))
    reading = read(text, whole)
    errors = [d for d in reading.diagnostics if d.severity is Severity.ERROR]
    if reading.condition is None or errors:
        missing = Diagnostic(
            "GN100",
            f"`{text}` is no condition",
            whole,
            label="no comparison with a value was found",
            expected="a name, a comparison and a value, as in `p99 > 1.2s for 2 buckets`",
            hint="docs/conditions.md shows what can be said",
        )
        raise RunbookError(source, errors or [missing])
    if options.json:
        screen.say_json(reading.condition.as_json())
    else:
        screen.say(reading.condition.say())
    if reading.diagnostics:
        screen.tell(screen.drawn(reading.diagnostics, source))
    return 0
