"""The command line: arguments, dispatch, and how each family of errors ends the program."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from gonogo.errors import GonogoError, JournalError, RunbookError, UsageError

HELP = """\
gonogo runs the Markdown deployment runbook that a team already keeps: it checks, deploys,
proves, and goes back by itself when the runbook says so. The file is never changed.

  gonogo lint deploy.md                     what was understood, and every mistake at once
  gonogo plan deploy.md                     order, critical path, what people must do
  gonogo run deploy.md --env production --release v2.4.0
  gonogo resume | status | answer | abort | report

exit codes: 0 go, 1 no-go, 2 mistake, 3 hold, 4 rolled back, 70 our bug
"""

_COMMANDS: dict[str, tuple[str, str]] = {
    "lint": ("gonogo.cli.lint", "say line by line what was understood; all mistakes at once"),
    "plan": ("gonogo.cli.plan", "phases, order, critical path, people, point of no return"),
    "run": ("gonogo.cli.run", "carry a runbook out"),
    "resume": ("gonogo.cli.resume", "go on with a run that was stopped or killed"),
    "status": ("gonogo.cli.status", "list runs, or show one"),
    "answer": ("gonogo.cli.answer", "answer what a run asks a person"),
    "abort": ("gonogo.cli.abort", "stop a run and go back"),
    "report": ("gonogo.cli.report", "the evidence of a run; --verify checks its chain"),
    "explain": ("gonogo.cli.explain", "a condition in canonical words, typed"),
    "kinds": ("gonogo.cli.kinds", "every check, action and directive, with an example"),
    "demo": ("gonogo.cli.demo", "a real release of a bundled service that is rolled back"),
}


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in our words and ends with exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"{self.prog} --help")


def run(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code; never raises."""
    wants_json = "--json" in arguments
    wants_trace = "--debug" in arguments
    try:
        return _dispatch([a for a in arguments if a != "--debug"])
    except GonogoError as error:
        if wants_trace:
            raise
        return _end(error, as_json=wants_json)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 3
    except Exception as error:
        if wants_trace:
            raise
        return _bug(error)


def _dispatch(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else ""
    if name in ("", "-h", "--help", "help"):
        sys.stdout.write(HELP + "\ncommands:\n")
        for command, (_, words) in _COMMANDS.items():
            sys.stdout.write(f"  {command:<8} {words}\n")
        return 0 if name else 2
    if name == "--version":
        from gonogo import __version__

        sys.stdout.write(f"gonogo {__version__}\n")
        return 0
    if name not in _COMMANDS:
        raise UsageError(f"`{name}` is no command", hint=_nearest(name))
    room, words = _COMMANDS[name]
    part = import_module(room)
    parser = _Parser(prog=f"gonogo {name}", description=words)
    configure: Callable[[argparse.ArgumentParser], None] = part.configure
    configure(parser)
    carry_out: Callable[[argparse.Namespace], int] = part.carry_out
    return carry_out(parser.parse_args(list(arguments[1:])))


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, _COMMANDS, n=1)
    return f"did you mean `gonogo {close[0]}`?" if close else "`gonogo --help` lists the commands"


def _end(error: GonogoError, *, as_json: bool) -> int:
    from gonogo.cli import screen

    hint = error.hint if isinstance(error, UsageError | JournalError) else ""
    code = error.code if isinstance(error, UsageError) else "GN710"
    if as_json:
        found = error.diagnostics if isinstance(error, RunbookError) else ()
        code = "GN400" if isinstance(error, RunbookError) else code
        screen.say_json(screen.error_json(str(error), hint=hint, code=code, diagnostics=found))
    elif isinstance(error, RunbookError):
        screen.tell(screen.runbook_error(error))
    else:
        screen.tell(f"error[{code}]: {error}" + (f"\nhint: {hint}" if hint else ""))
    return error.exit_code


def _bug(error: Exception) -> int:
    from gonogo.cli import screen

    screen.tell(
        f"bug in gonogo: {type(error).__name__}: {error}\n"
        "hint: run again with --debug and send us what it prints; a run that was begun is "
        "journaled and can be resumed"
    )
    return 70
