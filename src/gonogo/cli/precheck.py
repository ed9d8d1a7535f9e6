"""What can be seen before a run only with this machine's help: whether scripts parse."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from gonogo.errors import Diagnostic, UsageError, WorkError
from gonogo.plan.kinds import Scripted
from gonogo.plan.model import Block, Mode, Plan, Step
from gonogo.process import run_short
from gonogo.source import Span

_SHELLS = ("bash", "sh", "dash", "ksh")


def precheck(plan: Plan) -> tuple[Diagnostic, ...]:
    """Let `bash -n` read every script that would run.

    Returns:
        One diagnostic for each that does not parse; empty when there is no such shell here (the
        step will say so itself).
    """
    if plan.mode is Mode.ASSISTED:  # a person reads each block before it may run
        return ()
    scripts = [(block, shell, text) for block, shell, text in _scripts(plan) if text.strip()]
    if not scripts:
        return ()
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda item: _parsed(*item), scripts)
    return tuple(item for item in found if item is not None)


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


def _parsed(block: Block, shell: str, text: str) -> Diagnostic | None:
    try:
        read = run_short([shell, "-n"], stdin=text)
    except (WorkError, UsageError):
        return None
    if read.exit_code == 0:
        return None
    number, message = _first(read.stderr)
    span = Span.of_line(block.span.line + max(number - 1, 0))
    return Diagnostic(
        "GN599",
        f"`{shell} -n` does not parse this block: {message}",
        span,
        label="here",
        hint="mend the script; a block that is no script is documentation in a `text` fence",
    )


def _first(words: str) -> tuple[int, str]:
    """Return the line number and the message of the shell's first complaint."""
    line = words.strip().splitlines()[0] if words.strip() else "no reason given"
    parts = [part.strip() for part in line.split(":")]
    for place, part in enumerate(parts):
        number = part.removeprefix("line ").strip()
        if number.isdigit():
            return int(number), ": ".join(parts[place + 1 :])
    return 1, line
