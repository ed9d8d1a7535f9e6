"""Prisma's migrations as its own table has them, because its status does not tell all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gonogo.actions.migrate.database import Database
from gonogo.actions.migrate.outputs import Listed
from gonogo.errors import WorkError

# With 1 it ends also when it has an answer. As soon as one is pending it is silent about those
# that failed or were marked as rolled back: taken for all, it would make them applied ones.
_ANSWERS = ("have not yet been applied:", "have failed:", "not managed by Prisma Migrate")
_UP_TO_DATE = "schema is up to date"
_ROWS = (
    "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL"
    " FROM {} ORDER BY started_at"
)

Row = tuple[str, bool, bool]  # a name, whether it has ended, whether it is marked as rolled back


def is_an_answer(said: str) -> bool:
    """Say whether a status that ended with 1 tells something about migrations."""
    return any(words in said for words in _ANSWERS)


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the migrations of a project in the order in which they are applied.

    Raises:
        WorkError: there is no folder of migrations.
    """
    where = folder / "prisma" / "migrations"
    where = where if where.is_dir() else folder / "migrations"
    try:
        return tuple(sorted(path.name for path in where.iterdir() if path.is_dir()))
    except OSError:
        raise WorkError(
            f"there is no folder `{where}`", hint="name the folder of the project: `folder:`"
        ) from None


def listed(said: str, names: Sequence[str], database: Database) -> Listed:
    """Return what the table says, after the status that Prisma printed was held against it.

    Raises:
        WorkError: the status speaks of another database than the table.
    """
    found = re.search(r'schema "([^"]+)"', said)
    table = f'"{found[1] if found else "public"}"._prisma_migrations'
    there = database.rows("SELECT to_regclass(%s) IS NOT NULL", (table,))[0][0]
    settled = settle(names, database.rows(_ROWS.format(table)) if there else ())
    told = _waiting(said)
    if told & {*settled.applied} or (_UP_TO_DATE in said and settled.pending and not there):
        raise WorkError(
            "what `prisma migrate status` says does not fit the table of `on`",
            hint="is `on` the database that Prisma uses? look at the addresses of both",
        )
    return settled


def settle(names: Sequence[str], rows: Sequence[Row]) -> Listed:
    """Tell what is applied, pending and begun without an end, from the folder and the table."""
    applied = dict.fromkeys(name for name, ended, back in rows if ended and not back)
    failed = dict.fromkeys(
        name for name, ended, back in rows if not ended and not back and name not in applied
    )
    pending = tuple(name for name in names if name not in applied and name not in failed)
    return Listed(tuple(applied), pending, {}, tuple(failed))


def _waiting(said: str) -> set[str]:
    """Return the names under the line that says which have not yet been applied."""
    found = re.search(r"have not yet been applied:\n((?:\S.*\n)*)", said)
    return set(found[1].split("\n")) - {""} if found else set()
