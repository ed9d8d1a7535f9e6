"""What may not happen: a stranger's backup over live data, a part of one as the way back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.backups import Shop, ask, databases, fill, name_of

from gonogo import records
from gonogo.actions.backup import Backup, CheckBackup, Restore
from gonogo.actions.migrate import Migrate
from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Effect

OTHER = "billing"


@pytest.fixture
def billing(shop: Shop) -> Iterator[Shop]:
    """The shop, and beside it another database with a dump of it that somebody else has made."""
    url = shop.server.create_database(OTHER)
    try:
        fill(url, "CREATE TABLE invoices AS SELECT n AS id FROM generate_series(1, 7) n")
        (shop.folder / "bad").mkdir()
        foreign(shop, "bad/other.dump", url, "-Fc")
        shop.targets[OTHER] = url
        yield shop
    finally:
        shop.server.drop_database(OTHER)


def foreign(shop: Shop, name: str, url: str, *options: str) -> Path:
    """Make a dump as somebody else's job would: with pg_dump alone, and no manifest."""
    path = shop.folder / name
    program = [str(shop.server.bin / "pg_dump"), *options, f"--file={path}", url]
    subprocess.run(program, check=True)
    return path


@pytest.mark.parametrize("way", ["auto", "swap", "in place"])
@pytest.mark.parametrize("known", [False, True], ids=["no manifest", "manifest"])
def test_a_dump_of_another_database_replaces_nothing(billing: Shop, way: str, known: bool) -> None:
    path = "bad/other.dump"
    if known:
        path = "bad/own.dump"
        Backup(on=OTHER, to=path).perform(billing.context())
    before = databases(billing.server)
    with pytest.raises(WorkError, match=f"is of database `{OTHER}`, expected `test_") as caught:
        billing.restore(path, replace=True, way=way)
    assert "source:" in caught.value.hint
    assert ask(billing.url, "SELECT count(*) FROM documents") == 500
    assert databases(billing.server) == before


def test_a_dump_of_another_database_comes_where_its_name_is_said(billing: Shop) -> None:
    with pytest.raises(WorkError, match="expected `test_"):
        billing.restore("bad/other.dump", replace=True, way="in place", source="db")
    seen = billing.restore("bad/other.dump", replace=True, source=OTHER).indicators
    try:
        assert seen["restored"] is True
        assert ask(billing.url, "SELECT count(*) FROM invoices") == 7
    finally:
        billing.server.drop_database(str(seen["kept"]).removeprefix("database "))


def test_what_is_typed_for_says_which_backup_and_which_database(shop: Shop) -> None:
    shop.back_up()
    work = Restore(on="db", backup="backups/*.dump", replace=True)
    told = work.at_stake(shop.context())
    name = name_of(shop.url)
    assert f"`{shop.folder / 'backups' / 'a.dump'}`" in told
    assert f"of database `{name}`" in told.splitlines()[0]
    assert " old" in told.splitlines()[0]
    assert f"database `{name}` at `127.0.0.1:" in told.splitlines()[1]


def test_nobody_is_asked_for_what_would_be_refused(billing: Shop) -> None:
    work = Restore(on="db", backup="bad/other.dump", replace=True)
    with pytest.raises(WorkError, match=f"is of database `{OTHER}`"):
        work.at_stake(billing.context())


def test_what_was_confirmed_is_restored_and_no_newer_one(shop: Shop) -> None:
    shop.back_up("backups/1.dump")
    work = Restore(on="db", backup="backups/*.dump", replace=True, way="in place")
    assert "1.dump" in work.at_stake(shop.context())
    fill(shop.url, "DELETE FROM logs")
    shop.back_up("backups/2.dump")
    seen = work.perform(shop.context()).indicators
    assert str(seen["backup"]).endswith("1.dump")
    assert ask(shop.url, "SELECT count(*) FROM logs") == 1


def test_a_server_that_cannot_be_reached_is_told_beside_the_question(shop: Shop) -> None:
    shop.back_up()
    shop.targets["db"] = shop.url.replace(f":{shop.server.port}/", ":1/")
    told = Restore(on="db", backup="backups/a.dump", replace=True).at_stake(shop.context())
    assert "a.dump" in told
    assert "connection refused" in told


