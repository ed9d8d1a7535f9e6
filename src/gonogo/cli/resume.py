"""`gonogo resume`: go on with a run from its journal, not from the file on disk."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.cli import outcome, screen
from gonogo.cli.answers import read_answers
from gonogo.cli.conduct import Conduct
from gonogo.cli.home import Home, add_home, home_of, home_words, is_open, pick_run
from gonogo.cli.load import understand_source
from gonogo.cli.who import add_by, who_of
from gonogo.clock import SystemClock, moment
from gonogo.errors import JournalError, UsageError
from gonogo.plan.hastened import hastened, read_calendar
from gonogo.plan.model import Plan
from gonogo.report import collect
from gonogo.run.bindings import Bindings, bind, differences
from gonogo.run.journal import Event, broken_link
from gonogo.runbook.canonical import digest
from gonogo.source import Source

if TYPE_CHECKING:
    from gonogo.store.journal import SqliteJournal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the one that is open)")
    add_by(parser, "who answers")
    parser.add_argument("--answers", metavar="FILE", help="YAML: step -> answer, given beforehand")
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Go on with an open run; of one that was killed right after its verdict, write the reports."""
    home = home_of(options)
    journal = home.journal()
    run = _meant(home, journal, options.run)
    events = journal.events(run)
    if outcome.is_overdue(home, run, events):
        return _reported(home, run, events, as_json=options.json)
    return go_on(home, journal, run, options)


def _meant(home: Home, journal: SqliteJournal, wanted: str | None) -> str:
    """Return the run that is meant: where none is open, the latest if it lacks its reports."""
    runs = journal.runs() if wanted is None else ()
    known = {run: journal.events(run) for run in runs}
    if runs and not any(is_open(events) for events in known.values()):
        latest = runs[-1]
        if outcome.is_overdue(home, latest, known[latest]):
            return latest
    return pick_run(journal, wanted, only_open=wanted is None)


def _reported(home: Home, run: str, events: tuple[Event, ...], *, as_json: bool) -> int:
    for line in outcome.catch_up(home, run, events):
        screen.tell(line)
    place = outcome.relative(home.run_folder(run) / "report.html")
    outcome.show(collect(events, place=place), place, as_json=as_json, drawn=False)
    code = next(e.body.get("exit_code") for e in events if e.kind == "verdict.given")
    return code if isinstance(code, int) else JournalError.exit_code


def refuse_ended(events: tuple[Event, ...], run: str) -> None:
    """Refuse to go on with what has its verdict.

    Raises:
        UsageError: the run has ended.
    """
    if not is_open(events):
        raise UsageError(f"run `{run}` has ended", hint=f"`gonogo report {run}` shows its evidence")


def go_on(
    home: Home,
    journal: SqliteJournal,
    run: str,
    options: argparse.Namespace,
    *,
    first: Callable[[], object] | None = None,
) -> int:
    """Carry an open run on from its journal; `first` is done once nothing stands against it.

    Raises:
        UsageError: it has ended, or its text or bindings are no longer what it started with.
    """
    events = journal.events(run)
    refuse_ended(events, run)
    _refuse_changed(events, journal, run)
    opening = events[0].body
    plan = _same_plan(opening, run, home)
    bindings = _same_bindings(plan, opening, home)
    for line in _not_from_here(plan, opening):
        screen.tell(line)
    who = who_of(options)
    conduct = Conduct(
        home=home,
        journal=journal,
        run=run,
        plan=hastened(plan, read_calendar(str(opening.get("calendar", "1/1"))) or 1),
        bindings=bindings,
        cwd=_same_folder(opening),
        who=who,
        waivers=_waivers(opening),
        answers=read_answers(options.answers, plan, who) if options.answers else None,
        as_json=options.json,
        drill=opening.get("drill") is True,
        attended=sys.stdin.isatty() and sys.stderr.isatty(),
    )

    def begin() -> None:
        latest = journal.events(run)  # another process may have ended it before we had the lock
        refuse_ended(latest, run)
        if first is not None:
            first()
        body = {"pid": os.getpid(), "gap_s": _gap(latest[-1])}
        journal.append(run, "run.resumed", body=body, who=who, durable=True)

    return conduct.carry(begin)


def _refuse_changed(events: tuple[Event, ...], journal: SqliteJournal, run: str) -> None:
    """Refuse to act on what is not what was written: an action could be done twice, or left out.

    Raises:
        JournalError: an event was changed or is missing.
    """
    broken = broken_link(events)
    if broken is not None:
        raise JournalError(
            f"run `{run}` cannot go on: event {broken} was changed or is missing in "
            f"`{journal.path}`, so nobody can tell what was carried out",
            hint=f"restore that file from a backup, or see with `gonogo report {run}` what was "
            "done, end it by hand, and begin anew in another folder with --home",
        )


def _same_plan(opening: Mapping[str, object], run: str, home: Home) -> Plan:
    plan = understand_source(Source(str(opening["runbook"]), str(opening["text"])))
    if digest(plan) != opening["digest"]:
        version = opening.get("version")
        raise UsageError(
            "this gonogo understands the runbook otherwise than the one that started the run",
            hint=f"go on with gonogo {version}: `gonogo resume {run}{home_words(home)}`",
        )
    return plan


def _same_bindings(plan: Plan, opening: Mapping[str, object], home: Home) -> Bindings:
    kept = opening["bindings"]
    assert isinstance(kept, Mapping)
    bindings = bind(
        plan,
        {**os.environ, **_plain(opening)},
        environment=_text(opening.get("environment")),
        release=_text(opening.get("release")),
    )
    changed = differences(kept, bindings.values, home.salt()) if kept else ()
    if changed:
        raise UsageError(
            f"no longer as at the start of the run: {', '.join(f'`{name}`' for name in changed)}",
            hint="export the values that the run started with; a run never changes its bindings",
        )
    return bindings


def _not_from_here(plan: Plan, opening: Mapping[str, object]) -> Iterator[str]:
    """Yield what is said of values that are set otherwise here: those of the start count."""
    plain = _plain(opening)
    here = bind(
        plan,
        {**os.environ, **plain, **{n: os.environ[n] for n in plain if os.environ.get(n)}},
        environment=_text(opening.get("environment")),
        release=_text(opening.get("release")),
    )
    changed = [f"`{name}`" for name, value in plain.items() if here.values.get(name) != value]
    if changed:
        verb = "is" if len(changed) == 1 else "are"
        yield f"note: {', '.join(changed)} {verb} set otherwise here"
        yield "hint: the run keeps what it started with; only a new run takes other values"


def _plain(opening: Mapping[str, object]) -> dict[str, str]:
    """Return the values that the journal holds in full; of a secret it has only a fingerprint."""
    kept = opening["bindings"]
    assert isinstance(kept, Mapping)
    return {
        name: str(value["value"])
        for name, value in kept.items()
        if isinstance(value, Mapping) and not value.get("secret")
    }


def _same_folder(opening: Mapping[str, object]) -> Path:
    folder = Path(str(opening["folder"]))
    if not folder.is_dir():
        raise UsageError(
            f"the folder of the runbook is gone: `{folder}`", hint="put it back where it was"
        )
    return folder


def _waivers(opening: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
    kept = opening.get("waivers")
    return dict(kept) if isinstance(kept, Mapping) else {}


def _gap(last: Event) -> float:
    return round((SystemClock().now() - moment(last.at)).total_seconds(), 3)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
