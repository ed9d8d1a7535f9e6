"""The room on the disk of a server: known when it runs here, and said when it is not known."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.backups import Shop, fill
from tests.support.kinds import a_context

from gonogo import records
from gonogo.databases import room
from gonogo.databases.content import Choice
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.units import Quantity
from gonogo.services import Postgres


def at(url: str, folder: Path) -> Server:
    context = a_context(folder, targets={"db": url})
    return Server("db", context, Deadline(context))


def test_a_server_of_this_machine_is_looked_at(database: str, tmp_path: Path) -> None:
    with at(database, tmp_path) as server:
        seen = room.look(server)
        assert seen.free is not None
        (folder,) = server.ask("SHOW data_directory")
        there = os.statvfs(folder[0])
        assert (
            abs(seen.free - there.f_bavail * there.f_frsize) < there.f_blocks * there.f_frsize / 4
        )
        assert seen.where == folder[0]


def test_a_user_without_rights_is_not_in_the_way(database: str, tmp_path: Path) -> None:
    fill(database, "DROP ROLE IF EXISTS small; CREATE ROLE small LOGIN")
    with at(database.replace("postgres@", "small@"), tmp_path) as server:
        seen = room.look(server)
    assert (seen.free is None) is (os.geteuid() != 0)
    assert (seen.why == "") is (os.geteuid() == 0)


def test_a_process_of_the_same_number_that_is_another_one_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, database: str, tmp_path: Path
) -> None:
    """The server of a container tells a number that means another process here."""
    question = f"SELECT {os.getpid()}, 5432, '/'"
    monkeypatch.setattr(room, "_PROCESS", question)
    with at(database, tmp_path) as server:
        seen = room.look(server)
    assert seen.free is None
    assert "another machine" in seen.why


def test_sizes(database: str, tmp_path: Path) -> None:
    fill(database)
    with at(database, tmp_path) as server:
        whole = room.size(server, Choice())
        part = room.size(server, Choice(tables=("public.users",)))
        both = room.size(server, Choice(schemas=("public",)))
        assert 0 < part < both < whole
        assert room.is_spread(server) is False


def test_tables_on_other_disks_are_seen(tmp_path: Path) -> None:
    with Postgres.start() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            connection.execute("CREATE TABLESPACE far LOCATION ''")
        url = server.create_database("shop")
        fill(url, "CREATE TABLE t (a int) TABLESPACE far")
        with at(url, tmp_path) as there:
            assert room.is_spread(there) is True


@pytest.fixture
def small() -> Iterator[Path]:
    """Give a disk of its own, of 400 MB, that the user of the server reaches."""
    with tempfile.TemporaryDirectory() as name:
        disk = Path(name)
        disk.chmod(0o755)
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "none", name],
            capture_output=True,
            check=False,
        )
        if mount.returncode != 0:
            pytest.skip(f"this machine mounts no tmpfs: {mount.stderr.decode().strip()}")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_server_without_room_is_refused_with_both_sizes(small: Path, tmp_path: Path) -> None:
    with Postgres.start(small / "data") as server:
        url = server.create_database("shop")
        fill(url, "CREATE TABLE big AS SELECT repeat('x', 900) a FROM generate_series(1, 40000)")
        shop = Shop(server, url, tmp_path)
        shop.back_up()
        good = shop.test_restore()
        assert good.indicators["problem"] == "none"
        free = good.indicators["server free"]
        assert isinstance(free, Quantity)
        assert "needed" in good.text
        filler = small / "filler"
        left = os.statvfs(small)
        filler.write_bytes(b"x" * (left.f_bavail * left.f_frsize - 20 * 1024 * 1024))
        with pytest.raises(WorkError, match=r"has .* MiB free at .*, expected at least") as caught:
            shop.test_restore()
        assert "the size of `shop` when it was dumped" in caught.value.message
        assert "source:" in caught.value.hint
        (shop.folder / "backups" / "a.dump.json").unlink()
        with pytest.raises(WorkError, match="the size of `shop` now"):
            shop.test_restore(backup="backups/a.dump")
        assert shop.scratch() == set()
        last = records.read(shop.folder / "run", records.RESTORE_TESTS)[-1]
        assert last["passed"] is False
        filler.unlink()


def test_what_is_not_known_stands_in_the_evidence(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(room, "_PROCESS", f"SELECT {os.getpid()}, 5432, NULL")
    fill(database, "CREATE TABLE t (a int)")
    shop = Shop(postgres, database, tmp_path)
    shop.back_up()
    seen = shop.test_restore()
    assert seen.indicators["server free"] is None
    assert seen.indicators["problem"] == "none"
    assert "room on the server's disk: not known, the server runs on another machine" in seen.text


def test_a_part_without_its_size_says_so(postgres: Postgres, database: str, tmp_path: Path) -> None:
    from gonogo.actions.backup import manifest

    fill(database)
    shop = Shop(postgres, database, tmp_path)
    shop.back_up(tables=("users",))
    path = tmp_path / "backups" / "a.dump.json"
    known = manifest.load(path)
    assert known is not None
    assert 0 < known["room"] < 1024 * 1024
    manifest.put(path, {k: v for k, v in known.items() if k != "room"})
    assert "not known, it is a part of the database" in shop.test_restore().text
