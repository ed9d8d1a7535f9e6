"""Prisma: what its status leaves out is read from its table, and a wrong database is noticed.

The answers are those of Prisma 6.19.3 and 7.10.1 for a project of ours, with their first lines left
out. The tool itself is called in test_migrate_real.py.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import context, rows

from gonogo.actions.migrate import Migrate, MigrateBack, Migrations, Rehearsal
from gonogo.actions.migrate.prisma import Row, is_an_answer, settle
from gonogo.errors import WorkError

BOOKS, PAGES, AUTHORS = "20260101000000_books", "20260102000000_pages", "20260103000000_authors"
_SOURCE = 'Datasource "db": PostgreSQL database "q1", schema "public" at "127.0.0.1:5432"\n\n'
_FOUND = f"{_SOURCE}3 migrations found in prisma/migrations\n"
_HOW = (
    "\nTo apply migrations in development run prisma migrate dev.\n"
    "To apply migrations in production run prisma migrate deploy.\n"
)
TWO = f"{_FOUND}Following migrations have not yet been applied:\n{PAGES}\n{AUTHORS}\n{_HOW}"
ONE = f"{_FOUND}Following migration have not yet been applied:\n{AUTHORS}\n{_HOW}"
NONE = f"{_FOUND}\nDatabase schema is up to date!\n"
FAILED = (  # the first part of it on stdout, the second on stderr
    f"{_FOUND}\n",
    f"Following migration have failed:\n{AUTHORS}\n\nDuring development if the failed migration(s) "
    "have not been deployed to a production database you can then fix the migration(s) and run "
    "prisma migrate dev.\n",
)
DIVERGED = (
    f"{_FOUND}\n",
    "Your local migration history and the migrations table from your database are different:\n\n"
    f"The last common migration is: {PAGES}\n\nThe migration have not yet been applied:\n{AUTHORS}"
    f"\n\nThe migration from the database are not found locally in prisma/migrations:\n{BOOKS}\n",
)
EMPTY = (
    f"{_SOURCE}No migration found in prisma/migrations\n\n",
    "The current database is not managed by Prisma Migrate.\n        \nRead more about how to "
    "baseline an existing production database:\nhttps://pris.ly/d/migrate-baseline\n",
)
AWAY = (f"{_SOURCE}", "Error: Can't reach database server at `127.0.0.1:1`\n\nPlease make sure …\n")


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (TWO, True),
        ("\n".join(FAILED), True),
        ("\n".join(DIVERGED), True),
        ("\n".join(EMPTY), True),
        ("\n".join(AWAY), False),
    ],
    ids=["pending", "failed", "diverged", "empty", "not reached"],
)
def test_an_answer_with_an_exit_of_1_is_told_from_an_error(said: str, answers: bool) -> None:
    assert is_an_answer(said) is answers


SETTLED: dict[str, tuple[list[Row], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "no table": ([], (), (BOOKS, PAGES), ()),
    "one": ([(BOOKS, True, False)], (BOOKS,), (PAGES,), ()),
    "failed": ([(BOOKS, True, False), (PAGES, False, False)], (BOOKS,), (), (PAGES,)),
    "marked as rolled back": ([(BOOKS, True, False), (PAGES, False, True)], (BOOKS,), (PAGES,), ()),
    "rolled back, then applied": (
        [(BOOKS, True, False), (PAGES, False, True), (PAGES, True, False)],
        (BOOKS, PAGES),
        (),
        (),
    ),
    "its file is gone": ([("1_old", True, False)], ("1_old",), (BOOKS, PAGES), ()),
}


@pytest.mark.parametrize(("found", "applied", "pending", "failed"), SETTLED.values(), ids=SETTLED)
def test_the_table_says_what_is_applied_pending_and_failed(
    found: list[Row],
    applied: tuple[str, ...],
    pending: tuple[str, ...],
    failed: tuple[str, ...],
) -> None:
    listed = settle((BOOKS, PAGES), found)
    assert (listed.applied, listed.pending, listed.failed) == (applied, pending, failed)


def a_table(url: str, *applied: str, failed: str = "") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE _prisma_migrations (migration_name text, started_at timestamptz DEFAULT"
            " clock_timestamp(), finished_at timestamptz, rolled_back_at timestamptz)"
        )
    for name in applied:
        add(url, name, "now()")
    if failed:
        add(url, failed, "NULL")


def add(url: str, name: str, finished: str) -> None:
    columns = "_prisma_migrations (migration_name, finished_at)"
    rows(url, f"INSERT INTO {columns} VALUES ('{name}', {finished}) RETURNING 1")


def a_prisma(folder: Path, out: str, err: str = "") -> str:
    """Return a tool that says this as its status, and marks `done` when it deploys."""
    for name in (BOOKS, PAGES, AUTHORS):
        (folder / "prisma" / "migrations" / name).mkdir(parents=True, exist_ok=True)
    (folder / "out").write_text(out)
    (folder / "err").write_text(err)
    path = folder / "prisma-tool"
    path.write_text(
        "#!/bin/sh\ncase $2 in status) cat out; cat err >&2; ! grep -q 'not yet' out && "
        "[ ! -s err ];; deploy) touch done;; esac\n"
    )
    path.chmod(0o755)
    return str(path)


def test_its_answers_and_its_table_are_one(database: str, tmp_path: Path) -> None:
    a_table(database, BOOKS)
    look = Migrations(tool="prisma", command=a_prisma(tmp_path, TWO))
    seen = look.perform(context(database, tmp_path)).indicators
    assert (seen["applied"], seen["pending names"]) == (1, [PAGES, AUTHORS])


@pytest.mark.parametrize(
    ("out", "err"),
    [(ONE, ""), FAILED, DIVERGED],
    ids=["it tells only the pending one", "it tells it", "it tells only that they differ"],
)
def test_one_that_failed_is_never_taken_for_applied(
    out: str, err: str, database: str, tmp_path: Path
) -> None:
    a_table(database, BOOKS, failed=PAGES)
    command = a_prisma(tmp_path, out, err)
    for work in (
        Migrations(tool="prisma", command=command),
        Migrate(tool="prisma", command=command, unproved="x"),
    ):
        with pytest.raises(WorkError, match=f"`{PAGES}` has begun in this database and not ended"):
            work.perform(context(database, tmp_path))
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("said", [TWO, NONE], ids=["pending", "up to date"])
def test_a_status_of_another_database_is_noticed(said: str, database: str, tmp_path: Path) -> None:
    if said == TWO:
        a_table(database, BOOKS, PAGES)
    look = Migrations(tool="prisma", command=a_prisma(tmp_path, said))
    with pytest.raises(WorkError, match="does not fit the table of `on`"):
        look.perform(context(database, tmp_path))


def test_a_server_that_is_not_reached_is_an_error_with_its_words(
    database: str, tmp_path: Path
) -> None:
    look = Migrations(tool="prisma", command=a_prisma(tmp_path, *AWAY))
    with pytest.raises(WorkError, match=r"migrate status` ended with 1") as caught:
        look.perform(context(database, tmp_path))
    assert "Can't reach database server" in caught.value.hint


def test_it_has_no_step_back(database: str, tmp_path: Path) -> None:
    a_table(database, BOOKS, PAGES)
    command = a_prisma(tmp_path, ONE)
    work = Migrate(tool="prisma", command=command, unproved="x")
    assert work.perform(context(database, tmp_path)).indicators["left"] == 1  # it did nothing
    add(database, AUTHORS, "now()")
    (tmp_path / "out").write_text(NONE)
    with pytest.raises(WorkError, match=f"`{AUTHORS}` stays: prisma has no step back"):
        MigrateBack(tool="prisma", command=command).perform(context(database, tmp_path))


@pytest.mark.parametrize("kind", [MigrateBack, Rehearsal])
def test_a_way_back_that_could_never_work_is_found_before_a_run(
    kind: type[MigrateBack] | type[Rehearsal],
) -> None:
    for tool in ("prisma", "supabase"):
        assert [d.code for d in kind(tool=tool).review()] == ["GN558"]  # type: ignore[arg-type]
    assert kind(tool="rails").review() == ()
