"""`gonogo status`: the runs of this folder, or one of them."""

from __future__ import annotations

import argparse

from gonogo.cli import screen
from gonogo.cli.home import add_home, home_of, is_open, pick_run
from gonogo.report import Format, collect, render
from gonogo.run.journal import Event
from gonogo.run.people import open_questions


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="one run, in full")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Show runs; never starts anything."""
    home = home_of(options)
    if options.run is None and not home.journal_file.exists():
        screen.say_json([]) if options.json else screen.say("no run was made here yet")
        return 0
    journal = home.journal()
    if options.run is not None:
        evidence = collect(journal.events(pick_run(journal, options.run, only_open=False)))
        form = Format.JSON if options.json else Format.TEXT
        screen.say(render(evidence, form).rstrip("\n"))
        return 0
    served = home.is_served()
    rows = [_row(journal.events(run), served=served) for run in journal.runs()]
    if options.json:
        screen.say_json(rows)
        return 0
    for row in rows:
        what = f"{row['service']} {row['release'] or ''}".strip()
        where = f" → {row['environment']}" if row["environment"] else ""
        screen.say(f"{row['run']}  {row['state']:<12} {what}{where}  started {row['started']}")
        for item in row["waiting"] if isinstance(row["waiting"], list) else []:
            screen.say(f"        waits for a person: {item}")
    return 0


def _row(events: tuple[Event, ...], *, served: bool) -> dict[str, object]:
    first = events[0]
    evidence = collect(events)
    waiting = list(open_questions([(e.kind, e.item) for e in events])) if is_open(events) else []
    state = evidence.outcome.value
    if is_open(events):
        state = ("waiting" if waiting else "running") if served else "stopped"
    return {
        "run": first.run,
        "state": state,
        "service": evidence.service,
        "release": evidence.release or None,
        "environment": evidence.environment or None,
        "runbook": evidence.runbook,
        "started": first.at,
        "by": first.who,
        "waiting": waiting,
        "exit_code": evidence.exit_code,
    }
