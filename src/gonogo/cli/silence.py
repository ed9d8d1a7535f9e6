"""`gonogo silence`: for a planned while nobody is told of alerts; a rollback is always told."""

from __future__ import annotations

import argparse
from datetime import timedelta

from gonogo.cli import alerts, screen
from gonogo.cli.arguments import nearest
from gonogo.cli.home import Home, add_home, home_of, home_words, is_open, pick_run
from gonogo.cli.resume import refuse_ended
from gonogo.cli.who import add_by, who_of
from gonogo.clock import SystemClock, stamp
from gonogo.errors import UsageError
from gonogo.plan.model import Plan
from gonogo.plan.receivers import Silence
from gonogo.plan.units import is_time, parse_quantity
from gonogo.run.journal import Journal
from gonogo.run.silences import put, put_end

LONGEST_S = 86_400.0
"""A planned window has an end in sight: a day at most."""
_EXAMPLE = "`--for 30m --reason 'database restart'`"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the one that is open)")
    parser.add_argument("--for", dest="lasting", metavar="TIME", help="how long: 30m, 2h")
    parser.add_argument("--reason", metavar="TEXT", default="", help="what is planned")
    parser.add_argument("--only", metavar="METRIC", default="", help="only alerts of this metric")
    parser.add_argument("--end", action="store_true", help="end what is silenced now")
    add_by(parser, "who answers for it")
    parser.add_argument("--json", action="store_true", help="the planned windows as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Put a planned window into the inbox of a run, end those it has, or list them."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    if options.end:
        refuse_ended(journal.events(run), run)
        _end(journal, run, options)
    elif options.lasting is not None:
        refuse_ended(journal.events(run), run)
        _begin(journal, run, options)
    elif options.reason or options.only:
        raise UsageError("how long is it to be silent?", hint=_EXAMPLE)
    return _show(home, journal, run, as_json=options.json)


def _begin(journal: Journal, run: str, options: argparse.Namespace) -> None:
    lasting = _seconds(options.lasting)
    if not options.reason.strip():
        raise UsageError("a planned window needs a reason", hint=_EXAMPLE)
    only = options.only.strip()
    _refuse_pointless(_plan(journal, run), run, only)
    begin = SystemClock().now()
    end = begin + timedelta(seconds=lasting)
    at, until = stamp(begin), stamp(end)
    who = who_of(options)
    window = Silence(who, options.reason.strip(), alerts.to_ms(at), alerts.to_ms(until), only)
    put(journal, run, window, at, until)


def _seconds(text: str) -> float:
    found = parse_quantity(text.strip())
    if found is None or not is_time(found.unit) or found.si <= 0:
        raise UsageError(f"`{text}` is no time, expected a number with a unit", hint=_EXAMPLE)
    if found.si > LONGEST_S:
        raise UsageError(
            f"`{text}` is too long, expected at most a day",
            hint="silence it anew when the day is over, and not alone",
        )
    return float(found.si)


def _plan(journal: Journal, run: str) -> Plan | None:
    """Return the plan of a run, from the text that it is bound to."""
    from gonogo.cli.load import understand_source
    from gonogo.source import Source

    opening = journal.events(run)[0].body
    if not opening.get("text"):
        return None
    return understand_source(Source(str(opening["runbook"]), str(opening["text"])))


def _refuse_pointless(plan: Plan | None, run: str, only: str) -> None:
    if plan is None:
        return
    if not any(contact.channels for contact in plan.receivers.contacts):
        raise UsageError(
            f"run {run} tells nobody: its runbook names no contact with a channel",
            hint="there is nothing to silence; docs/alerts.md says how people are told",
        )
    names = [metric.name for metric in plan.metrics]
    known = [name for name in names if only.casefold() in name.casefold()]
    if only and not known:
        close = nearest(only, names)
        listed = ", ".join(f"`{name}`" for name in names) or "none"
        hint = f"did you mean `{close}`?" if close else f"metrics: {listed}"
        raise UsageError(f"the run has no metric `{only}`", hint=hint)


def _end(journal: Journal, run: str, options: argparse.Namespace) -> None:
    if options.lasting is not None:
        raise UsageError("both `--end` and `--for` were given", hint="end it, or begin another")
    now = SystemClock().now()
    found = alerts.open_windows(journal, run, alerts.to_ms(stamp(now)))
    if not found:
        raise UsageError(f"nothing is silenced in run {run}", hint="`gonogo status` shows alerts")
    for one in found:
        put_end(journal, run, one.silence.name, who_of(options), stamp(now))


def _show(home: Home, journal: Journal, run: str, *, as_json: bool) -> int:
    found = alerts.open_windows(journal, run, alerts.to_ms(stamp(SystemClock().now())))
    if as_json:
        screen.say_json([alerts.window_json(one) for one in found])
        return 0
    if not found:
        screen.say(f"run {run}: nothing is silenced")
    for line in alerts.window_lines(home, run, found, screen.width()):
        screen.say(line)
    if found and not home.is_served() and is_open(journal.events(run)):
        screen.tell(f"nobody carries run {run} now: `gonogo resume {run}{home_words(home)}`")
    return 0
