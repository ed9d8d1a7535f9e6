"""What the tools for migrations say about themselves: their status, as applied and pending."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gonogo.errors import WorkError
from gonogo.foreign import json_in

# `missing` and `future`: applied, and the file is gone
_FLYWAY_APPLIED = frozenset(("success", "baseline", "out of order", "missing", "future"))


@dataclass(frozen=True, slots=True)
class Listed:
    """The migrations that a tool names, in the order in which they are applied."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    before: Mapping[str, str]  # what the tool must be told to go back behind one
    failed: tuple[str, ...] = ()  # begun, not ended: nobody knows how much of them is there


def boxes(text: str) -> Listed:
    """Read `[X] name` and `[ ] name`: dbmate's status, Django's showmigrations --plan."""
    found = re.findall(r"^[ \t]*\[([ xX])\][ \t]+(\S+)", text, re.MULTILINE)
    applied = [name for mark, name in found if mark != " "]
    pending = [name for mark, name in found if mark == " "]
    before: dict[str, str] = {}
    last: dict[str, str] = {}
    for _, name in found:  # Django goes back to the migration before it in the same app
        app = name.partition(".")[0]
        before[name] = last.get(app, "zero")
        last[app] = name.partition(".")[2]
    return Listed(tuple(applied), tuple(pending), before)


def planned(text: str) -> tuple[str, ...]:
    """Read Django's `migrate … --plan`: `books.0002_pages`, and under it what would be done."""
    return tuple(re.findall(r"^(\w+\.\w+)[ \t]*$", text, re.MULTILINE))


def rails(text: str) -> Listed:
    """Read the table of db:migrate:status: `up 20260101120000 Create agents`."""
    found = re.findall(r"^[ \t]*(up|down)[ \t]+(\d+)\b", text, re.MULTILINE)
    found.sort(key=lambda row: int(row[1]))
    applied = tuple(version for state, version in found if state == "up")
    return Listed(applied, tuple(version for state, version in found if state == "down"), {})


def alembic(text: str) -> Listed:
    """Read `alembic history` and, behind a line of dashes, `alembic current`."""
    history, _, current = text.partition("\n---\n")
    parents: dict[str, tuple[str, ...]] = {}
    for olders, name in re.findall(
        r"^(?:Rev: )?([\w<>, ()]+?) -> (\w+)(?=[ ,]|$)", history, re.MULTILINE
    ):
        names = re.findall(r"<base>|\w{2,}", olders.replace("(", " ").replace(")", " "))
        parents[name] = tuple(n for n in names if n in parents or n not in {"head", "branchpoint"})
    there: set[str] = set()
    left = re.findall(r"^(\w+)(?: \(.*\))*[ \t]*$", current, re.MULTILINE)
    while left:
        name = left.pop()
        if name not in there and name != "<base>":
            there.add(name)
            left += parents.get(name, ())
    order = list(parents)[::-1]  # the history begins with the newest
    before = {name: olds[0].replace("<base>", "base") for name, olds in parents.items() if olds}
    return Listed(
        tuple(n for n in order if n in there), tuple(n for n in order if n not in there), before
    )


def flyway(text: str) -> Listed:
    """Read the JSON of `flyway info`."""
    try:
        rows = json_in(text[text.index("{") :])["migrations"]
    except (ValueError, KeyError, TypeError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WorkError(
            "the answer of `flyway info` cannot be read", hint="is it Flyway 8 or newer?"
        )
    rows = [(str(row.get("state")).lower(), row) for row in rows if _is_flyways(row)]
    applied = [str(row["version"]) for state, row in rows if state in _FLYWAY_APPLIED]
    pending = [str(row["version"]) for state, row in rows if state in {"pending", "undone"}]
    failed = [str(row["version"]) for state, row in rows if state.startswith("failed")]
    waiting = dict.fromkeys(name for name in pending if name not in applied)  # undone, then redone
    return Listed(tuple(applied), tuple(waiting), {}, tuple(failed))


def _is_flyways(row: Mapping[str, object]) -> bool:
    """Say whether a row is a migration with a version: no undo, no note of a deletion."""
    kind = str(row.get("type")).lower()
    return bool(row.get("version")) and "undo" not in kind and kind != "delete"


def supabase(text: str) -> Listed:
    """Read the table of `supabase migration list`: local, remote, time."""
    rows = re.findall(
        r"^[ \t│|]*`?(\d{4,})?[ \t`]*[|│][ \t]*`?(\d{4,})?[ \t`]*[|│]", text, re.MULTILINE
    )
    applied = tuple(remote for _, remote in rows if remote)
    return Listed(applied, tuple(local for local, remote in rows if local and not remote), {})


READERS: Mapping[str, Callable[[str], Listed]] = {
    "alembic": alembic,
    "rails": rails,
    "django": boxes,
    "dbmate": boxes,
    "flyway": flyway,
    "supabase": supabase,
}
