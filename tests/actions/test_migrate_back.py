"""Exactly what this run applied is taken back, newest first, and nothing that was there before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import TWO, UP, columns, do, rows, versions, write

from gonogo.actions.migrate import MigrateBack
from gonogo.errors import WorkError


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
