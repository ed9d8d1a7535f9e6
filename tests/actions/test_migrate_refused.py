"""A migration that is not proved, not foreseen or cannot be right is refused before it begins."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import TWO, UP, a_restore_test, columns, do, rows, write

from gonogo.actions.migrate import Migrate
from gonogo.errors import WorkError


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


def test_a_text_that_ends_its_transaction_is_refused(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); COMMIT; CREATE TABLE b (a int);"})
    with pytest.raises(WorkError, match="begins or ends a transaction itself"):
        do(UP, database, tmp_path)
    assert columns(database, "a") == []


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


def test_two_migrations_at_once_are_kept_apart(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7330017261)")
        with pytest.raises(WorkError, match=rf"under way.*pid {other.info.backend_pid}"):
            do(Migrate(unproved="x", lock_timeout_s=0.1), database, tmp_path)
