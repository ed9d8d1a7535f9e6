"""Restore tests of SQL text against a real PostgreSQL: read by psql, compared, nothing left."""

from __future__ import annotations

import dataclasses
import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.backups import Shop, databases, fill
from tests.support.kinds import StopAfter

from gonogo import records
from gonogo.actions.backup import CheckBackup, CheckRestore
from gonogo.errors import WorkError
from gonogo.plan.kinds import Effect, Observation
from gonogo.services import Postgres

SLOW = b"SELECT pg_sleep(60);\n"


@pytest.fixture
def shop(postgres: Postgres, database: str, tmp_path: Path) -> Shop:
    fill(database)
    fill(
        database,
        r"INSERT INTO documents (owner, body) VALUES (1, E'\\.\n\\connect x\n\\.'), (2, E'\\N');"
        "CREATE FUNCTION tricky() RETURNS text LANGUAGE plpgsql AS $b$\nBEGIN\n"
        "  RETURN 'a;\n\\connect postgres\n';\nEND\n$b$",
    )
    return Shop(postgres, database, tmp_path)


def dumped(shop: Shop, *options: str, name: str = "pg_dump") -> bytes:
    program = [str(shop.server.bin / name), *options]
    place = [shop.url] if name == "pg_dump" else ["--dbname", shop.url]
    return subprocess.run([*program, *place], capture_output=True, check=True).stdout


def proved(shop: Shop, text: bytes, name: str = "x.sql") -> Observation:
    """Return what the test of a text says; whatever that is, nothing may be left of it."""
    before = databases(shop.server)
    (shop.folder / name).write_bytes(text)
    try:
        return shop.test_restore(backup=name)
    finally:
        assert databases(shop.server) == before


def recorded(shop: Shop) -> bool:
    last: bool = records.read(shop.folder / "run", records.RESTORE_TESTS)[-1]["passed"]
    return last


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip"])
@pytest.mark.parametrize("options", [(), ("--inserts",), ("--clean", "--if-exists")], ids=str)
def test_a_good_text_is_proved(shop: Shop, options: tuple[str, ...], packed: bool) -> None:
    text = dumped(shop, *options)
    seen = proved(shop, gzip.compress(text) if packed else text, "x.sql.gz" if packed else "x.sql")
    found = seen.indicators
    assert (found["problem"], found["restored"], found["against"]) == ("none", True, "live")
    assert (found["tables"], found["rows"]) == (4, 554)
    assert recorded(shop) is True


def test_owners_and_rights_of_another_server_do_no_harm(shop: Shop) -> None:
    text = dumped(shop).replace(b"OWNER TO postgres", b"OWNER TO nobody_here")
    text = text.replace(b"CREATE VIEW", b"GRANT ALL ON app.settings TO nobody_here;\nCREATE VIEW")
    seen = proved(shop, text)
    assert seen.indicators["problem"] == "none"
    assert "statements on owners, rights and subscriptions were left out" in seen.text


