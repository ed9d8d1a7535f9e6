"""Restore tests against a real PostgreSQL: proved by content, no loss missed, no false alarm."""

from __future__ import annotations

import os
import shutil
import threading

import psycopg
import pytest
from tests.actions.backing_up import recorded
from tests.support.backups import Shop, ask, databases, fill

from gonogo import records
from gonogo.actions.backup import Backup
from gonogo.errors import WorkError


def test_a_good_backup_is_proved_and_nothing_is_left(shop: Shop) -> None:
    before = databases(shop.server)
    shop.back_up()
    seen = shop.test_restore(compare=("documents", "app.settings")).indicators
    assert (seen["problem"], seen["restored"], seen["differences"]) == ("none", True, 0)
    assert (seen["tables"], seen["rows"], seen["against"]) == (4, 552, "snapshot")
    assert seen["fingerprints"] == 4
    assert databases(shop.server) == before
    assert recorded(shop) == [(True, "")]
    record = records.last(
        shop.folder / "run", records.RESTORE_TESTS, ask(shop.url, records.IDENTITY_SQL)
    )
    assert record is not None
    assert record["backup"] == str(shop.folder / "backups" / "a.dump")


def test_rows_written_since_the_dump_make_no_false_alarm(shop: Shop) -> None:
    shop.back_up()
    fill(
        shop.url,
        "INSERT INTO users (name) SELECT 'later' || n FROM generate_series(1, 9) n;"
        "UPDATE documents SET body = 'changed'; SELECT nextval('tickets'); CREATE TABLE later ()",
    )
    assert shop.test_restore().indicators["problem"] == "none"


