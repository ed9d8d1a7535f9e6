"""`gonogo lint FILE`: line by line what was understood as what, and all mistakes at once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gonogo.cli import hiding, screen
from gonogo.cli.ending import ended
from gonogo.cli.load import look
from gonogo.cli.precheck import precheck, precheck_draft
from gonogo.errors import Diagnostic, RunbookError, Severity, UsageError, in_order
from gonogo.plan.model import Meaning, Plan
from gonogo.source import Source

_PLACE, _WHAT = 9, 15


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", nargs="+", help="one or more runbooks")
    parser.add_argument("--quiet", action="store_true", help="mistakes only")
    parser.add_argument("--json", action="store_true", help="as JSON")


def carry_out(options: argparse.Namespace) -> int:
    """Print what was understood to stdout and the mistakes to stderr; 2 when there is an error."""
    if len(options.file) == 1:
        found = [_one(options.file[0], options)]
    else:
        found = [_one_of_many(path, options) for path in options.file]
    if options.json:
        screen.say_json(found[0] if len(found) == 1 else found)
    return UsageError.exit_code if any(item["errors"] for item in found) else 0


def _one_of_many(path: str, options: argparse.Namespace) -> dict[str, object]:
    """Look at one file; one that cannot be used at all does not keep the others from being read."""
    try:
        return _one(path, options)
    except UsageError as error:
        if not options.json:
            ended(error)
        said = screen.error_json(str(error), hint=error.hint, code=error.code)
        return {"file": path, "errors": 1, **said}


def _one(path: str, options: argparse.Namespace) -> dict[str, object]:
    mode: str | None = None
    meanings: Sequence[Meaning] = ()
    try:
        source, understood = look(path)
    except RunbookError as error:  # not even the outline could be read
        source, diagnostics = error.source, in_order(error.diagnostics)
    else:
        plan = understood.plan
        more = (*precheck(plan), *_watched(plan)) if plan else precheck_draft(understood.draft)
        diagnostics = in_order([*understood.diagnostics, *more])
        mode = understood.plan.mode.value if understood.plan else None
        meanings = understood.meanings
    hide = hiding.hider(source, diagnostics)
    meanings = [replace(meaning, detail=hide(meaning.detail)) for meaning in meanings]
    if not options.json:
        if not options.quiet and meanings:
            screen.say("\n".join(_lines(meanings, screen.width())))
        _tell(path, mode, diagnostics, source, quiet=options.quiet)
    return {
        "file": path,
        "mode": mode,
        "errors": sum(d.severity is Severity.ERROR for d in diagnostics),
        "diagnostics": [hiding.about(d, hide).as_json() for d in diagnostics],
        "meanings": [
            {"line": m.span.line, "end_line": m.span.end_line, "what": m.what, "detail": m.detail}
            for m in meanings
        ],
    }


def _watched(plan: Plan) -> tuple[Diagnostic, ...]:
    if not plan.rules:
        return ()
    from gonogo.judge.firing import mistakes_of_watch  # not loaded for a runbook without rules

    return mistakes_of_watch(plan)


def _tell(
    path: str, mode: str | None, diagnostics: Sequence[Diagnostic], source: Source, *, quiet: bool
) -> None:
    shown = [d for d in diagnostics if d.severity is not Severity.NOTE or not quiet]
    if shown:
        screen.tell(("" if quiet else "\n") + screen.drawn(shown, source))
    screen.tell(f"\n{path}: {screen.summary(diagnostics)}{f', {mode}' if mode else ''}")


def _lines(meanings: Sequence[Meaning], width: int) -> Iterator[str]:
    """Yield one line for each meaning; a place that was named already is not named again."""
    from gonogo.report.words import cut, one_line

    before = ""
    for meaning in meanings:
        first, last = meaning.span.line, meaning.span.end_line
        place = f"{first}-{last}" if last > first else str(first)
        shown = "" if place == before else place
        before = place
        detail = cut(one_line(meaning.detail), width - _PLACE - _WHAT - 4)
        yield f"{shown:>{_PLACE}}  {meaning.what:<{_WHAT}}  {detail}".rstrip()
