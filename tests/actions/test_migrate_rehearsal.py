"""Up, down, up on a copy: what the way down forgets is named, and no copy stays behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import TWO, context, do, rows, versions, write

from gonogo import records
from gonogo.actions.migrate import Migrate, Rehearsal
from gonogo.actions.migrate.copy import MARK, PREFIX, beside
from gonogo.errors import WorkError
from gonogo.plan.kinds import Observation
from gonogo.services import Postgres

COPIES = f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'"
TRY = Rehearsal(copy="template")


def rehearse(work: Rehearsal, url: str, folder: Path) -> Observation:
    seen = work.perform(context(url, folder))
    assert rows(url, COPIES) == []
    return seen


def test_both_ways_that_work_are_complete_and_timed(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    seen = rehearse(TRY, database, tmp_path).indicators
    assert (seen["complete"], seen["migrations"], seen["differences"]) == (True, 2, 0)
    for name in ("up time", "down time", "second up time", "duration"):
        assert name in seen
    assert rows(database, "SELECT to_regclass('schema_migrations')") == [(None,)]
    assert not (tmp_path / "run" / "migrations.jsonl").exists()


FORGOTTEN = {
    "a column": ("ALTER TABLE t ADD b int;", "SELECT 1;", "column public.t.b is still there"),
    "an index": ("DROP INDEX i;", "SELECT 1;", "index public.i is missing"),
    "a default": (
        "ALTER TABLE t ALTER a SET DEFAULT 2;",
        "ALTER TABLE t ALTER a DROP DEFAULT;",
        "column public.t.a is `integer not null`, was `integer not null default 1`",
    ),
    "a type": (
        "ALTER TABLE t ALTER a TYPE bigint;",
        "SELECT 1;",
        "column public.t.a is `bigint not null default 1`, was `integer not null default 1`",
    ),
    "a constraint": ("ALTER TABLE t DROP CONSTRAINT c;", "SELECT 1;", "t.c is missing"),
    "a function": (
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "SELECT 1;",
        "function public.f() is",
    ),
    "a view": ("CREATE VIEW w AS SELECT 1 AS a;", "SELECT 1;", "view public.w is still there"),
    "a policy": (
        "CREATE POLICY p ON t USING (true);",
        "SELECT 1;",
        "policy public.t.p is still there",
    ),
    "row security": ("ALTER TABLE t ENABLE ROW LEVEL SECURITY;", "SELECT 1;", "table public.t is"),
    "a label": ("ALTER TYPE mood ADD VALUE 'calm';", "SELECT 1;", "type public.mood is"),
    "a trigger": (
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION"
        " suppress_redundant_updates_trigger();",
        "SELECT 1;",
        "trigger public.t.g is still there",
    ),
}
START = """
CREATE TABLE t (a int NOT NULL DEFAULT 1 CONSTRAINT c CHECK (a > 0));
CREATE INDEX i ON t (a);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE mood AS ENUM ('sad');
"""


@pytest.mark.parametrize(("up", "down", "said"), FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_the_way_down_forgets_is_named(
    up: str, down: str, said: str, database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(START.encode())
    write(tmp_path, {"0001_x.up.sql": up, "0001_x.down.sql": down})
    seen = rehearse(TRY, database, tmp_path)
    assert seen.indicators["complete"] is False
    assert seen.indicators["same after down"] is False
    assert "same after up" not in seen.indicators
    assert said in seen.text


def test_a_way_that_fails_is_told_and_the_copy_is_gone(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_x.up.sql": "CREATE TABLE x (a int)", "0001_x.down.sql": "DROP TABLE y"})
    with pytest.raises(WorkError, match=r"on a copy, down failed: `0001_x\.down\.sql`"):
        rehearse(TRY, database, tmp_path)
    assert rows(database, COPIES) == []


def test_the_table_of_the_migrations_does_not_count(database: str, tmp_path: Path) -> None:
    made = "CREATE TABLE {0} (version text, id serial, CONSTRAINT {0}_pkc PRIMARY KEY (version))"
    write(tmp_path, {"0001_x.up.sql": "SELECT 1;", "0001_x.down.sql": "SELECT 1;"})
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(made.format("schema_migrations").encode())
    other = {"0002_y.up.sql": made.format("other"), "0002_y.down.sql": "SELECT 1;"}
    assert rehearse(TRY, database, tmp_path).indicators["complete"] is True
    write(tmp_path, other)
    text = rehearse(TRY, database, tmp_path).text
    assert "sequence public.other_id_seq is still there" in text
    assert "index public.other_pkc is still there" in text


def test_nothing_pending_proves_nothing(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    do(Migrate(unproved="x"), database, tmp_path)
    assert rehearse(TRY, database, tmp_path).indicators["complete"] is None


def test_the_schema_alone_is_enough_where_people_are_connected(
    database: str, tmp_path: Path, postgres: Postgres
) -> None:
    write(tmp_path, {name: TWO[name] for name in TWO if name.startswith("0001")})
    do(Migrate(unproved="x"), database, tmp_path)
    write(tmp_path, TWO)
    with psycopg.connect(database):
        with pytest.raises(WorkError, match="being accessed by other users"):
            rehearse(TRY, database, tmp_path)
        seen = rehearse(Rehearsal(tools=str(postgres.bin)), database, tmp_path)
    assert (seen.indicators["complete"], seen.indicators["migrations"]) == (True, 1)
    assert seen.indicators["copied"] == "its schema, without data"
    assert versions(database) == ["0001"]


ADDRESSES = {
    "postgresql://u:p@h:5432/shop?sslmode=require": "postgresql://u:p@h:5432/x?sslmode=require",
    "postgresql:///shop?host=/run/pg": "postgresql:///x?host=/run/pg",
    "host=h dbname=shop": "dbname=x host=h",
}


@pytest.mark.parametrize(("address", "wanted"), ADDRESSES.items(), ids=list(ADDRESSES))
def test_the_copy_has_an_address_of_the_same_form(address: str, wanted: str) -> None:
    assert beside(address, "x") == wanted


def test_a_backup_that_is_named_and_not_there_is_an_error(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    with pytest.raises(WorkError, match="made no backup of this database"):
        rehearse(replace(TRY, copy="backup"), database, tmp_path)
    assert records.read(tmp_path / "run", records.BACKUPS) == ()


def test_a_copy_that_a_kill_left_is_dropped_by_the_next(database: str, tmp_path: Path) -> None:
    write(tmp_path, TWO)
    with psycopg.connect(database, autocommit=True) as connection:
        for name in ("left", "used", "foreign"):
            connection.execute(f"CREATE DATABASE {PREFIX}{name}".encode())
        for name in ("left", "used"):
            connection.execute(f"COMMENT ON DATABASE {PREFIX}{name} IS '{MARK}'".encode())
    try:
        with psycopg.connect(database, dbname=f"{PREFIX}used"):
            TRY.perform(context(database, tmp_path))
            there = {row[0] for row in rows(database, COPIES)}
        assert there == {f"{PREFIX}used", f"{PREFIX}foreign"}
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            for name in ("left", "used", "foreign"):
                connection.execute(f"DROP DATABASE IF EXISTS {PREFIX}{name} WITH (FORCE)".encode())
