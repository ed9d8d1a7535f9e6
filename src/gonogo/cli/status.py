"""`gonogo status`: the runs of this folder, or one of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gonogo.cli import alerts, questions, screen
from gonogo.cli.home import Home, add_home, home_of, is_open, pick_run
from gonogo.clock import SystemClock, stamp
from gonogo.report import Format, collect, render
from gonogo.report.words import cut, day_and_time, one_line, pad
from gonogo.run.journal import Journal
from gonogo.run.silences import Window


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="one run, in full")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Show runs; never starts anything."""
    home = home_of(options)
    if options.run is None and not home.has_journal():
        screen.say_json([]) if options.json else screen.say("no run was made here yet")
        return 0
    journal = home.journal()
    if options.run is not None:
        run = pick_run(journal, options.run, only_open=False)
        evidence = collect(journal.events(run))
        form = Format.JSON if options.json else Format.TEXT
        screen.say_document(render(evidence, form, width=screen.width()), form.value)
        for line in () if options.json else _awaited(home, journal, run):
            screen.say(line)
        return 0
    rows = _rows(home, journal)
    if options.json:
        screen.say_json(rows)
    else:
        for line in _lines(rows, screen.width()):
            screen.say(line.rstrip())
    return 0


def _awaited(home: Home, journal: Journal, run: str) -> Iterator[str]:
    """Yield what an open run and its alerts want of people, and what is silenced."""
    if is_open(journal.events(run)):
        width = screen.width()
        yield from questions.in_full(home, questions.waiting(journal, run), width)
        yield from alerts.how_to_acknowledge(home, run, alerts.waiting(journal, run), width)
        yield from alerts.window_lines(home, run, _silenced(journal, run), width)


def _silenced(journal: Journal, run: str) -> tuple[Window, ...]:
    return alerts.open_windows(journal, run, alerts.to_ms(stamp(SystemClock().now())))


def _rows(home: Home, journal: Journal) -> list[dict[str, object]]:
    served = home.is_served()
    return [_row(journal, run, served=served) for run in journal.runs()]


def _row(journal: Journal, run: str, *, served: bool) -> dict[str, object]:
    events = journal.events(run)
    evidence = collect(events)
    asked = questions.waiting(journal, run) if is_open(events) else ()
    silenced = _silenced(journal, run) if is_open(events) else ()
    state = evidence.outcome.value
    if is_open(events) and evidence.intact:
        carried = served and run == _latest_carried(journal)
        state = _open_state(carried=carried, asks=bool(asked))
    return {
        "run": run,
        "state": state,
        "service": evidence.service,
        "release": evidence.release or None,
        "environment": evidence.environment or None,
        "runbook": evidence.runbook,
        "started": events[0].at,
        "by": events[0].who,
        "waiting": [questions.as_json(event) for event in asked],
        "alerts": [questions.as_json(event) for event in alerts.waiting(journal, run)],
        "silenced": [alerts.window_json(one) for one in silenced],
        "exit_code": evidence.exit_code,
    }


def _open_state(*, carried: bool, asks: bool) -> str:
    if carried:
        return "waiting" if asks else "running"
    return "parked" if asks else "stopped"


def _latest_carried(journal: Journal) -> str:
    """Return the open run that was started or resumed last: one process carries one run."""
    last: tuple[str, str] = ("", "")
    for run in journal.runs():
        events = journal.events(run)
        if is_open(events):
            begun = [e.at for e in events if e.kind in ("run.started", "run.resumed")]
            last = max(last, (begun[-1] if begun else "", run))
    return last[1]


def _lines(rows: list[dict[str, object]], width: int) -> Iterator[str]:
    what = width - 8 - 13 - 18 - 10
    yield f"{'run':<8}{'state':<13}{'what':<{what}}{'started (UTC)':<18}by"
    for row in rows:
        name = one_line(" ".join(str(row[key]) for key in ("service", "release") if row[key]))
        where = f" → {row['environment']}" if row["environment"] else ""
        started = day_and_time(str(row["started"]))[: len("2026-01-01 12:00")]
        shown = pad(cut(name + where, what - 2), what)
        who = cut(one_line(str(row["by"])), 10)
        yield f"{row['run']!s:<8}{row['state']!s:<13}{shown}{started:<18}{who}"
        waiting = row["waiting"]
        for question in waiting if isinstance(waiting, list) else []:
            yield cut(f"        asks: {question['question']}", width)
        yield from _told(row, width)
    if any(row["waiting"] or row["alerts"] for row in rows):
        yield ""
        yield "`gonogo answer` shows what is asked"


def _told(row: dict[str, object], width: int) -> Iterator[str]:
    """Yield the alerts of a run that wait for somebody, and until when others are silent."""
    told, silenced = row["alerts"], row["silenced"]
    for alert in told if isinstance(told, list) else []:
        yield cut(f"        alert: {alert['question']}", width)
    for window in silenced if isinstance(silenced, list) else []:
        only = f" ({window['only']})" if window["only"] else ""
        yield cut(f"        silenced until {window['until']}{only}: {window['reason']}", width)
