"""Finds the table or column that a person means among those that are there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from gonogo.errors import WorkError

_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


def parts(name: str) -> tuple[str, ...]:
    """Take `schema."Table.1"` apart; a dot or a quote inside quotes is part of the name."""
    found: list[str] = []
    at = 0
    while at <= len(name):
        match = _PART.match(name, at)
        if match is None:
            return (name,)  # not as it is written in SQL: a name like any other
        found.append(match[1].replace('""', '"') if match[1] else match[2].strip())
        at = match.end()
        if at == len(name):
            return tuple(found)
        if name[at] != ".":
            return (name,)
        at += 1
    return tuple(found)


def table(said: str, known: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return schema and name of a table; one in `public` comes before those of other schemas.

    Raises:
        WorkError: there is none, or two schemas have one.
    """
    found = [pair for pair in known if said in (pair[1], f"{pair[0]}.{pair[1]}")]
    wanted = parts(said)
    found = found or [pair for pair in known if wanted in ((pair[1],), pair)]
    found = [pair for pair in found if pair[0] == "public"] or found
    if not found:
        names = [f"{s}.{n}" for s, n in known] + [name for _, name in known]
        raise WorkError(f"there is no table `{said}`", hint=_hint(said, names, "tables"))
    if len(found) > 1:
        both = " and ".join(f"`{schema}.{name}`" for schema, name in found[:2])
        raise WorkError(f"`{said}` may be {both}", hint="write `schema.table`")
    return found[0]


def are_alike(one: str, other: str) -> bool:
    """Say whether two names may mean one table: a name without a schema fits any."""
    mine, theirs = parts(one), parts(other)
    return mine[-1] == theirs[-1] and (len(mine) != len(theirs) or mine == theirs)


def split(said: str) -> tuple[str, str]:
    """Take `table.column` apart; the table is written as before.

    Raises:
        WorkError: it names no table.
    """
    last = parts(said)[-1]
    for tail in (last, '"' + last.replace('"', '""') + '"'):
        if said.endswith(f".{tail}") and len(parts(said)) > 1:
            return said[: -len(tail) - 1], last
    raise WorkError(f"`{said}` is no column", hint="write `table.column`")


def column(said: str, of: str, known: Iterable[str]) -> str:
    """Return the name of a column.

    Raises:
        WorkError: the table has none of that name.
    """
    there = list(known)
    if said not in there:
        raise WorkError(f"`{of}` has no column `{said}`", hint=_hint(said, there, "columns"))
    return said


def _hint(said: str, names: Sequence[str], what: str) -> str:
    near = get_close_matches(said, names, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    some = ", ".join(f"`{name}`" for name in list(dict.fromkeys(names))[:5])
    return f"{what} are {some}" if some else f"there are no {what} at all"
