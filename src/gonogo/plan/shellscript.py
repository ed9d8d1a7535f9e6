"""Reads a shell block before it runs: what it needs, and why it cannot run by itself.

Everything here is about the words of the text; `bash -n` (elsewhere) judges the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import placeholders, secretwords, shellforeign
from gonogo.plan.kinds import Variable
from gonogo.plan.places import Places
from gonogo.plan.shellcalls import Call, calls
from gonogo.plan.shellendless import endless, endless_loops
from gonogo.plan.shellinteractive import interactive
from gonogo.plan.shellqueries import PASSING_ON
from gonogo.plan.shellsyntax import split
from gonogo.plan.shellwords import ASSIGNMENT, Command, Script

_REQUIRED = re.compile(r"[A-Z][A-Z0-9_]+")
_OF_THE_SHELL = frozenset(
    """PATH HOME PWD USER LOGNAME SHELL LANG TERM HOSTNAME HOSTTYPE RANDOM SECONDS LINENO IFS OLDPWD
    UID EUID PPID OPTARG OPTIND OPTERR REPLY PIPESTATUS FUNCNAME MACHTYPE OSTYPE COLUMNS LINES PS1
    PS4 SHELLOPTS SHLVL TMPDIR EPOCHSECONDS EPOCHREALTIME SRANDOM DIRSTACK GROUPS COMP_WORDS
    COPROC MAPFILE TZ EDITOR PAGER""".split()  # noqa: SIM905 - reads better than fifty quoted words
)
_DECLARING = frozenset(("export", "declare", "local", "readonly", "typeset"))
_READING = frozenset(("read", "mapfile", "readarray", "getopts"))
_OR_COMMENT = re.compile(
    r"\s*(?:\**\s*or\b(?:\s*[:,.]|\s*$|\s+(?:using|use|via|with|if|run|for|manually|alternatively"
    r"|from|on|by|simply|just|through|in|as|the|without)\b)|alternative(?:ly)?\b|either\b.*\bor\s*$)",
    re.IGNORECASE,
)
_OPTION_COMMENT = re.compile(
    r"\s*(?:[-=#*]+\s*)?(?:option|method|variant|alternative|approach)\s+(?:[a-d]|[1-9])\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A shell text, taken apart once for all questions."""

    text: str
    script: Script = field(init=False)
    calls: tuple[Call, ...] = field(init=False)
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        """Take the text apart."""
        object.__setattr__(self, "script", split(self.text))
        object.__setattr__(self, "calls", calls(self.script))
        object.__setattr__(self, "places", Places(self.text))

    def error(self, code: str, message: str, at: tuple[int, int], hint: str) -> Diagnostic:
        """Return an error at offsets of the text."""
        return Diagnostic(code, message, self.places.span(*at), hint=hint)

    def warning(self, code: str, message: str, at: tuple[int, int], hint: str) -> Diagnostic:
        """Return a warning at offsets of the text."""
        place = self.places.span(*at)
        return Diagnostic(code, message, place, hint=hint, severity=Severity.WARNING)


def variables(text: str) -> tuple[Variable, ...]:
    """Return the variables that must be bound before the block runs; the first use of each.

    Capitals only, not set in the text, without a default, not the shell's own; what a sourced
    file may set cannot be known and is left out.
    """
    script = split(text)
    places = Places(text)
    known = _assigned(script)
    limit = _first_source(script)
    found: dict[str, Variable] = {}
    for use in sorted(script.uses, key=lambda use: use.at):
        if use.has_default or use.name in known or use.at >= limit or _is_own(use.name):
            continue
        if _REQUIRED.fullmatch(use.name) and use.name not in found:
            found[use.name] = Variable(use.name, places.span(use.at, use.end))
    return tuple(found.values())


def _is_own(name: str) -> bool:
    return name in _OF_THE_SHELL or name.startswith(("BASH", "GONOGO_", "LC_"))


def _first_source(script: Script) -> int:
    places = [
        c.at for c in script.commands if c.words and c.words[0].value in {"source", ".", "eval"}
    ]
    return min(places, default=len(script.text) + 1)


def _assigned(script: Script) -> set[str]:
    known = set(script.loop_names)
    for command in script.commands:
        known |= _assigned_by(command)
    known |= {use.name for use in script.uses if script.text[use.at : use.end].find("=") > 0}
    return known


def _assigned_by(command: Command) -> set[str]:
    if not command.words:
        return {re.split(r"[\[+=]", word.text)[0] for word in command.assignments}
    name = command.words[0].value
    values = [word.value for word in command.words[1:]]
    if name in _DECLARING:
        return {re.split(r"[\[+=]", v)[0] for v in values if ASSIGNMENT.match(v)}
    if name in _READING:
        return {v for v in values if v.isidentifier()}
    if name == "printf" and values[:1] == ["-v"]:
        return set(values[1:2])
    return set()


def review(text: str) -> tuple[Diagnostic, ...]:
    """Return all mistakes of a shell text that can be seen without running it."""
    reading = Reading(text)
    foreign = shellforeign.judge(reading.script)
    if foreign is not None:
        words, hint, at = foreign
        found = [reading.error("GN506", words, at, hint)]
        return (*found, *secrets(text))
    return (
        *_empty(reading),
        *blanks(text, placeholders.Language.SHELL, reading.script.code),
        *_endless(reading),
        *_alternatives(reading),
        *_waiting(reading),
        *secrets(text),
        *_unjudged(reading),
    )