def migrations(shop: Shop) -> Migrate:
    folder = shop.folder / "migrations"
    folder.mkdir()
    (folder / "0001_a.up.sql").write_text("CREATE TABLE later (a int);")
    (folder / "0001_a.down.sql").write_text("DROP TABLE later;")
    return Migrate(on="db")


@pytest.mark.parametrize("part", [{"tables": ("users",)}, {"schemas": ("app",)}], ids=str)
def test_no_migration_starts_behind_a_part_of_a_backup(
    shop: Shop, part: dict[str, tuple[str, ...]]
) -> None:
    work = migrations(shop)
    shop.back_up(**part)
    seen = shop.test_restore()
    assert seen.indicators["problem"] == "none"
    assert "chosen tables or schemas only" in seen.text
    assert records.read(shop.folder / "run", records.RESTORE_TESTS)[-1]["complete"] is False
    with pytest.raises(WorkError, match="holds chosen tables or schemas only"):
        work.perform(shop.context())
    assert ask(shop.url, "SELECT to_regclass('later')") is None
    shop.back_up("backups/all.dump")
    shop.test_restore()
    shop.back_up("backups/part.dump", **part)
    shop.test_restore()  # what all of it has proved, a part does not take away
    assert work.perform(shop.context()).indicators["applied count"] == 1


def test_a_failed_test_of_a_part_stops_a_migration_all_the_same(shop: Shop) -> None:
    work = migrations(shop)
    shop.back_up("backups/all.dump")
    shop.test_restore()
    shop.back_up("backups/part.dump", tables=("users",))
    os.truncate(shop.folder / "backups" / "part.dump", 700)
    shop.test_restore()
    with pytest.raises(WorkError, match="the restore test of this database failed"):
        work.perform(shop.context())


def test_an_archive_in_tar_is_proved_and_restored(shop: Shop) -> None:
    path = foreign(shop, "x.tar", shop.url, "-Ft")
    look = CheckBackup(path="x.tar", on="db").perform(shop.context(Effect.CHECK))
    assert look.indicators["problem"] == "none"
    assert shop.test_restore(backup="x.tar").indicators["problem"] == "none"
    seen = shop.restore(str(path), replace=True).indicators
    assert seen["way"] == "swap"
    shop.server.drop_database(str(seen["kept"]).removeprefix("database "))


def test_an_archive_that_was_written_into_a_pipe_is_proved(shop: Shop) -> None:
    program = [str(shop.server.bin / "pg_dump"), "-Fc", shop.url]
    (shop.folder / "x.dump").write_bytes(
        subprocess.run(program, check=True, capture_output=True).stdout
    )
    assert shop.test_restore(backup="x.dump").indicators["problem"] == "none"


