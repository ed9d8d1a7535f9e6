"""`gonogo alert-test FILE`: one test message on every channel, and who says that it arrived."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gonogo.cli import screen
from gonogo.cli.home import Home, add_home, home_of
from gonogo.cli.load import load
from gonogo.cli.ways import bound_ways
from gonogo.cli.who import add_by, check_environment, who_of
from gonogo.clock import SystemClock, stamp
from gonogo.errors import JournalError, UsageError
from gonogo.plan.model import Plan
from gonogo.plan.notices import Line, Notice, Reason, Severity, State, Way
from gonogo.redaction import Redactor
from gonogo.run.bindings import bind

NOT_ALL = 1
Channel = dict[str, object]
"""One channel of a test: contact, channel, id, sent, failure, why, service_id, confirmed."""
Record = dict[str, object]
_YES = frozenset({"y", "yes"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", help="the runbook")
    parser.add_argument("--env", metavar="NAME", help="an entry of `environments:`")
    parser.add_argument("--contact", metavar="NAME", help="only this contact")
    add_by(parser, "who tests")
    parser.add_argument(
        "--confirm",
        action="append",
        default=[],
        metavar="NAME=CHANNEL",
        help="send nothing: this contact has seen the last test on this channel",
    )
    parser.add_argument("--json", action="store_true", help="the record as JSON")
    add_home(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Send, show, ask who has seen it, record; 0 when every message was taken, else 1."""
    plan = load(options.file)
    home, who = home_of(options), who_of(options)
    if options.confirm:
        file, record = _latest(home, plan, options.env)
        _confirm(record, options.confirm, who)
    else:
        ways, redact = _ways(plan, options)
        test = secrets.token_hex(3)
        channels = _send(ways, f"{plan.service}, tested by {who}", test, redact)
        record = {
            "version": 1,
            "test": test,
            "at": stamp(SystemClock().now()),
            "by": who,
            "runbook": plan.source.name,
            "service": plan.service,
            "environment": options.env,
            "channels": channels,
        }
        file = _folder(home) / f"{test}.json"
        _keep(file, record)  # what was sent is known, even if nobody answers
        if not options.json:
            _show(channels)
            _ask(channels, who)
    _keep(file, record)
    if options.json:
        screen.say_json(record)
    else:
        _close(_channels(record), file)
    return 0 if all(one["sent"] for one in _channels(record)) else NOT_ALL


def _ways(plan: Plan, options: argparse.Namespace) -> tuple[dict[tuple[str, str], Way], Redactor]:
    """Bind what the contacts need, and nothing else of the runbook."""
    receivers = plan.receivers
    check_environment(plan, options.env)
    if options.contact is not None and receivers.contact(options.contact) is None:
        known = ", ".join(contact.name for contact in receivers.contacts) or "none is written"
        raise UsageError(f"no contact is named `{options.contact}`", hint=f"known: {known}")
    needed = replace(plan, variables=receivers.variables(), targets=())
    bindings = bind(needed, os.environ, environment=options.env)
    screen.hide(bindings.redact)
    ways = bound_ways(receivers, bindings.variables, only=options.contact)
    if not ways:
        raise UsageError(
            f"`{options.file}` names no contact with a channel",
            hint="under `contacts:` write `ana: { mail: ana@example.org, slack: $SLACK_WEBHOOK }`",
        )
    return ways, bindings.redact


def _send(
    ways: Mapping[tuple[str, str], Way], about: str, test: str, redact: Redactor
) -> list[Channel]:
    now_ms = int(SystemClock().now().timestamp() * 1000)
    channels: list[Channel] = []
    for number, ((contact, channel), way) in enumerate(ways.items(), start=1):
        name = f"{test}-{number}"
        line = Line(
            alert=f"test/{name}",
            severity=Severity.WARN,
            state=State.TEST,
            reason=Reason.TEST,
            text=f"test {name} of `{channel}` for {contact}",
            since_ms=now_ms,
        )
        notice = Notice(f"test-{test}", number, contact, about, now_ms, (line,))
        receipt = way.send(notice, key=f"{notice.key}/{contact}/{channel}")
        channels.append(
            {
                "contact": contact,
                "channel": channel,
                "id": name,
                "sent": receipt.failure is None,
                "failure": receipt.failure.value if receipt.failure else None,
                "why": redact(receipt.message) or None,
                "service_id": redact(receipt.id) or None,
                "confirmed": None,
            }
        )
    return channels


