"""Migrations against a real PostgreSQL: what is pending is applied in order, recorded and told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import TWO, UP, context, do, identity, rows, versions, write

from gonogo import records
from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.errors import WorkError
from gonogo.redaction import Redactor


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


def test_what_lies_behind_the_last_one_wanted_is_no_stranger(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    do(replace(UP, to="1", only=("0001",)), database, tmp_path)
    assert versions(database) == ["0001"]
    with pytest.raises(WorkError, match="there is no migration `0009`, the newest are `0001_books"):
        do(replace(UP, to="0009"), database, tmp_path)
    assert [d.code for d in Migrate(tool="rails", to="1").review()] == ["GN517"]


def test_what_needs_no_transaction_is_sent_without(database: str, tmp_path: Path) -> None:
    files = {
        "0003_i.up.sql": "CREATE INDEX CONCURRENTLY i ON books (title);",
        "0003_i.down.sql": "DROP INDEX CONCURRENTLY i;",
    }
    write(tmp_path, {**TWO, **files})
    assert do(UP, database, tmp_path).indicators["applied count"] == 3
    assert rows(database, "SELECT to_regclass('i') IS NOT NULL") == [(True,)]
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 3


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


def test_a_changed_file_and_an_unknown_version_are_seen(database: str, tmp_path: Path) -> None:
    folder = write(tmp_path, TWO)
    do(UP, database, tmp_path)
    (folder / "0001_books.up.sql").write_text("CREATE TABLE books (id bigint);")
    (folder / "0002_pages.up.sql").unlink()
    (folder / "0002_pages.down.sql").unlink()
    seen = do(Migrations(), database, tmp_path).indicators
    assert (seen["changed"], seen["unknown"], seen["pending"]) == (1, 1, 0)


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