LOSSES = {
    "a table": (b"CREATE TABLE app.settings", b"CREATE TABLE app.other", "does not exist"),
    "its rows": (b"COPY public.users", b"COPY public.nobody", "does not exist"),
    "an index": (b"CREATE INDEX documents_owner", b"-- ", "index `public.documents_owner on"),
    "a view": (b"CREATE VIEW public.busy", b"CREATE VIEW public.lazy", "view `public.busy`"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_not_in_the_text_is_found(shop: Shop, name: str) -> None:
    there, instead, words = LOSSES[name]
    text = dumped(shop, "--no-owner")
    assert there in text
    seen = proved(shop, text.replace(there, instead, 1)).indicators
    assert words in str(seen["problem"])
    assert recorded(shop) is False


def test_the_first_error_ends_it_and_is_told_with_its_line(shop: Shop) -> None:
    text = dumped(shop).replace(b"CREATE VIEW", b"SELECT nonsense;\nCREATE VIEW", 1)
    line = text[: text.index(b"SELECT nonsense")].count(b"\n") + 1
    seen = proved(shop, text).indicators
    assert seen["restored"] is False
    assert 'column "nonsense" does not exist' in str(seen["problem"])
    assert f"line {line}" in str(seen["problem"])


def test_a_text_that_leaves_the_database_is_refused(shop: Shop) -> None:
    for text in (dumped(shop, "--create"), dumped(shop, "--create", "--clean")):
        problem = str(proved(shop, text).indicators["problem"])
        assert "it changes more than the database it is read into" in problem
        assert "without `--create`" in problem
    text = b"CREATE TABLE public.t (a int);\n\\connect postgres\nCREATE TABLE public.x ();\n"
    problem = str(proved(shop, b"-- PostgreSQL database dump\n" + text).indicators["problem"])
    assert "it connects to a database by itself (`\\connect postgres`)" in problem


@pytest.fixture
def earlier(shop: Shop) -> Iterator[str]:
    """The name of an empty database that a dump of the whole server begins with."""
    yield shop.server.create_database("a_first_one")
    shop.server.drop_database("a_first_one")


@pytest.mark.usefixtures("earlier")
def test_a_dump_of_the_whole_server_is_refused_but_can_be_read(shop: Shop) -> None:
    text = dumped(shop, "--no-role-passwords", name="pg_dumpall")
    problem = str(proved(shop, text, "all.sql").indicators["problem"])
    assert "pg_dumpall" in problem
    look = CheckBackup(path="all.sql")
    assert look.perform(shop.context(Effect.CHECK)).indicators["problem"] == "none"
    (shop.folder / "all.sql").write_bytes(text[: text.rindex(b"cluster")])
    assert look.perform(shop.context(Effect.CHECK)).indicators["complete"] is False


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip"])
def test_a_text_that_is_cut_off_fails_the_test(shop: Shop, packed: bool) -> None:
    text = dumped(shop)
    whole = gzip.compress(text) if packed else text[: text.index(b"-- PostgreSQL database dump c")]
    for size in (len(whole) // 2, len(whole) - 1):
        seen = proved(shop, whole[:size], "x.sql.gz" if packed else "x.sql").indicators
        assert seen["restored"] is False
        assert "cut off" in str(seen["problem"])


def test_nothing_is_left_when_time_is_over_or_somebody_stops_it(shop: Shop) -> None:
    (shop.folder / "x.sql").write_bytes(dumped(shop).replace(b"CREATE VIEW", SLOW + b"CREATE VIEW"))
    work = CheckRestore(on="db", backup="x.sql")
    before = databases(shop.server)
    with pytest.raises(WorkError, match="did not end within"):
        work.perform(shop.context(Effect.CHECK, timeout_s=3.0))
    with pytest.raises(WorkError, match="stopped"):
        work.perform(shop.context(Effect.CHECK, should_stop=StopAfter(60)))
    assert databases(shop.server) == before
    assert recorded(shop) is False


def test_psql_that_cannot_be_found_is_told(shop: Shop) -> None:
    (shop.folder / "empty").mkdir()
    (shop.folder / "x.sql").write_bytes(dumped(shop))
    with pytest.raises(WorkError, match="`psql` was not found in `empty`"):
        shop.test_restore(backup="x.sql", tools="empty")


def test_settings_of_the_person_do_not_count(shop: Shop) -> None:
    """Somebody's own .psqlrc may not change what the dump does."""
    (shop.folder / ".psqlrc").write_text("\\set ON_ERROR_STOP off\n\\! touch was-read\n")
    context = shop.context(Effect.CHECK)
    (shop.folder / "x.sql").write_bytes(dumped(shop).replace(b"CREATE VIEW", b"SELECT n;\n", 1))
    variables = {**context.variables, "HOME": str(shop.folder), "PGDATABASE": "nowhere"}
    work = CheckRestore(on="db", backup="x.sql")
    seen = work.perform(dataclasses.replace(context, variables=variables))
    assert seen.indicators["restored"] is False
    assert not (shop.folder / "was-read").exists()
