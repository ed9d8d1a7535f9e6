"""Restores against a real PostgreSQL: all of it comes back, and what was there is kept first."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from tests.support.backups import Shop, ask, databases, fill, name_of

from gonogo import records
from gonogo.actions.backup import CheckRestore, Restore
from gonogo.errors import Severity, WorkError
from gonogo.services import Postgres


def test_an_empty_database_is_restored(shop: Shop) -> None:
    shop.back_up()
    name = f"{name_of(shop.url)}_fresh"
    shop.targets["fresh"] = shop.server.create_database(name)
    try:
        seen = Restore(on="fresh", backup="backups/a.dump").perform(shop.context()).indicators
        assert (seen["restored"], seen["way"], seen["kept"]) == (True, "empty", None)
        assert ask(shop.targets["fresh"], "SELECT count(*) FROM documents") == 500
    finally:
        shop.server.drop_database(name)


def test_a_database_with_content_is_refused(shop: Shop) -> None:
    shop.back_up()
    with pytest.raises(WorkError, match="is not empty") as caught:
        shop.restore()
    assert "replace: yes" in caught.value.hint
    assert Restore(on="db", backup="this run").destroys() == ()
    (loss,) = Restore(on="db", backup="this run", replace=True).destroys()
    assert loss.target == "db"


@pytest.fixture
def broken(shop: Shop) -> Shop:
    """A shop whose release went wrong behind its backup."""
    shop.back_up()
    fill(
        shop.url,
        "ALTER TABLE documents DROP COLUMN body; DELETE FROM users WHERE id > 40 AND id NOT IN"
        " (SELECT owner FROM documents); INSERT INTO app.settings VALUES ('new', '1');"
        "CREATE TABLE newer (a int); INSERT INTO newer VALUES (1)",
    )
    return shop


def test_a_swap_brings_back_all_of_it_and_keeps_what_was_there(broken: Shop) -> None:
    name = name_of(broken.url)
    fill(
        broken.url,
        f"ALTER DATABASE {name} SET search_path TO app, public;"
        f"ALTER DATABASE {name} SET work_mem TO '5MB';"
        f"DROP ROLE IF EXISTS guest; CREATE ROLE guest; GRANT CONNECT ON DATABASE {name} TO guest;"
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; COMMENT ON DATABASE {name} IS 'ours'",
    )
    question = (
        "SELECT array[(SELECT string_agg(a, ' ' ORDER BY a) FROM unnest(datacl::text[]) a),"
        " shobj_description(d.oid, 'pg_database'), (SELECT string_agg(setconfig::text, ',')"
        " FROM pg_db_role_setting WHERE setdatabase = d.oid)]"
        " FROM pg_database d WHERE datname = current_database()"
    )
    before = ask(broken.url, question)
    with psycopg.connect(broken.url):  # somebody is connected
        seen = broken.restore(replace=True).indicators
    kept = str(seen["kept"]).removeprefix("database ")
    try:
        assert (seen["way"], seen["tables"]) == ("swap", 4)
        assert ask(broken.url, "SELECT count(body) FROM documents") == 500
        assert ask(broken.url, "SELECT to_regclass('public.newer')") is None
        assert ask(broken.server.url(kept), "SELECT count(*) FROM newer") == 1
        assert ask(broken.url, question) == before
        assert not {n for n in databases(broken.server) if "_new_" in n}
    finally:
        broken.server.drop_database(kept)


def test_in_place_dumps_first_and_is_one_transaction(broken: Shop) -> None:
    seen = broken.restore(replace=True, way="in place")
    assert seen.indicators["way"] == "in place"
    assert ask(broken.url, "SELECT count(body) FROM documents") == 500
    assert Path(str(seen.indicators["kept"])).exists()
    assert "newer" in seen.text
    (made,) = records.read(broken.folder / "run", records.BACKUPS)
    assert made["backup"].endswith("a.dump"), "the dump before is not the backup of this run"
    fill(broken.url, "ALTER TABLE newer ADD COLUMN d bigint REFERENCES documents (id)")
    with pytest.raises(WorkError, match="cannot drop constraint"):
        broken.restore(replace=True, way="in place")
    assert ask(broken.url, "SELECT count(body) FROM documents") == 500


def test_a_user_with_few_rights_restores_in_place(postgres: Postgres, tmp_path: Path) -> None:
    fill(postgres.url(), "CREATE ROLE app LOGIN")
    fill(postgres.url(), "CREATE DATABASE few OWNER app")
    try:
        url = postgres.url("few", "app")
        fill(url, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        shop = Shop(postgres, url, tmp_path)
        shop.back_up()
        fill(url, "DELETE FROM t")
        with pytest.raises(WorkError, match="may not exchange databases"):
            shop.restore(replace=True, way="swap")
        assert shop.restore(replace=True).indicators["way"] == "in place"
        assert ask(url, "SELECT count(*) FROM t") == 2
    finally:
        postgres.drop_database("few")
        fill(postgres.url(), "DROP ROLE app")


def test_a_damaged_backup_never_replaces_anything(broken: Shop) -> None:
    path = broken.folder / "backups" / "a.dump"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(WorkError, match="cut off or was changed"):
        broken.restore(replace=True)
    path.with_name("a.dump.json").unlink()
    with pytest.raises(WorkError, match="cannot be restored: its list of contents"):
        broken.restore("backups/a.dump", replace=True)
    assert ask(broken.url, "SELECT count(*) FROM newer") == 1
    assert broken.scratch() == set()


def test_the_backup_of_another_database_is_refused(broken: Shop) -> None:
    broken.targets["other"] = broken.server.create_database("another_one")
    try:
        fill(broken.targets["other"], "CREATE TABLE t (a int)")
        with pytest.raises(WorkError, match="is of database `test_"):
            Restore(on="other", backup="backups/a.dump", replace=True).perform(broken.context())
    finally:
        broken.server.drop_database("another_one")


@pytest.mark.parametrize("work", [CheckRestore(), Restore(), Restore(on="db")], ids=repr)
def test_what_is_missing_is_seen_before_the_run(work: Restore | CheckRestore) -> None:
    codes = {d.code for d in work.review() if d.severity is Severity.ERROR}
    assert codes <= {"GN522", "GN523"}
    assert codes