def test_rows_written_while_it_is_dumped_make_no_false_alarm(shop: Shop) -> None:
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(shop.url, autocommit=True) as connection:
            while not over.is_set():
                connection.execute("INSERT INTO documents (owner, body) VALUES (1, 'meanwhile')")
                connection.execute("SELECT nextval('tickets')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            shop.back_up(f"backups/{number}.dump")
            assert shop.test_restore().indicators["problem"] == "none"
    finally:
        over.set()
        writer.join()


@pytest.fixture
def large(shop: Shop) -> Shop:
    """A shop with three tables that are counted over connections of their own."""
    for name in ("first", "second", "third"):
        fill(
            shop.url,
            f"CREATE TABLE {name} AS SELECT n AS id, repeat('x', 800) AS a"
            " FROM generate_series(1, 22000) n",
        )
    return shop


def test_large_tables_are_counted_side_by_side_in_one_state(large: Shop) -> None:
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(large.url, autocommit=True) as connection:
            while not over.is_set():
                for name in ("first", "second", "third"):
                    connection.execute(f"INSERT INTO {name} VALUES (0, 'meanwhile')".encode())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = large.back_up("backups/big/", jobs=3, compare=("second",)).indicators
    finally:
        over.set()
        writer.join()
    rows = [made["rows"], ask(large.url, "SELECT count(*) FROM first") * 3 + sum((50, 500, 1, 1))]
    assert rows[0] < rows[1], "what was written after the snapshot is in none of them"
    seen = large.test_restore().indicators
    assert (seen["problem"], seen["rows"]) == ("none", rows[0])


def test_one_count_that_fails_ends_the_others(large: Shop) -> None:
    fill(large.url, "DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN")
    fill(large.url, "GRANT SELECT ON ALL TABLES IN SCHEMA public, app TO poor")
    fill(large.url, "GRANT USAGE ON SCHEMA app TO poor; REVOKE SELECT ON second FROM poor")
    large.targets["db"] = large.url.replace("postgres@", "poor@")
    try:
        with pytest.raises(WorkError, match="permission denied"):
            large.back_up("backups/big/", jobs=3)
        assert not (large.folder / "backups" / "big").exists()
    finally:
        fill(large.url, "DROP OWNED BY poor")


def test_a_folder_is_proved_like_a_file(shop: Shop) -> None:
    shop.back_up("backups/big/", jobs=2)
    assert shop.test_restore().indicators["problem"] == "none"


def test_a_database_with_another_locale_is_restored_in_that_locale(shop: Shop) -> None:
    fill(
        shop.server.url(),
        "CREATE DATABASE other TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc"
        " LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    try:
        url = shop.server.url("other")
        fill(url, "CREATE TABLE t (a text); INSERT INTO t VALUES (E'\\xff')")
        found = Shop(shop.server, url, shop.folder)
        found.back_up()
        assert found.test_restore().indicators["problem"] == "none"
    finally:
        shop.server.drop_database("other")


def test_a_truncated_backup_fails_the_test_and_is_recorded(shop: Shop) -> None:
    shop.back_up()
    path = shop.folder / "backups" / "a.dump"
    os.truncate(path, path.stat().st_size // 2)
    seen = shop.test_restore().indicators
    assert seen["restored"] is False
    assert "cut off" in str(seen["problem"])
    assert recorded(shop)[-1][0] is False
    path.with_name("a.dump.json").unlink()
    seen = shop.test_restore(backup="backups/*.dump").indicators
    assert seen["restored"] is False
    assert seen["differences"] is None
    assert recorded(shop)[-1][0] is False
    assert shop.scratch() == set()


def test_nothing_of_a_changed_backup_is_carried_out(shop: Shop) -> None:
    """Its checksum is taken while the scratch database is made, and known before the restore."""
    shop.back_up()
    path = shop.folder / "backups" / "a.dump"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    tools = shop.folder / "watched"
    tools.mkdir()
    (tools / "pg_restore").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_restore (PostgreSQL) 99.1" || touch was-run\n'
    )
    (tools / "pg_restore").chmod(0o755)
    seen = shop.test_restore(tools="watched").indicators
    assert seen["restored"] is False
    assert "its checksum is not that of its manifest" in str(seen["problem"])
    assert not (shop.folder / "was-run").exists()
    assert shop.scratch() == set()
    assert recorded(shop)[-1][0] is False


def _tampered(shop: Shop, statement: str) -> None:
    """Put the dump of a changed copy in the place of the backup, as a silent loss would."""
    from gonogo.actions.backup import manifest

    known = manifest.load(shop.folder / "backups" / "a.dump.json")
    assert known is not None
    fill(shop.url, statement)
    Backup(on="db", to="backups/b.dump").perform(shop.context())
    shutil.move(shop.folder / "backups" / "b.dump", shop.folder / "backups" / "a.dump")
    path = shop.folder / "backups" / "a.dump"
    known |= {"size": path.stat().st_size, "sha256": manifest.checksum(path, lambda _: None)}
    manifest.put(shop.folder / "backups" / "a.dump.json", known)


LOSSES = {
    "a row": (
        "DELETE FROM documents WHERE id = 7",
        "`public.documents` has 499 rows, expected 500",
    ),
    "a value": (
        "UPDATE documents SET score = score + 1e-9 WHERE id = 7",
        "`public.documents` has the same number of rows with other content",
    ),
    "a table": ("DROP TABLE app.settings", "table `app.settings` is missing"),
    "an index": ("DROP INDEX documents_owner", "index `public.documents_owner on"),
    "a constraint": (
        "ALTER TABLE documents DROP CONSTRAINT documents_owner_fkey",
        "constraint `documents_owner_fkey on public.documents` is missing",
    ),
    "a sequence behind": ("SELECT setval('tickets', 2)", "stands at 2, expected at least 40"),
    "an extension": ("DROP EXTENSION pg_trgm", "extension `pg_trgm` is missing"),
    "a view": ("DROP VIEW busy", "view `public.busy` is missing"),
    "a function": ("DROP FUNCTION twice", "0 functions, expected 1"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_not_there_any_more_is_found(shop: Shop, name: str) -> None:
    statement, words = LOSSES[name]
    shop.back_up()
    _tampered(shop, statement)
    seen = shop.test_restore(backup="backups/a.dump").indicators
    assert words in str(seen["problem"])
    assert seen["differences"]
    assert recorded(shop)[-1][0] is False


def test_a_backup_of_strangers_is_compared_with_the_live_database(shop: Shop) -> None:
    shop.back_up()
    (shop.folder / "backups" / "a.dump.json").unlink()
    fill(shop.url, "INSERT INTO users (name) VALUES ('later')")
    seen = shop.test_restore(backup="backups/a.dump").indicators
    assert (seen["problem"], seen["against"]) == ("none", "live")
    fill(shop.url, "CREATE TABLE since (a int)")
    seen = shop.test_restore(backup="backups/a.dump").indicators
    assert "table `public.since` is missing" in str(seen["problem"])


def test_content_that_cannot_be_compared_is_an_error(shop: Shop) -> None:
    shop.back_up()
    (shop.folder / "backups" / "a.dump.json").unlink()
    with pytest.raises(WorkError, match="no manifest"):
        shop.test_restore(backup="backups/a.dump", compare=("users",))
    assert recorded(shop)[-1][0] is False


def test_without_a_backup_of_this_run_nothing_is_proved(shop: Shop) -> None:
    with pytest.raises(WorkError, match="has made no backup"):
        shop.test_restore()
    assert recorded(shop) == [(False, "this run has made no backup of this database")]


def test_a_backup_of_this_run_that_was_replaced_is_told(shop: Shop) -> None:
    shop.back_up()
    other = Shop(shop.server, shop.url, shop.folder / "elsewhere")
    fill(shop.url, "INSERT INTO users (name) VALUES ('later')")
    other.back_up()
    for name in ("a.dump", "a.dump.json"):
        shutil.copy(other.folder / "backups" / name, shop.folder / "backups" / name)
    with pytest.raises(WorkError, match="is not the backup that this run has made"):
        shop.test_restore()
    (shop.folder / "backups" / "a.dump").unlink()
    with pytest.raises(WorkError, match="the backup of this run is gone"):
        shop.restore(replace=True)