UNREADABLE = {
    "openssl": (b"Salted__" + os.urandom(500), "it is encrypted (OpenSSL)"),
    "age": (b"age-encryption.org/v1\n" + os.urandom(500), "it is encrypted (age)"),
    "gpg": (b"-----BEGIN PGP MESSAGE-----\n\nabc", "it is encrypted (OpenPGP)"),
    "gpg, binary": (b"\x8c\x0d\x04\x09" + os.urandom(500), "it is encrypted (OpenPGP)"),
    "zstd": (b"\x28\xb5\x2f\xfd" + os.urandom(500), "it is packed (zstd)"),
    "xz": (b"\xfd7zXZ\x00" + os.urandom(500), "it is packed (xz)"),
    "empty": (b"", "it is empty"),
    "other": (b"hello", "it is no backup that is known here"),
    "keys": (b"gonogo keys 1\n" + b"\0" * 40, "it holds the keys of a cache"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_restored_is_said_in_plain_words(shop: Shop, name: str) -> None:
    content, words = UNREADABLE[name]
    (shop.folder / "x").write_bytes(content)
    assert words in str(shop.test_restore(backup="x").indicators["problem"])
    with pytest.raises(WorkError) as caught:
        shop.restore("x", replace=True)
    assert words in caught.value.message
    if name != "keys":
        look = CheckBackup(path="x").perform(shop.context(Effect.CHECK)).indicators
        assert (look["complete"], words in str(look["problem"])) == (False, True)


def test_text_is_proved_but_not_restored_by_us(shop: Shop) -> None:
    foreign(shop, "x.sql", shop.url, "-Fp")
    with pytest.raises(WorkError, match=r"`x.sql` .* SQL text") as caught:
        shop.restore("x.sql", replace=True)
    assert "(plain)" not in caught.value.message
    assert "psql" in caught.value.hint


@pytest.mark.parametrize("ending", [".sql", ".SQL", ".sql.gz", ".tar", ".zip", ".dump.gz"])
def test_a_name_that_promises_another_format_is_refused_before_the_run(ending: str) -> None:
    to = f"backups/shop-{{{{time}}}}{ending}"
    (found,) = Backup(on="db", to=to).review()
    assert (found.code, found.severity) == ("GN562", Severity.ERROR)
    assert f"`{ending.lower()}`" in found.message.lower()
    assert ".dump" in found.hint
    assert Backup(on="db", to=to, format="custom").review() == ()
    assert Backup(path="uploads", to=to).review() == ()
    assert Backup(on="db", to="backups/x.sql/").review() == ()


def modes(folder: Path) -> dict[str, int]:
    found = [path for path in folder.rglob("*") if path.suffix != ".json"]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in found}


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.usefixtures("_open_umask")
def test_nobody_else_reads_a_backup(shop: Shop, valkey: str) -> None:
    (shop.folder / "uploads").mkdir()
    (shop.folder / "uploads" / "a").write_text("a")
    shop.targets["cache"] = valkey
    shop.back_up("backups/a.dump")
    shop.back_up("backups/big/", jobs=2)
    Backup(on="cache", to="backups/c.keys").perform(shop.context())
    Backup(path="uploads", to="backups/u.tar").perform(shop.context())
    seen = modes(shop.folder / "backups")
    assert len(seen) > 8
    assert {mode for name, mode in seen.items() if (name == "big")} == {0o700}
    assert {mode for name, mode in seen.items() if name != "big"} == {0o600}


@pytest.mark.usefixtures("_open_umask")
def test_nobody_else_reads_a_backup_that_is_being_written(shop: Shop) -> None:
    tools = shop.folder / "tools"
    tools.mkdir()
    (tools / "pg_dump").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) 99.1"; exit; }\n'
        'for a in "$@"; do case "$a" in --file=*) f="${a#--file=}";; esac; done\n'
        f'echo half > "$f"; stat -c %a "$f" > {shop.folder}/mode; exit 1\n'
    )
    (tools / "pg_dump").chmod(0o755)
    with pytest.raises(WorkError):
        shop.back_up(tools="tools")
    assert (shop.folder / "mode").read_text() == "600\n"
    assert list((shop.folder / "backups").iterdir()) == []


@pytest.mark.parametrize("options", [("-Fc",), ("-Ft",), ("-Fp", "--create")], ids=str)
def test_a_restore_test_names_the_other_database(billing: Shop, options: tuple[str, ...]) -> None:
    foreign(billing, "x", billing.targets[OTHER], *options)
    problem = billing.test_restore(backup="x").indicators["problem"]
    assert f"it is of another database: `{OTHER}`, expected `{name_of(billing.url)}`" == problem
    seen = billing.test_restore(backup="bad/other.dump", source=OTHER).indicators
    assert seen["problem"] == "none"


def test_a_restore_test_of_a_text_says_what_is_compared(billing: Shop) -> None:
    """A text without `--create` does not say of which database it is."""
    foreign(billing, "x.sql", billing.targets[OTHER], "-Fp")
    problem = str(billing.test_restore(backup="x.sql").indicators["problem"])
    assert "is missing" in problem


def test_a_backup_of_the_same_name_on_another_server_is_told(shop: Shop) -> None:
    shop.back_up()
    note = shop.folder / "backups" / "a.dump.json"
    known = json.loads(note.read_text())
    note.write_text(json.dumps({**known, "database": f"7/{name_of(shop.url)}"}))
    problem = shop.test_restore(backup="backups/a.dump").indicators["problem"]
    assert problem == f"it is of a database `{name_of(shop.url)}` on another server"
    told = Restore(on="db", backup="backups/a.dump", replace=True).at_stake(shop.context())
    assert "it was made on another server" in told
