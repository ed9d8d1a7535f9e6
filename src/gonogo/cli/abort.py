"""`gonogo abort`: stop a run and go back by its rollback."""

from __future__ import annotations

import argparse

from gonogo.cli import screen
from gonogo.cli.home import add_home, home_of, home_words, pick_run
from gonogo.cli.resume import go_on, refuse_ended
from gonogo.cli.who import add_by, who_of
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.run.journal import ABORT, Answer


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the one that is open)")
    add_by(parser, "who aborts")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why, for the evidence")
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    parser.set_defaults(answers=None)
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Ask the run to stop; where no process carries it, carry its way back here."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    refuse_ended(journal.events(run), run)

    def request() -> bool:
        at = stamp(SystemClock().now())
        who = who_of(options)
        return journal.put(Answer(run, 1, ABORT, "abort", who, at, options.reason))

    if not home.is_served():
        return go_on(home, journal, run, options, first=request)
    if any(event.kind == "rollback.started" for event in journal.events(run)):
        screen.tell(f"run {run} goes back already, once; `gonogo status {run}` shows it")
        return 0
    if not request():
        already = journal.answer(run, ABORT)
        by = f" by {already.who} at {already.at}" if already is not None else ""
        raise UsageError(f"run `{run}` is being aborted already{by}", hint="`gonogo status`")
    words = f"`gonogo status {run}{home_words(home)}` shows it"
    if options.json:
        screen.say_json({"run": run, "aborted": True})
    screen.tell(f"run {run} is asked to stop and go back; {words}")
    return 0
