"""The command line: which command is meant, and how it ends."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gonogo.cli import screen, streams
from gonogo.errors import UsageError

if TYPE_CHECKING:
    from gonogo.cli.arguments import Parser

HELP = """\
gonogo runs the Markdown deployment runbook that a team already keeps: it
checks, deploys, proves, and goes back by itself when the runbook says so. The
file is never changed.

  gonogo lint deploy.md        what was understood, and every mistake at once
  gonogo plan deploy.md        order, critical path, what people must do
  gonogo run deploy.md --env production --release v2.4.0
  gonogo resume                go on after a stop, a crash or an answer
"""
CODES = "exit codes: 0 go, 1 no-go, 2 mistake, 3 hold, 4 rolled back, 70 our bug"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its module, what it does, and how it is used."""

    room: str
    words: str
    example: str


COMMANDS: dict[str, Command] = {
    "lint": Command(
        "gonogo.cli.lint",
        "say line by line what was understood; all mistakes at once",
        "gonogo lint deploy.md\ngonogo lint --quiet docs/*.md",
    ),
    "plan": Command(
        "gonogo.cli.plan",
        "phases, order, critical path, people, point of no return",
        "gonogo plan deploy.md\ngonogo plan deploy.md --env production --release v2.4.0",
    ),
    "run": Command(
        "gonogo.cli.run",
        "carry a runbook out",
        "gonogo run deploy.md --env production --release v2.4.0\n"
        "gonogo run deploy.md --yes --by ana --answers answers.yml\n"
        "gonogo run deploy.md --waive 'Disk has room=resized' --expires 2026-12-31",
    ),
    "drill": Command(
        "gonogo.cli.drill",
        "rehearse the way back where nobody is hurt, and certify its time",
        "gonogo drill deploy.md --env rehearsal --release v2.4.0",
    ),
    "resume": Command(
        "gonogo.cli.resume",
        "go on with a run that was stopped, killed or parked",
        "gonogo resume\ngonogo resume 7f3a1c",
    ),
    "status": Command(
        "gonogo.cli.status", "list runs, or show one", "gonogo status\ngonogo status 7f3a1c"
    ),
    "answer": Command(
        "gonogo.cli.answer",
        "answer what a run asks a person; without arguments: list the open questions",
        "gonogo answer\n"
        "gonogo answer 'status page' yes --by ana --note 'posted at 14:02'\n"
        "gonogo answer --all yes --note 'done together in the call'",
    ),
    "silence": Command(
        "gonogo.cli.silence",
        "for a planned while, tell nobody of alerts; a rollback is always told",
        "gonogo silence --for 30m --reason 'database restart' --by ana\n"
        "gonogo silence --end --by ana",
    ),
    "abort": Command(
        "gonogo.cli.abort",
        "stop a run and go back by its rollback",
        "gonogo abort --reason 'customers report errors'",
    ),
    "report": Command(
        "gonogo.cli.report",
        "the evidence of a run; --verify checks that no event was changed",
        "gonogo report\n"
        "gonogo report 7f3a1c --format html --output report.html\n"
        "gonogo report --verify",
    ),
    "alert-test": Command(
        "gonogo.cli.alert_test",
        "send one test message on every channel and record who saw it",
        "gonogo alert-test deploy.md --env production",
    ),
    "test": Command(
        "gonogo.cli.test",
        "play timelines against the rules of a runbook",
        "gonogo test deploy.md --timeline timelines/faults.yaml",
    ),
    "rehearse": Command(
        "gonogo.cli.rehearse",
        "see a whole watch in a second: which rule fires, and what follows",
        "gonogo rehearse deploy.md\ngonogo rehearse deploy.md --timeline timelines/faults.yaml",
    ),
    "explain": Command(
        "gonogo.cli.explain",
        "a condition in canonical words, typed",
        "gonogo explain 'P99 > 1.2s for 2 consecutive 5-minute buckets' --json",
    ),
    "kinds": Command(
        "gonogo.cli.kinds",
        "every check, action and directive with its fields and an example",
        "gonogo kinds\ngonogo kinds http",
    ),
    "demo": Command(
        "gonogo.cli.demo",
        "a real release of a bundled service that is rolled back",
        "gonogo demo\ngonogo demo --no-fault",
    ),
}


def run(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code; never raises."""
    streams.prepare()
    debug = "--debug" in arguments
    as_json = "--json" in arguments
    try:
        code = _dispatch([word for word in arguments if word != "--debug"])
    except KeyboardInterrupt:
        screen.tell("\nstopped; nothing was begun")
        return UsageError.exit_code
    except Exception as error:  # noqa: BLE001 - whatever it is, it has its exit code
        from gonogo.cli.ending import ended

        return ended(error, as_json=as_json, debug=debug)
    return _complete(code)


def _complete(code: int) -> int:
    """Say so where standard output could not take all that was to be written there."""
    if not streams.lost:
        return code
    why = streams.lost[0].strerror or streams.lost[0]
    screen.tell(f"error[GN700]: standard output cannot be written: {why}\nhint: see where it goes")
    return code or UsageError.exit_code


def _dispatch(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else ""
    if name in ("help", "-h", "--help") and arguments[1:]:
        name, arguments = arguments[1], [arguments[1], "--help"]
    if name in ("", "-h", "--help", "help"):
        (screen.say if name else screen.tell)(overview())
        return 0 if name else UsageError.exit_code
    if name == "--version":
        from gonogo import __version__

        screen.say(f"gonogo {__version__}")
        return 0
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(_unknown(name), hint=_nearest(name))
    part = import_module(command.room)
    parser = parser_of(name)
    carry_out: Callable[[argparse.Namespace], int] = part.carry_out
    try:
        options = parser.understood(arguments[1:])
    except SystemExit as end:  # `--help` has been shown
        return int(end.code or 0)
    return carry_out(options)


def parser_of(name: str) -> Parser:
    """Return the parser of a command with all its options."""
    from gonogo.cli.arguments import Parser

    command = COMMANDS[name]
    parser = Parser(name, command.words, command.example)
    configure: Callable[[argparse.ArgumentParser], None] = import_module(command.room).configure
    configure(parser)
    return parser


def overview() -> str:
    """Return what `gonogo --help` shows."""
    lines = [f"  {name:<8} {_short(command.words)}" for name, command in COMMANDS.items()]
    more = "`gonogo COMMAND --help` shows its options and an example"
    return "\n".join([HELP, "commands:", *lines, "", more, CODES])


def _short(words: str) -> str:
    return words.partition("; without")[0]


def _unknown(name: str) -> str:
    return f"`{name}` is no {'option' if name.startswith('-') else 'command'}"


def _nearest(name: str) -> str:
    from gonogo.cli.arguments import nearest

    close = nearest(name, [*COMMANDS, "help", "--help", "--version"])
    return f"did you mean `gonogo {close}`?" if close else "`gonogo --help` lists the commands"
