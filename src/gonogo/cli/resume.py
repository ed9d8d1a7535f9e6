"""`gonogo resume`: go on with a run from its journal, not from the file on disk."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.cli.answers import read_answers
from gonogo.cli.conduct import Conduct
from gonogo.cli.home import Home, add_home, home_of, home_words, is_open, pick_run
from gonogo.cli.load import understand_source
from gonogo.cli.who import add_by, who_of
from gonogo.clock import SystemClock, moment
from gonogo.errors import UsageError
from gonogo.plan.model import Plan
from gonogo.run.bindings import Bindings, bind, differences
from gonogo.run.journal import Event
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
    """Go on with an open run."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    return go_on(home, journal, run, options)


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
    opening = events[0].body
    plan = _same_plan(opening, run, home)
    bindings = _same_bindings(plan, opening, home)
    who = who_of(options)
    conduct = Conduct(
        home=home,
        journal=journal,
        run=run,
        plan=plan,
        bindings=bindings,
        cwd=_same_folder(opening),
        who=who,
        waivers=_waivers(opening),
        answers=read_answers(options.answers, plan, who) if options.answers else None,
        as_json=options.json,
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
    plain = {
        name: str(value["value"])
        for name, value in kept.items()
        if isinstance(value, Mapping) and not value.get("secret")
    }
    bindings = bind(
        plan,
        {**os.environ, **plain},
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
