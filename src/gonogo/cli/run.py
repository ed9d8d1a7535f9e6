"""`gonogo run FILE`: carry a runbook out."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo import __version__
from gonogo.cli import screen, standing
from gonogo.cli.home import Home, add_home, home_of, home_words, is_open
from gonogo.cli.load import load
from gonogo.cli.precheck import precheck
from gonogo.cli.who import add_start, check_environment, read_expiry, who_of
from gonogo.errors import RunbookError, Severity, UsageError
from gonogo.judge.firing import mistakes_of_watch
from gonogo.plan.hastened import hastened, read_calendar
from gonogo.plan.model import Mode, Plan
from gonogo.plan.summary import plan_summary
from gonogo.run.bindings import Bindings, bind, fingerprint
from gonogo.runbook.canonical import digest

if TYPE_CHECKING:
    from gonogo.store.journal import SqliteJournal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_start(parser, env="an entry of `environments:`", by="who runs this")
    parser.add_argument(
        "--waive",
        action="append",
        default=[],
        metavar="STEP=REASON",
        help="accept a finding of this step beforehand, in your name",
    )
    parser.add_argument("--expires", metavar="DATE", default="", help="until when waivers hold")
    parser.add_argument(
        "--calendar",
        metavar="1/N",
        help="rehearse: watches, checkpoints, cadences and deadlines run N times faster",
    )
    parser.add_argument("--json", action="store_true", help="evidence as JSON on stdout")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Check everything that can be checked beforehand, then carry the plan out."""
    plan = load(options.file)
    attended = sys.stdin.isatty() and sys.stderr.isatty()
    _refuse_unattended(plan, options, attended=attended)
    times = calendar_of(getattr(options, "calendar", None))
    bindings = bind(plan, os.environ, environment=options.env, release=options.release)
    screen.hide(bindings.redact)
    _refuse_mistakes(plan)
    who = who_of(options)
    waivers = _waivers(plan, options.waive, who, options.expires)
    from gonogo.cli.answers import read_answers

    answers = read_answers(options.answers, plan, who) if options.answers else None
    cwd = _folder(plan, options.file)
    home = home_of(options)
    if home.has_journal():
        refuse_open(home, home.journal(), plan, options.env)
    if not options.yes:
        _confirm_start(plan, options)
    from gonogo.cli.conduct import Conduct

    journal = home.journal(create=True)
    run = secrets.token_hex(3)
    opening = _opening(plan, bindings, home, options, cwd)
    conduct = Conduct(
        home=home,
        journal=journal,
        run=run,
        plan=hastened(plan, times),
        bindings=bindings,
        cwd=cwd,
        who=who,
        waivers=waivers,
        answers=answers,
        as_json=options.json,
        drill=getattr(options, "drill", False),
        attended=attended,
    )

    def begin() -> None:
        # Somebody may have begun between the first look and our lock.
        refuse_open(home, journal, plan, options.env, we_serve=True)
        clean = bindings.redact.value({**opening, "waivers": waivers, "starter": who})
        assert isinstance(clean, dict)
        clean["text"] = plan.source.text  # bound to the text as it is; lint refuses secrets in it
        started = journal.append(run, "run.started", body=clean, who=who, durable=True)
        standing.opened(home.run_folder(run), run, plan, started)

    return conduct.carry(begin)


def _refuse_unattended(plan: Plan, options: argparse.Namespace, *, attended: bool) -> None:
    """Refuse what cannot be started here, before anything is read from the environment."""
    if plan.mode is Mode.ASSISTED and not attended:
        raise UsageError(
            f"`{options.file}` has no `gonogo: 1`, and nobody is at the terminal to say yes to "
            "each block",
            hint="run it in a terminal, or make it explicit: `gonogo: 1` in the front matter",
        )
    if not options.yes and not attended:
        raise UsageError(
            "nobody is at the terminal to confirm the start", hint="give --yes to start unattended"
        )
    check_environment(plan, options.env)


def _refuse_mistakes(plan: Plan) -> None:
    found = (*precheck(plan), *mistakes_of_watch(plan))
    if any(d.severity is Severity.ERROR for d in found):
        raise RunbookError(plan.source, found)
    for item in (*plan.diagnostics, *found):
        if item.severity is Severity.WARNING:
            screen.tell(screen.drawn([item], plan.source) + "\n")


