"""`gonogo abort`: stop a run and go back by its rollback."""

from __future__ import annotations

import argparse
import getpass

from gonogo.cli import screen
from gonogo.cli.home import add_home, home_of, is_open, pick_run
from gonogo.cli.resume import go_on
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.run.journal import ABORT, Answer


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the one that is open)")
    parser.add_argument("--by", metavar="NAME", help="who aborts (default: your login)")
    parser.add_argument("--reason", default="", help="why")
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    parser.set_defaults(answers=None)
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Ask the run to stop; where no process carries it, carry its way back here."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    if not is_open(journal.events(run)):
        raise UsageError(f"run `{run}` has ended", hint=f"`gonogo report {run}` shows its evidence")
    who = options.by or getpass.getuser()
    at = stamp(SystemClock().now())
    journal.put(Answer(run, 1, ABORT, "abort", who, at, options.reason))
    if home.is_served():
        screen.tell(f"run {run} is asked to stop and go back; `gonogo status {run}` shows it")
        return 0
    return go_on(home, journal, run, options)
