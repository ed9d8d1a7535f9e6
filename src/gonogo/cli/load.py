"""From a path to a plan: the file is read once and never written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.errors import Diagnostic, RunbookError, UsageError, in_order
from gonogo.plan.model import Plan
from gonogo.source import Source

if TYPE_CHECKING:
    from gonogo.runbook.assemble import Understanding

LARGEST = 10 * 1024 * 1024


def read_bytes(path: str) -> bytes:
    """Return what the file holds.

    Raises:
        UsageError: there is no such file, it is a folder, or it may not be read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise UsageError(
                f"`{path}` is a folder, expected a Markdown file",
                hint="name the runbook itself, as in `gonogo lint docs/deploy.md`",
            )
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file `{path}`", hint=_what_is_there(file)) from None
    except OSError as error:
        raise UsageError(
            f"`{path}` cannot be read: {error.strerror or error}",
            hint="look at its name and rights",
        ) from None


def _what_is_there(file: Path) -> str:
    from difflib import get_close_matches

    try:
        there = sorted(p.name for p in file.parent.iterdir() if p.suffix.lower() == ".md")
    except OSError:
        return "look at the path"
    close = get_close_matches(file.name, there, n=1)
    if close:
        return f"did you mean `{file.with_name(close[0])}`?"
    return f"Markdown files there: {', '.join(there[:5])}" if there else "look at the path"


def load(path: str) -> Plan:
    """Read a runbook and understand it.

    Raises:
        UsageError: the file cannot be used at all.
        RunbookError: with every mistake in it.
    """
    return _plan(*look(path))


def understand_source(source: Source) -> Plan:
    """Understand a text that a journal kept.

    Raises:
        RunbookError: with every mistake in it.
    """
    return _plan(source, _understood(source, ()))


def look(path: str) -> tuple[Source, Understanding]:
    """Read a runbook and return what was understood, also when there are mistakes.

    Raises:
        UsageError: the file cannot be used at all.
    """
    from gonogo.runbook.reading import read_bytes as decode

    reading = decode(path, read_bytes(path))
    return reading.source, _understood(reading.source, reading.diagnostics)


def _understood(source: Source, remarks: Iterable[Diagnostic]) -> Understanding:
    from gonogo import catalog
    from gonogo.runbook.assemble import understand
    from gonogo.runbook.markdown import read

    found = understand(read(source), catalog.load())
    everything = in_order([*remarks, *found.diagnostics])
    plan = replace(found.plan, diagnostics=everything) if found.plan else None
    return replace(found, plan=plan, diagnostics=everything)


def _plan(source: Source, found: Understanding) -> Plan:
    if found.plan is None:
        from gonogo.cli.precheck import precheck_draft

        everything = in_order([*found.diagnostics, *precheck_draft(found.draft)])
        raise RunbookError(source, everything)
    return found.plan
