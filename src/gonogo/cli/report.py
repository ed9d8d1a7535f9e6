"""`gonogo report`: the evidence of a run, and whether its chain of events is whole."""

from __future__ import annotations

import argparse
from pathlib import Path

from gonogo.cli import screen
from gonogo.cli.home import add_home, home_of, pick_run
from gonogo.report import Format, collect, render
from gonogo.run.journal import broken_link


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the latest)")
    parser.add_argument("--format", choices=[form.value for form in Format], default="text")
    parser.add_argument("--json", action="store_const", const="json", dest="format")
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
        broken = broken_link(events)
        if broken is not None:
            screen.say(f"run {run}: event {broken} was changed or is missing")
            return 1
        screen.say(f"run {run}: {len(events)} events, chain whole, last hash {events[-1].hash}")
        return 0
    text = render(collect(events), options.format)
    if options.output:
        Path(options.output).write_text(text, encoding="utf-8")
        screen.tell(f"wrote {options.output}")
    else:
        screen.say(text.rstrip("\n"))
    return 0