def blanks(text: str, language: placeholders.Language, code: str) -> Iterator[Diagnostic]:
    """Yield an error for each placeholder in `code`, which is `text` without its comments."""
    places = Places(text)
    for one in placeholders.find(code, language):
        yield Diagnostic(
            "GN501",
            f"the placeholder `{one.text}` is not filled in",
            places.span(one.at, one.end),
            hint="write the value, or a variable such as `${NAME}` that the run asks for",
        )


def secrets(text: str) -> Iterator[Diagnostic]:
    """Yield an error for each literal secret; the value is never repeated."""
    places = Places(text)
    for literal in secretwords.find(text):
        yield Diagnostic(
            "GN505",
            f"{literal.what} stands in the runbook as plain text",
            places.span(literal.at, literal.end),
            hint="take it out, change it (it is known to all readers), and use a variable",
        )


def _empty(reading: Reading) -> Iterator[Diagnostic]:
    script = reading.script
    if not script.commands:
        yield Diagnostic(
            "GN507",
            "there is nothing to run in this block",
            reading.places.of_line(1),
            hint="write a command, or make it a text block without a language",
        )
    elif not any(c.words for c in script.commands) and not script.uses and not script.functions:
        first = script.commands[0]
        yield reading.warning(
            "GN511",
            "this block only sets variables, and they end with the block",
            (first.at, first.at + 1),
            "bind them in the environment of the run, or set them where they are used",
        )


def _endless(reading: Reading) -> Iterator[Diagnostic]:
    for start, end in endless_loops(reading.script):
        hint = "count the rounds, or put an expectation with `Retry:` on one look"
        yield reading.error("GN502", "this loop never ends", (start, end), hint)
    seen: set[int] = set()
    for call in reading.calls:
        hint = endless(call) or ""
        if hint and call.at not in seen:
            seen.add(call.at)
            yield reading.error(
                "GN502", f"`{call.name}` never ends by itself here", (call.at, call.end), hint
            )


def _waiting(reading: Reading) -> Iterator[Diagnostic]:
    seen: set[int] = set()
    for call in reading.calls:
        hint = interactive(call)
        if hint and call.at not in seen and call.name not in reading.script.functions:
            seen.add(call.at)
            yield reading.error(
                "GN504",
                f"`{call.name}` waits for a person at a terminal",
                (call.at, call.end),
                hint,
            )


def _alternatives(reading: Reading) -> Iterator[Diagnostic]:
    script = reading.script
    runs = [command.at for command in script.commands if command.words]
    options = [c for c in script.comments if c.alone and _OPTION_COMMENT.match(c.text)]
    for comment in script.comments if runs else ():
        before, after = runs[0] < comment.at, runs[-1] > comment.at
        is_or = comment.alone and _OR_COMMENT.match(comment.text)
        is_option = comment in options[1:] and before
        if after and ((is_or and before) or is_option):
            yield reading.error(
                "GN503",
                f"`#{comment.text.rstrip()}`: the block holds alternatives, and all would run",
                (comment.at, comment.at + 1 + len(comment.text.rstrip())),
                "keep one, or give each a step of its own marked optional",
            )


def _unjudged(reading: Reading) -> Iterator[Diagnostic]:
    stops = "ON_ERROR_STOP" in reading.text
    for call in reading.calls:
        at = (call.at, call.end)
        if call.name == "curl" and not _is_judged_curl(call):
            yield reading.warning(
                "GN508",
                "`curl` ends with exit code 0 on an HTTP error such as 500 too",
                at,
                "add `--fail-with-body`, use an http block, or write what the output must contain",
            )
        if call.name == "psql" and not stops and _runs_a_file(call):
            yield reading.warning(
                "GN509",
                "`psql` ends with exit code 0 even if a statement of the file fails",
                at,
                "add `-v ON_ERROR_STOP=1`",
            )


def early_ends(text: str) -> Iterator[Diagnostic]:
    """Yield a note for each pipe whose reader ends before its writer, as seen by `pipefail`."""
    reading = Reading(text)
    for call in reading.calls:
        into = call.into
        if into is None or not into.words or not call.innermost or call.name in {"echo", "printf"}:
            continue
        words = [word.value for word in into.words]
        if words[0] == "head" or (words[0] == "grep" and {"-q", "-m1", "--quiet"} & set(words)):
            yield Diagnostic(
                "GN518",
                f"`{words[0]}` may end before `{call.name}` has written all: exit code 141",
                reading.places.span(call.at, into.words[-1].end),
                hint="write `strict: off`, or what reads all: `grep … >/dev/null`, `sed -n 1,5p`",
                severity=Severity.NOTE,
            )


def _is_judged_curl(call: Call) -> bool:
    if call.has(
        "-f", "--fail", "--fail-with-body", "--fail-early", "-w", "--write-out", "--version"
    ):
        return True
    if call.command.nested:
        return True  # its output becomes a word; what is done with that cannot be seen here
    into = call.into
    if into is None or not into.words:
        return False
    words = [word.value for word in into.words]
    if words[0] == "jq":
        return any(re.match(r"-\w*e|--exit-status", word) for word in words[1:])
    return words[0] not in PASSING_ON and words[1:3] != ["-m", "json.tool"]


def _runs_a_file(call: Call) -> bool:
    if call.has("-c", "--command", "-l", "--list", "--version"):
        return call.has("-f", "--file")
    return call.has("-f", "--file") or call.has_input
