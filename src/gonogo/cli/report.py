"""`gonogo report`: the evidence of a run, and whether its chain of events is whole."""

from __future__ import annotations

import argparse
from pathlib import Path

from gonogo.cli import outcome, screen
from gonogo.cli.home import add_home, home_of, pick_run
from gonogo.errors import UsageError
from gonogo.report import Format, collect, render
from gonogo.run.journal import Event, broken_link


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the latest)")
    parser.add_argument(
        "--format", choices=[form.value for form in Format], help="the form (default: text)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--output", metavar="FILE", help="write there instead of stdout")
    parser.add_argument("--verify", action="store_true", help="check the hash chain of the events")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Render the evidence; with --verify say whether the journal was changed (exit 1)."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=False)
    events = journal.events(run)
    if options.verify:
        return _verify(run, events, as_json=options.json or options.format == "json")
    if outcome.is_overdue(home, run, events):
        for line in outcome.catch_up(home, run, events):
            screen.tell(line)
    form = options.format or ("json" if options.json else "text")
    text = render(collect(events), form, width=screen.width())
    if options.output:
        _write(Path(options.output), text)
    else:
        screen.say_document(text, form)
    return 0


def _verify(run: str, events: tuple[Event, ...], *, as_json: bool) -> int:
    broken = broken_link(events)
    whole = broken is None
    if as_json:
        screen.say_json(
            {
                "run": run,
                "whole": whole,
                "events": len(events),
                "broken_at": broken,
                "last_hash": events[-1].hash if whole else None,
            }
        )
    elif whole:
        screen.say(f"run {run}: {len(events)} events, chain whole\nlast hash {events[-1].hash}")
    else:
        screen.say(f"run {run}: event {broken} was changed or is missing")
    return 0 if whole else 1


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be written: {error.strerror or error}",
            hint="name another file with --output",
        ) from None
    screen.tell(f"wrote {path}")