def refuse_open(
    home: Home,
    journal: SqliteJournal,
    plan: Plan,
    environment: str | None,
    *,
    we_serve: bool = False,
) -> None:
    """Refuse to begin while another run of this service in this environment has no verdict.

    Raises:
        UsageError: there is one; the hint says how to bring it to its end.
    """
    for run in journal.runs():
        events = journal.events(run)
        if not is_open(events):
            continue
        body = events[0].body
        if (body.get("service"), body.get("environment")) != (plan.service, environment):
            continue
        where = home_words(home)
        hint = (
            f"wait for it, or answer what it asks: `gonogo status{where}`"
            if not we_serve and home.is_served()
            else f"`gonogo resume {run}{where}` goes on, `gonogo abort {run}{where}` goes back"
        )
        raise UsageError(f"run `{run}` of {plan.service} is still open", hint=hint)


def _confirm_start(plan: Plan, options: argparse.Namespace) -> None:
    steps = len(list(plan.steps()))
    what = " ".join(word for word in (plan.service, options.release) if word)
    where = f" → {options.env}" if options.env else ""
    screen.tell(f"{what}{where}: {steps} steps. start? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("not started", hint="`gonogo plan` shows what would happen")


def _waivers(
    plan: Plan, given: Sequence[str], who: str, expires: str
) -> Mapping[str, Mapping[str, str]]:
    if expires and not given:
        raise UsageError(
            "`--expires` says until when waivers hold, and there is none",
            hint="--waive STEP=REASON",
        )
    until = read_expiry(expires)
    waivers: dict[str, Mapping[str, str]] = {}
    for text in given:
        name, _, reason = text.partition("=")
        step = _step(plan, name.strip())
        if not reason.strip():
            raise UsageError(f"the waiver of `{name}` has no reason", hint="--waive 'STEP=REASON'")
        waivers[step] = {"who": who, "reason": reason.strip(), "expires": until}
    return waivers


def _step(plan: Plan, name: str) -> str:
    """Return the id of the one step that is named by its id or title."""
    low = name.lower()
    found = [step for step in plan.steps() if low in (step.id.lower(), step.title.lower())]
    if len(found) == 1:
        return found[0].id
    if found:
        ids = ", ".join(step.id for step in found)
        raise UsageError(f"several steps are named `{name}`", hint=f"name one of: {ids}")
    from gonogo.cli.arguments import nearest

    known = [word for step in plan.steps() for word in (step.id, step.title)]
    close = nearest(name, known)
    hint = f"did you mean `{close}`?" if close else "`gonogo plan` lists them"
    raise UsageError(f"there is no step `{name}` to waive", hint=hint)


def _folder(plan: Plan, file: str) -> Path:
    folder = Path(file).absolute().parent / plan.settings.get("cwd", ".")
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder `{folder}`", hint="`cwd:` in the front matter names it"
        )
    return folder


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
        **_scaled(options),
        "release": options.release,
        "environment": options.env,
        "drill": getattr(options, "drill", False),
        "valid_s": getattr(options, "valid_s", None),
        "bindings": _kept(bindings, home.salt(create=True)),
        "folder": str(cwd),
        "host": socket.gethostname(),
        "version": __version__,
    }


def calendar_of(text: str | None) -> int:
    """Return how many times faster the calendar runs; 1 when nothing is said.

    Raises:
        UsageError: it is not written as `1/720`.
    """
    times = 1 if text is None else read_calendar(text)
    if times is None:
        raise UsageError(
            f"`{text}` is no scaled calendar, expected `1/N`",
            hint="`--calendar 1/720` lets a day of watching pass in two minutes",
        )
    return times


def _scaled(options: argparse.Namespace) -> dict[str, object]:
    """Return the calendar for the journal: only a scaled one is worth a word."""
    times = calendar_of(getattr(options, "calendar", None))
    return {"calendar": f"1/{times}"} if times != 1 else {}


def _kept(bindings: Bindings, salt: str) -> dict[str, object]:
    """Return what the journal keeps of the bindings.

    A value that holds the secret of another binding would be masked in the journal, and a resumed
    run would work with the mask: of such a value too only a fingerprint is kept.
    """
    kept = bindings.journaled(salt)
    for name, value in bindings.values.items():
        if bindings.redact(value) != value:
            kept[name] = {"secret": True, "fingerprint": fingerprint(value, salt)}
    return kept
