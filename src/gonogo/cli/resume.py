"""`gonogo resume`: go on with a run from its journal, not from the file on disk."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from gonogo.cli.answers import read_answers
from gonogo.cli.conduct import Conduct
from gonogo.cli.home import Home, add_home, home_of, is_open, pick_run
from gonogo.cli.load import understand_source
from gonogo.clock import SystemClock, moment
from gonogo.errors import UsageError
from gonogo.plan.model import Plan
from gonogo.run.bindings import Bindings, bind, differences
from gonogo.run.journal import Event
from gonogo.runbook.canonical import digest
from gonogo.source import Source
from gonogo.store.journal import SqliteJournal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", nargs="?", help="the run's id (default: the one that is open)")
    parser.add_argument("--by", metavar="NAME", help="who answers (default: your login)")
    parser.add_argument("--answers", metavar="FILE", help="YAML: step -> answer, given beforehand")
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Go on with an open run."""
    home = home_of(options)
    journal = home.journal()
    run = pick_run(journal, options.run, only_open=options.run is None)
    return go_on(home, journal, run, options)


def go_on(home: Home, journal: SqliteJournal, run: str, options: argparse.Namespace) -> int:
    """Carry an open run on from its journal.

    Raises:
        UsageError: it has ended, or its text or bindings are no longer what it started with.
    """
    events = journal.events(run)
    if not is_open(events):
        raise UsageError(f"run `{run}` has ended", hint=f"`gonogo report {run}` shows its evidence")
    first = events[0].body
    plan = _same_plan(first)
    bindings = _same_bindings(plan, first, home)
    who = options.by or getpass.getuser()
    conduct = Conduct(
        home=home,
        journal=journal,
        run=run,
        plan=plan,
        bindings=bindings,
        cwd=Path(str(first["folder"])),
        who=who,
        waivers=_waivers(first),
        answers=read_answers(options.answers, plan, who) if options.answers else None,
        as_json=options.json,
        attended=sys.stdin.isatty() and sys.stderr.isatty(),
    )

    def begin() -> None:
        journal.append(
            run,
            "run.resumed",
            body={"pid": os.getpid(), "gap_s": _gap(events[-1])},
            who=who,
            durable=True,
        )

    return conduct.carry(begin)


def _same_plan(first: Mapping[str, object]) -> Plan:
    plan = understand_source(Source(str(first["runbook"]), str(first["text"])))
    if digest(plan) != first["digest"]:
        raise UsageError(
            "this gonogo understands the runbook otherwise than the one that started the run",
            hint=f"resume with gonogo {first.get('version')}, or abort the run with it",
        )
    return plan


def _same_bindings(plan: Plan, first: Mapping[str, object], home: Home) -> Bindings:
    kept = first["bindings"]
    assert isinstance(kept, Mapping)
    plain = {
        name: str(value["value"])
        for name, value in kept.items()
        if isinstance(value, Mapping) and not value.get("secret")
    }
    bindings = bind(
        plan,
        {**os.environ, **plain},
        environment=_text(first.get("environment")),
        release=_text(first.get("release")),
    )
    changed = differences(kept, bindings.values, home.salt())
    if changed:
        raise UsageError(
            f"no longer as at the start of the run: {', '.join(f'`{name}`' for name in changed)}",
            hint="export the values that the run started with; a run never changes its bindings",
        )
    return bindings


def _waivers(first: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
    kept = first.get("waivers")
    return dict(kept) if isinstance(kept, Mapping) else {}


def _gap(last: Event) -> float:
    return round((SystemClock().now() - moment(last.at)).total_seconds(), 3)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
