"""Migrations against a real PostgreSQL: forward, exactly back, in front of locks, after a kill."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import (
    TWO,
    a_restore_test,
    context,
    do,
    identity,
    life,
    rows,
    until,
    versions,
    write,
)
from tests.support.kinds import StopAfter

from gonogo import records
from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.errors import WorkError
from gonogo.redaction import Redactor

UP = Migrate(unproved="a test")


def columns(url: str, table: str = "books") -> list[object]:
    query = f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('{table}')"
    return [row[0] for row in rows(url, f"{query} AND attnum > 0 AND NOT attisdropped ORDER BY 1")]


def test_what_is_pending_is_applied_in_order_and_told(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    seen = do(UP, database, tmp_path).indicators
    assert seen["before"] == []
    assert seen["pending"] == seen["applied"] == ["0001_books", "0002_pages"]
    assert (seen["applied count"], seen["left"]) == (2, 0)
    assert versions(database) == ["0001", "0002"]
    assert do(UP, database, tmp_path).indicators["applied"] == []


def test_looking_changes_nothing(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    seen = do(Migrations(), database, tmp_path).indicators
    assert (seen["pending"], seen["applied"], seen["latest"]) == (2, 0, None)
    assert seen["pending names"] == ["0001_books", "0002_pages"]
    assert rows(database, "SELECT to_regclass('schema_migrations')") == [(None,)]


def test_a_failure_in_the_second_of_two_undoes_one(database: str, tmp_path: Path) -> None:
    write(
        tmp_path, {"0001_old.up.sql": "CREATE TABLE old (a int)", "0001_old.down.sql": "SELECT 1"}
    )
    do(UP, database, tmp_path, "earlier")
    failing = {
        "0002_books.up.sql": TWO["0001_books.up.sql"],
        "0002_books.down.sql": TWO["0001_books.down.sql"],
        "0003_bad.up.sql": "CREATE TABLE half (a int);\nSELECT 1 / 0;",
        "0003_bad.down.sql": "DROP TABLE half;",
    }
    write(tmp_path, failing)
    with pytest.raises(WorkError, match=r"0003_bad\.up\.sql.*division by zero") as caught:
        do(UP, database, tmp_path)
    assert caught.value.failed
    assert versions(database) == ["0001", "0002"]
    assert columns(database, "half") == []
    seen = do(MigrateBack(), database, tmp_path).indicators
    assert seen["undone"] == ["0002_books"]
    assert seen["left"] == 0
    assert versions(database) == ["0001"]
    assert columns(database, "old") == ["a"]


def test_going_back_takes_the_newest_first_and_needs_no_files(
    database: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, TWO)
    do(UP, database, tmp_path)
    for path in folder.iterdir():  # the previous release is back: its folder has none of these
        path.unlink()
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == [
        "0002_pages",
        "0001_books",
    ]
    assert columns(database) == []


def test_two_steps_of_a_run_go_one_further_each_and_back_together(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    seen = do(replace(UP, to="0001"), database, tmp_path).indicators
    assert (seen["pending"], seen["applied"]) == (["0001_books", "0002_pages"], ["0001_books"])
    assert (seen["left"], versions(database)) == (0, ["0001"])
    assert do(replace(UP, to="0001_books"), database, tmp_path).indicators["applied"] == []
    assert do(replace(UP, only=("0002",)), database, tmp_path).indicators["left"] == 0
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == [
        "0002_pages",
        "0001_books",
    ]


def test_what_lies_behind_the_last_one_wanted_is_no_stranger(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    do(replace(UP, to="1", only=("0001",)), database, tmp_path)
    assert versions(database) == ["0001"]
    with pytest.raises(WorkError, match="there is no migration `0009`, the newest are `0001_books"):
        do(replace(UP, to="0009"), database, tmp_path)
    assert [d.code for d in Migrate(tool="rails", to="1").review()] == ["GN517"]


def test_another_run_has_nothing_to_take_back(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    do(UP, database, tmp_path, "first")
    assert do(MigrateBack(), database, tmp_path, "second").indicators["undone count"] == 0
    assert versions(database) == ["0001", "0002"]


def test_going_back_elsewhere_is_refused(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    do(UP, database, tmp_path)
    with pytest.raises(WorkError, match="not to this database"):
        do(MigrateBack(table="other"), database, tmp_path)


def test_a_migration_without_a_way_back_stops_there(database: str, tmp_path: Path) -> None:
    write(tmp_path, {**TWO, "0003_x.up.sql": "CREATE TABLE x (a int)"})
    do(UP, database, tmp_path)
    with pytest.raises(WorkError, match=r"0003_x. has no way back"):
        do(MigrateBack(), database, tmp_path)
    assert versions(database) == ["0001", "0002", "0003"]


def test_a_way_back_that_destroys_what_was_there_is_refused(database: str, tmp_path: Path) -> None:
    rows_before = "CREATE TABLE books (id int); INSERT INTO books VALUES (1)"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(rows_before.encode())
    files = {
        "0001_a.up.sql": "CREATE TABLE IF NOT EXISTS books (id int)",
        "0001_a.down.sql": "DROP TABLE books",
    }
    write(tmp_path, files)
    do(UP, database, tmp_path)
    with pytest.raises(WorkError, match="`books`, which was there before this run"):
        do(MigrateBack(), database, tmp_path)
    assert rows(database, "SELECT id FROM books") == [(1,)]
    do(MigrateBack(destroys_=("books",)), database, tmp_path)
    assert columns(database) == []


def test_nothing_is_migrated_without_a_restore_test_that_passed(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    with pytest.raises(WorkError, match="has tested no restore"):
        do(Migrate(), database, tmp_path)
    a_restore_test(database, tmp_path, passed=False, why="12 rows are missing")
    with pytest.raises(WorkError, match="failed at 2026-01-01: 12 rows are missing"):
        do(Migrate(), database, tmp_path)
    assert rows(database, "SELECT to_regclass('schema_migrations')") == [(None,)]
    a_restore_test(database, tmp_path, passed=True, at="2026-01-02")
    assert do(Migrate(), database, tmp_path).indicators["left"] == 0


def test_what_is_not_foreseen_is_refused_before_anything_changes(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    with pytest.raises(WorkError, match="`0002_pages` is pending"):
        do(Migrate(unproved="x", only=("0001",)), database, tmp_path)
    do(UP, database, tmp_path)
    write(tmp_path, {"0003_gone.up.sql": "ALTER TABLE books DROP COLUMN title"})
    with pytest.raises(WorkError, match=r"destroys `books\.title`"):
        do(UP, database, tmp_path)
    do(Migrate(unproved="x", destroys_=("books.title",)), database, tmp_path)
    assert columns(database) == ["id", "pages"]


def test_a_migration_that_hangs_on_a_lock_fails_in_time_and_names_who_holds_it(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    do(Migrate(unproved="x", only=("0001", "0002")), database, tmp_path)
    write(tmp_path, {"0003_w.up.sql": "ALTER TABLE books ADD COLUMN w int", "0003_w.down.sql": ""})
    with psycopg.connect(database, application_name="reporting") as other:
        other.execute("SELECT * FROM books WHERE title = 'a secret title'")
        with pytest.raises(WorkError) as caught:
            do(Migrate(unproved="x", lock_timeout_s=1.0), database, tmp_path)
        pid = other.info.backend_pid
    said = caught.value.message
    assert "did not get its lock within 1 s" in said
    assert f"pid {pid}" in said
    assert "reporting, idle in transaction" in said
    assert "FROM books WHERE title = $1" in said
    assert "a secret title" not in said
    assert versions(database) == ["0001", "0002"]


def test_what_needs_no_transaction_is_sent_without(database: str, tmp_path: Path) -> None:
    files = {
        "0003_i.up.sql": "CREATE INDEX CONCURRENTLY i ON books (title);",
        "0003_i.down.sql": "DROP INDEX CONCURRENTLY i;",
    }
    write(tmp_path, {**TWO, **files})
    assert do(UP, database, tmp_path).indicators["applied count"] == 3
    assert rows(database, "SELECT to_regclass('i') IS NOT NULL") == [(True,)]
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 3


def test_a_text_that_ends_its_transaction_is_refused(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); COMMIT; CREATE TABLE b (a int);"})
    with pytest.raises(WorkError, match="begins or ends a transaction itself"):
        do(UP, database, tmp_path)
    assert columns(database, "a") == []


def test_a_migration_ends_with_the_time_of_its_step(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); SELECT pg_sleep(60);"})
    with pytest.raises(WorkError, match=r"did not end within 1 s; nothing of it stays") as caught:
        UP.perform(context(database, tmp_path, timeout_s=1.0))
    assert caught.value.failed
    assert columns(database, "a") == []


def test_a_wish_to_stop_ends_a_migration_in_its_middle(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); SELECT pg_sleep(60);"})
    with pytest.raises(WorkError, match="was stopped in its middle; nothing of it stays"):
        UP.perform(context(database, tmp_path, should_stop=StopAfter(2)))
    assert columns(database, "a") == []


def test_the_password_of_the_target_is_in_no_message(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "DO $$ BEGIN RAISE 'the word is geheim'; END $$"})
    made = replace(context(database, tmp_path), redact=Redactor(("geheim",)))
    with pytest.raises(WorkError) as caught:
        UP.perform(made)
    assert "geheim" not in caught.value.message


LEDGERS = {
    "versions as numbers": ("version bigint", "1", ["1", "2"]),
    "versions as texts": ("version varchar(255) PRIMARY KEY", "'0001'", ["0001", "0002"]),
    "whole names": ("version text", "'0001_books'", ["0001_books", "0002_pages"]),
}


@pytest.mark.parametrize(("column", "first", "after"), LEDGERS.values(), ids=LEDGERS)
def test_a_table_that_is_there_is_used_as_it_is(
    column: str, first: str, after: list[str], database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    with psycopg.connect(database, autocommit=True) as connection:
        for text in (
            TWO["0001_books.up.sql"],
            f"CREATE TABLE schema_migrations ({column})",
            f"INSERT INTO schema_migrations VALUES ({first})",
        ):
            connection.execute(text.encode())
    seen = do(UP, database, tmp_path).indicators
    assert (seen["before"], seen["applied"]) == (["0001_books"], ["0002_pages"])
    assert [str(version) for version in versions(database)] == after
    do(MigrateBack(), database, tmp_path)
    assert [str(version) for version in versions(database)] == after[:1]


REFUSED_TABLES = {
    "golang-migrate": ("version bigint, dirty boolean", "golang-migrate"),
    "no versions": ("id int", "no column `version`"),
    "a column that nobody knows": ("version text, tenant text NOT NULL", "wants a `tenant`"),
}


@pytest.mark.parametrize(("body", "words"), REFUSED_TABLES.values(), ids=REFUSED_TABLES)
def test_a_table_that_cannot_be_used_is_refused(
    body: str, words: str, database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE schema_migrations ({body})".encode())
    with pytest.raises(WorkError, match=words):
        do(UP, database, tmp_path)
    assert columns(database) == []


def test_a_changed_file_and_an_unknown_version_are_seen(database: str, tmp_path: Path) -> None:
    folder = write(tmp_path, TWO)
    do(UP, database, tmp_path)
    (folder / "0001_books.up.sql").write_text("CREATE TABLE books (id bigint);")
    (folder / "0002_pages.up.sql").unlink()
    (folder / "0002_pages.down.sql").unlink()
    seen = do(Migrations(), database, tmp_path).indicators
    assert (seen["changed"], seen["unknown"], seen["pending"]) == (1, 1, 0)


BAD_FOLDERS = {
    "no folder": ({}, "there is no folder"),
    "twice": ({"0001_a.up.sql": "SELECT 1", "0001_b.up.sql": "SELECT 1"}, "is there twice"),
    "no version": ({"books.sql": "SELECT 1"}, "no version in front"),
    "only down": ({"0001_a.down.sql": "SELECT 1"}, "a way back without its way up"),
    "psql": ({"0001_a.up.sql": "\\set x 1\nSELECT 1"}, "a command of psql"),
}


@pytest.mark.parametrize(("files", "words"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_a_folder_that_cannot_be_used_is_refused(
    files: dict[str, str], words: str, database: str, tmp_path: Path
) -> None:
    if files:
        write(tmp_path, files)
    with pytest.raises(WorkError, match=words):
        do(UP, database, tmp_path)


SLEEPER = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%pg_sleep(60%'"
GONE = f"SELECT WHERE NOT EXISTS ({SLEEPER})"


def test_kill_9_in_the_middle_of_a_way_up_loses_nothing(database: str, tmp_path: Path) -> None:
    folder = write(tmp_path, TWO)
    (folder / "0002_pages.up.sql").write_text(
        f"{TWO['0002_pages.up.sql']} SELECT pg_sleep(60);", encoding="utf-8"
    )
    child = life(database, tmp_path, "up")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)  # the server notices by itself that nobody is there any more
    assert versions(database) == ["0001"]
    assert columns(database) == ["id", "title"]
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == ["0001_books"]
    write(tmp_path, TWO)
    assert do(UP, database, tmp_path).indicators["applied count"] == 2
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 2


def test_kill_9_between_the_commit_and_the_record_is_made_good(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    do(UP, database, tmp_path)
    path = tmp_path / "run" / "migrations.jsonl"
    lines = [line for line in path.read_text().splitlines() if '"event": "applied"' not in line]
    path.write_text("\n".join(line for line in lines if '"event": "after"' not in line) + "\n{")
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 2


def test_kill_9_in_the_middle_of_a_way_back_goes_on_with_the_rest(
    database: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, TWO)
    (folder / "0001_books.down.sql").write_text("SELECT pg_sleep(60); DROP TABLE books;")
    do(UP, database, tmp_path)
    child = life(database, tmp_path, "back")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)
    assert versions(database) == ["0001"]
    quick = (tmp_path / "run" / "migrations.jsonl").read_text().replace("pg_sleep(60)", "1")
    (tmp_path / "run" / "migrations.jsonl").write_text(quick)
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == ["0001_books"]
    assert versions(database) == []


def test_kill_9_of_a_migration_without_a_transaction_is_not_repeated_blindly(
    database: str, tmp_path: Path
) -> None:
    text = "-- gonogo: no transaction\nCREATE TABLE half (a int);\nSELECT pg_sleep(60);"
    write(tmp_path, {"0001_half.up.sql": text, "0001_half.down.sql": "DROP TABLE half"})
    child = life(database, tmp_path, "up")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)
    with pytest.raises(WorkError, match="begun without a transaction by this run"):
        do(UP, database, tmp_path)


def test_two_migrations_at_once_are_kept_apart(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7330017261)")
        with pytest.raises(WorkError, match=rf"under way.*pid {other.info.backend_pid}"):
            do(Migrate(unproved="x", lock_timeout_s=0.1), database, tmp_path)


def test_the_record_names_the_database_and_comes_before_the_change(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    do(UP, database, tmp_path)
    found = records.read(tmp_path / "run", "migrations.jsonl")
    assert [f["event"] for f in found] == [
        *("before", "begin", "applied", "begin", "applied", "after")
    ]
    assert {f["database"] for f in found} == {identity(database)}
    assert found[0]["pending"] == ["0001_books", "0002_pages"]


def test_an_unreachable_database_is_an_error_and_not_a_failure(tmp_path: Path) -> None:
    write(tmp_path, TWO)
    with pytest.raises(WorkError, match="connection refused") as caught:
        UP.perform(context("postgresql://u:geheim@127.0.0.1:1/x", tmp_path))
    assert not caught.value.failed
    assert "geheim" not in caught.value.message