def _show(channels: Sequence[Channel]) -> None:
    rows = [("contact", "channel", "id", "result")]
    for one in channels:
        result = "sent" if one["sent"] else f"failed ({one['failure']}): {one['why']}"
        rows.append((str(one["contact"]), str(one["channel"]), str(one["id"]), result))
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    for row in rows:
        cells = [row[at].ljust(widths[at]) for at in range(3)]
        screen.say("  ".join([*cells, row[3]]).rstrip())


def _ask(channels: Sequence[Channel], who: str) -> None:
    """Ask the person at the terminal which messages have arrived; nobody there confirms nothing."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    for one in channels:
        if one["sent"]:
            screen.tell(f"has {one['contact']} seen test {one['id']} on {one['channel']}? [y/N]")
            if sys.stdin.readline().strip().casefold() in _YES:
                one["confirmed"] = _seen(who)


def _seen(who: str) -> dict[str, str]:
    return {"by": who, "at": stamp(SystemClock().now())}


def _confirm(record: Record, texts: Sequence[str], who: str) -> None:
    """Note on a test that was sent before who says that it arrived."""
    sent = {f"{one['contact']}={one['channel']}": one for one in _channels(record) if one["sent"]}
    for text in texts:
        name = "=".join(part.strip() for part in text.split("=", 1))
        if name not in sent:
            known = ", ".join(f"`{key}`" for key in sent) or "nothing was sent"
            raise UsageError(
                f"`{text}` is no channel on which test {record['test']} was sent",
                hint=f"sent: {known}",
            )
        sent[name]["confirmed"] = _seen(who)


def _folder(home: Home) -> Path:
    return home.folder / "alert-tests"


def _latest(home: Home, plan: Plan, environment: str | None) -> tuple[Path, Record]:
    """Return the last test of this service in this environment, to be confirmed.

    Raises:
        UsageError: there is none.
    """
    found: list[tuple[str, Path, Record]] = []
    for file in sorted(_folder(home).glob("*.json")):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if not _is_whole(record):
            continue
        if (record.get("service"), record.get("environment")) == (plan.service, environment):
            found.append((str(record.get("at")), file, record))
    if not found:
        raise UsageError(
            f"no test of {plan.service} was sent that could be confirmed",
            hint="send one first: the same command without --confirm",
        )
    _, file, latest = max(found, key=lambda one: one[0])
    return file, latest


def _is_whole(record: object) -> bool:
    """Say whether it is what `_keep` wrote, with all that a confirmation needs."""
    channels = record.get("channels") if isinstance(record, dict) and "test" in record else None
    return isinstance(channels, list) and all(
        isinstance(one, dict) and {"id", "contact", "channel", "sent", "confirmed"} <= set(one)
        for one in channels
    )


def _channels(record: Record) -> list[Channel]:
    channels = record["channels"]
    assert isinstance(channels, list)
    return channels


def _keep(file: Path, record: Record) -> None:
    """Write the record aside and rename it: it is there whole, or as it was."""
    draft = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise JournalError(
            f"the record `{file}` cannot be written: {error.strerror or error}",
            hint="see that the folder can be written, or name another one with --home",
        ) from error


def _close(channels: Sequence[Channel], file: Path) -> None:
    waits = [
        f"{one['contact']}={one['channel']}"
        for one in channels
        if one["sent"] and not one["confirmed"]
    ]
    if waits:
        screen.tell(f"not confirmed by anybody: {', '.join(waits)}")
        screen.tell(f"when it was seen: the same command with --confirm {waits[0]}")
    screen.tell(f"recorded in {file}")
