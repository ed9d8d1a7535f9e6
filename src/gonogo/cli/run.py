"""`gonogo run FILE`: carry a runbook out."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from gonogo import __version__
from gonogo.cli import screen
from gonogo.cli.answers import read_answers
from gonogo.cli.conduct import Conduct
from gonogo.cli.home import Home, add_home, home_of, is_open
from gonogo.cli.load import load
from gonogo.cli.precheck import precheck
from gonogo.errors import RunbookError, Severity, UsageError
from gonogo.plan.model import Mode, Plan
from gonogo.plan.summary import plan_summary
from gonogo.run.bindings import Bindings, bind
from gonogo.runbook.canonical import digest
from gonogo.store.journal import SqliteJournal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--env", metavar="NAME", help="an entry of `environments:`")
    parser.add_argument("--release", metavar="V", help="what is released; bound to ${RELEASE}")
    parser.add_argument("--yes", action="store_true", help="start without asking")
    parser.add_argument("--by", metavar="NAME", help="who runs this (default: your login)")
    parser.add_argument("--answers", metavar="FILE", help="YAML: step -> answer, given beforehand")
    parser.add_argument(
        "--waive",
        action="append",
        default=[],
        metavar="STEP=REASON",
        help="accept a finding of this step beforehand, in your name",
    )
    parser.add_argument("--expires", metavar="DATE", default="", help="until when waivers hold")
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Check everything that can be checked beforehand, then carry the plan out."""
    plan = load(options.file)
    attended = sys.stdin.isatty() and sys.stderr.isatty()
    if plan.mode is Mode.ASSISTED and not attended:
        raise UsageError(
            f"`{options.file}` has no `gonogo: 1`, and nobody is at the terminal to say yes to "
            "each block",
            hint="run it in a terminal, or make it explicit: `gonogo: 1` in the front matter",
        )
    if options.env is not None and options.env not in plan.environments:
        known = ", ".join(plan.environments) or "none is written"
        raise UsageError(f"there is no environment `{options.env}`", hint=f"known: {known}")
    bindings = bind(plan, os.environ, environment=options.env, release=options.release)
    _refuse_mistakes(plan)
    who = options.by or _login()
    home = home_of(options)
    journal = home.journal(create=True)
    _refuse_open(home, journal, plan, options.env)
    waivers = _waivers(plan, options.waive, who, options.expires)
    answers = read_answers(options.answers, plan, who) if options.answers else None
    if not options.yes:
        _confirm_start(plan, options, attended=attended)
    run = secrets.token_hex(3)
    cwd = Path(options.file).absolute().parent / plan.settings.get("cwd", ".")
    body = _opening(plan, bindings, home, options, cwd)
    conduct = Conduct(
        home=home,
        journal=journal,
        run=run,
        plan=plan,
        bindings=bindings,
        cwd=cwd,
        who=who,
        waivers=waivers,
        answers=answers,
        as_json=options.json,
        attended=attended,
    )

    def begin() -> None:
        clean = bindings.redact.value({**body, "waivers": waivers, "starter": who})
        assert isinstance(clean, dict)
        clean["text"] = plan.source.text  # bound to the text as it is; lint refuses secrets in it
        journal.append(run, "run.started", body=clean, who=who, durable=True)

    return conduct.carry(begin)


def _refuse_mistakes(plan: Plan) -> None:
    found = precheck(plan)
    if any(d.severity is Severity.ERROR for d in found):
        raise RunbookError(plan.source, found)
    for item in (*plan.diagnostics, *found):
        if item.severity is Severity.WARNING:
            screen.tell(screen.drawn([item], plan.source) + "\n")


def _refuse_open(home: Home, journal: SqliteJournal, plan: Plan, environment: str | None) -> None:
    for run in journal.runs():
        events = journal.events(run)
        if not is_open(events):
            continue
        body = events[0].body
        if (body.get("service"), body.get("environment")) != (plan.service, environment):
            continue
        served = home.is_served()
        hint = (
            "wait for it, or answer what it asks: `gonogo status`"
            if served
            else f"`gonogo resume {run}` goes on with it, `gonogo abort {run}` goes back"
        )
        raise UsageError(f"run `{run}` of {plan.service} is still open", hint=hint)


def _confirm_start(plan: Plan, options: argparse.Namespace, *, attended: bool) -> None:
    if not attended:
        raise UsageError(
            "nobody is at the terminal to confirm the start", hint="give --yes to start unattended"
        )
    steps = len(list(plan.steps()))
    where = f" → {options.env}" if options.env else ""
    screen.tell(f"{plan.service} {options.release or ''}{where}: {steps} steps. start? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("not started", hint="`gonogo plan` shows what would happen")


def _waivers(
    plan: Plan, given: list[str], who: str, expires: str
) -> Mapping[str, Mapping[str, str]]:
    waivers: dict[str, Mapping[str, str]] = {}
    for text in given:
        name, _, reason = text.partition("=")
        found = [s for s in plan.steps() if name.strip().lower() in (s.id, s.title.lower())]
        if not found:
            raise UsageError(f"there is no step `{name}` to waive", hint="`gonogo plan` lists them")
        if not reason.strip():
            raise UsageError(f"the waiver of `{name}` has no reason", hint="--waive 'STEP=REASON'")
        waivers[found[0].id] = {"who": who, "reason": reason.strip(), "expires": expires}
    return waivers


def _opening(
    plan: Plan, bindings: Bindings, home: Home, options: argparse.Namespace, cwd: Path
) -> dict[str, object]:
    return {
        "runbook": plan.source.name,
        "digest": digest(plan),
        "plan": plan_summary(plan),
        "mode": plan.mode.value,
        "service": plan.service,
        "title": plan.title,
        "release": options.release,
        "environment": options.env,
        "bindings": bindings.journaled(home.salt()),
        "folder": str(cwd),
        "host": socket.gethostname(),
        "version": __version__,
    }


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
