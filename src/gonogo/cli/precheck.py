"""What can be seen before a run only with this machine: scripts that parse, migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

from gonogo.errors import Diagnostic, Severity, UsageError, WorkError
from gonogo.plan.kinds import Scripted
from gonogo.plan.model import Block, Mode, Plan, Step
from gonogo.source import Span

_SHELLS = ("bash", "sh", "dash", "ksh")
_AT_ONCE = 4
_PLAIN_LINE = re.compile(r'(?:[\w./:=@%+, \t-]|"[\w./:=@%+, -]*"|\$[A-Za-z_])*')
_RESERVED = re.compile(
    r"\b(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|in|function|time|coproc)\b"
)

_Read = tuple[str, str]  # the shell and the text


def precheck(plan: Plan) -> tuple[Diagnostic, ...]:
    """Let `bash -n` read every script that would run, and read the files of its migrations.

    Returns:
        One diagnostic for each script that does not parse (none when there is no such shell here:
        the step will say so itself), and what is wrong or risky about migrations.
    """
    return (*_unparsed(plan), *_migrations(plan, whole=True))


def precheck_draft(draft: Plan) -> tuple[Diagnostic, ...]:
    """Look at what could be bound of a runbook that has mistakes: each thing by itself.

    Nothing is said of what may only be missing because of those mistakes: the backup before a
    migration, the metric of a rule, the phase that judges it.
    """
    return (*_unparsed(draft), *_migrations(draft, whole=False), *_misfits(draft))


def _misfits(draft: Plan) -> tuple[Diagnostic, ...]:
    """Return the rules that cannot be judged on their metrics, of metrics that could be bound."""
    bound = {metric.name for metric in draft.metrics}
    rules = tuple(
        rule
        for rule in draft.rules
        if all(p.metric is None or p.metric in bound for p in rule.condition.predicates)
    )
    if not rules:
        return ()
    from gonogo.judge.firing import mistakes_of_watch  # not loaded for a runbook without rules

    found = mistakes_of_watch(replace(draft, rules=rules))
    return tuple(d for d in found if d.severity is Severity.ERROR)


def _migrations(plan: Plan, *, whole: bool) -> tuple[Diagnostic, ...]:
    if not any(step.block and step.block.kind == "migrate" for step in plan.every_step()):
        return ()
    from gonogo.cli.premigrate import migration_remarks  # loads all that reads migrations

    return migration_remarks(plan, whole=whole)


def _unparsed(plan: Plan) -> tuple[Diagnostic, ...]:
    """Return the scripts that their shell does not parse."""
    if plan.mode is Mode.ASSISTED:  # a person reads each block before it may run
        return ()
    blocks = [item for item in _scripts(plan) if not _is_plain(item[2])]
    complaints = _complaints({(shell, text) for _, shell, text in blocks})
    found = ((block, shell, complaints[shell, text]) for block, shell, text in blocks)
    return tuple(_diagnostic(block, shell, words) for block, shell, words in found if words)


def _scripts(plan: Plan) -> Iterator[tuple[Block, str, str]]:
    for step in plan.every_step():
        for block in _blocks(step):
            work = block.work
            if isinstance(work, Scripted) and not work.interpreter and work.shell in _SHELLS:
                yield block, work.shell, work.script()


def _blocks(step: Step) -> Iterator[Block]:
    if step.block is not None:
        yield step.block
    if step.unless is not None:
        yield step.unless.block
    yield from step.undo


def _is_plain(text: str) -> bool:
    """Say whether every line is words alone: then no shell could fail to parse it."""
    return not _RESERVED.search(text) and all(
        not line.strip() or line.lstrip().startswith("#") or _PLAIN_LINE.fullmatch(line)
        for line in text.split("\n")
    )


def _complaints(scripts: set[_Read]) -> dict[_Read, str]:
    """Return what the shells say, a few at a time; nothing for what parses."""
    said = dict.fromkeys(scripts, "")
    left = iter(sorted(scripts))

    def work() -> None:
        while (item := next(left, None)) is not None:  # one step of a list's iterator is atomic
            said[item] = _complaint(*item)

    helpers = [Thread(target=work) for _ in range(min(_AT_ONCE, len(scripts)) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    return said


def _complaint(shell: str, text: str) -> str:
    from gonogo.process import run_short

    try:
        read = run_short([shell, "-n"], stdin=text)
    except (WorkError, UsageError):
        return ""
    return "" if read.exit_code == 0 else read.stderr.strip() or "no reason given"


def _diagnostic(block: Block, shell: str, words: str) -> Diagnostic:
    number, message = _first(words)
    return Diagnostic(
        "GN599",
        f"`{shell} -n` does not parse this block: {message}",
        Span.of_line(block.span.line + max(number - 1, 0)),
        label="here",
        hint="mend the script; a block that is no script is documentation in a `text` fence",
    )


def _first(words: str) -> tuple[int, str]:
    """Return the line number and the message of the shell's first complaint."""
    line = words.splitlines()[0]
    parts = [part.strip() for part in line.split(":")]
    for place, part in enumerate(parts):
        number = part.removeprefix("line ").strip()
        if number.isdigit():
            return int(number), ": ".join(parts[place + 1 :])
    return 1, line
