"""`gonogo explain TEXT`: a condition in canonical words, typed."""

from __future__ import annotations

import argparse

from gonogo.cli import screen
from gonogo.errors import RunbookError
from gonogo.source import Source, Span


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("text", help="the condition, as a runbook would say it")
    parser.add_argument("--json", action="store_true", help="typed, as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print the condition; a text that is none ends with exit code 2 and the diagnostic."""
    from gonogo.errors import Diagnostic, Severity
    from gonogo.plan.grammar import read

    source = Source("<text>", options.text)
    whole = Span.of_line(1, 1, len(options.text))
    reading = read(options.text, whole)
    errors = [d for d in reading.diagnostics if d.severity is Severity.ERROR]
    if reading.condition is None or errors:
        missing = Diagnostic(
            "GN100",
            f"`{options.text}` is no condition",
            whole,
            label="no comparison with a value was found",
            expected="a name, a comparison and a value, as in `p99 > 1.2s for 2 buckets`",
            hint="docs/conditions.md shows what can be said",
        )
        raise RunbookError(source, errors or [missing])
    if options.json:
        screen.say_json(reading.condition.as_json())
        return 0
    screen.say(reading.condition.say())
    for diagnostic in reading.diagnostics:
        screen.tell(screen.drawn([diagnostic], source))
    return 0
