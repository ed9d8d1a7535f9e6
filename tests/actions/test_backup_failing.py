"""A backup that cannot be made says why, and leaves nothing behind that could be taken for one."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest
from tests.actions.backing_up import files
from tests.support.backups import Shop, ask, fill
from tests.support.kinds import StopAfter, a_context, closed_port

from gonogo import records
from gonogo.actions.backup import Backup, CheckBackup, CheckRestore, Restore
from gonogo.errors import WorkError


def _tool(folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return str(folder)


VERSION = 'case "$1" in --version) echo "pg_dump (PostgreSQL) %s"; exit;; esac'


def test_a_dump_whose_snapshot_went_with_us_begins_anew(shop: Shop) -> None:
    work = Backup(on="db", to="backups/a.dump")
    context = shop.context(timeout_s=3.0)
    tools = _tool(shop.folder / "slow", "pg_dump", f"{VERSION % '99.1'}\nexit 1")
    with pytest.raises(WorkError):
        dataclasses.replace(work, tools=tools).perform(context)
    assert work.perform(dataclasses.replace(context, timeout_s=60.0)).indicators["complete"] is True
    assert sorted(path.name for path in context.folder.glob("round-*")) == ["round-1", "round-2"]


def test_what_cannot_be_reached_is_told_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://u:s3cr3t-of-the-test@127.0.0.1:{closed_port()}/d"
    context = a_context(tmp_path, targets={"db": url}, secrets=("s3cr3t-of-the-test",))
    for work in (
        Backup(on="db", to="x.dump"),
        CheckBackup(path="x.dump", on="db"),
        CheckRestore(on="db"),
        Restore(on="db", backup="x.dump"),
    ):
        with pytest.raises(WorkError, match="connection refused") as caught:
            work.perform(context)
        assert "s3cr3t" not in caught.value.message + caught.value.hint
        assert not caught.value.failed


@pytest.mark.parametrize("on", ["nowhere", "mysql://127.0.0.1/x"])
def test_a_target_that_is_no_database_is_told(tmp_path: Path, on: str) -> None:
    with pytest.raises(WorkError, match=r"no target is named|no address of a PostgreSQL"):
        Backup(on=on, to="x.dump").perform(a_context(tmp_path))
    assert not (tmp_path / "x.dump").exists()


def test_no_pg_dump_is_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkError, match="`pg_dump` was not found") as caught:
        shop.back_up(tools="empty")
    assert "install" in caught.value.hint


def test_a_pg_dump_older_than_the_server_is_told(shop: Shop, tmp_path: Path) -> None:
    tools = _tool(tmp_path / "old", "pg_dump", VERSION % "9.6.24")
    with pytest.raises(WorkError, match=r"`pg_dump` 9\.6\.24 is older than the server"):
        shop.back_up(tools=tools)
    assert files(shop.folder / "backups") == []


def test_no_rights_is_told(shop: Shop) -> None:
    fill(shop.url, "DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN")
    shop.targets["db"] = shop.url.replace("postgres@", "poor@")
    with pytest.raises(WorkError, match="permission denied"):
        shop.back_up()
    assert files(shop.folder / "backups") == []


def test_rows_that_policies_hide_are_an_error_and_no_smaller_backup(shop: Shop) -> None:
    fill(
        shop.url,
        "DROP ROLE IF EXISTS hidden; CREATE ROLE hidden LOGIN;"
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, app TO hidden;"
        "GRANT USAGE ON SCHEMA app TO hidden;"
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
    )
    shop.targets["db"] = shop.url.replace("postgres@", "hidden@")
    with pytest.raises(WorkError, match="row-level security"):
        shop.back_up()
    fill(shop.url, "DROP OWNED BY hidden")


def test_a_dump_ends_when_the_rows_cannot_be_counted(shop: Shop, tmp_path: Path) -> None:
    fill(shop.url, "DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN")
    shop.targets["db"] = shop.url.replace("postgres@", "poor@")
    script = f'{VERSION % "99.1"}\necho half > "${{3#--file=}}"\nexec sleep 600'
    tools = _tool(tmp_path / "slow", "pg_dump", script)
    with pytest.raises(WorkError, match="permission denied"):
        shop.back_up(tools=tools)
    assert files(shop.folder / "backups") == []


def test_the_counting_ends_when_the_dump_has_failed(shop: Shop, tmp_path: Path) -> None:
    script = f'{VERSION % "99.1"}\necho "pg_dump: error: no such thing" >&2\nexit 1'
    tools = _tool(tmp_path / "broken", "pg_dump", script)
    with psycopg.connect(shop.url) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(WorkError, match="no such thing"):
            shop.back_up(tools=tools)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    assert ask(shop.url, f"{waiting} AND datname = current_database()") == 0


def test_a_lost_connection_leaves_nothing(shop: Shop, tmp_path: Path) -> None:
    words = "pg_dump: error: server closed the connection unexpectedly"
    script = f'{VERSION % "99.1"}\necho half > "${{3#--file=}}"\necho "{words}" >&2\nexit 1'
    tools = _tool(tmp_path / "lost", "pg_dump", script)
    with pytest.raises(WorkError, match="server closed the connection") as caught:
        shop.back_up(tools=tools)
    assert caught.value.failed
    assert "lost" in caught.value.hint
    assert files(shop.folder / "backups") == []


def test_nothing_is_left_when_time_is_over_or_somebody_stops_it(shop: Shop, tmp_path: Path) -> None:
    script = f'{VERSION % "99.1"}\necho half > "${{3#--file=}}"\nexec sleep 30'
    tools = _tool(tmp_path / "slow", "pg_dump", script)
    work = Backup(on="db", to="backups/a.dump", tools=tools)
    with pytest.raises(WorkError, match="did not end within"):
        work.perform(shop.context(timeout_s=2.0))
    with pytest.raises(WorkError, match="stopped"):
        work.perform(shop.context(should_stop=StopAfter(60)))
    assert files(shop.folder / "backups") == []


def test_a_disk_without_room_refuses_before_anything_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shop.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(WorkError, match=r"has 1000 B free, expected at least .* the size of"):
        shop.back_up()
    assert files(shop.folder / "backups") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(shop: Shop) -> None:
    disk = shop.folder / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if mount.returncode != 0:
        pytest.skip(f"this machine mounts no tmpfs: {mount.stderr.decode().strip()}")
    try:
        fill(shop.url, "CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 40000) n")
        whole = shop.back_up("elsewhere/x-{{time}}.dump").indicators["path"]
        small = json.loads(Path(f"{whole}.json").read_text())
        small |= {"path": "gone", "size": 1, "pattern": "disk/x-*.dump", "started": "2020-01-01"}
        (disk / "x-0.dump").touch()
        (disk / "x-0.dump.json").write_text(json.dumps({**small, "content": {}}))
        with pytest.raises(WorkError, match="No space left") as caught:
            shop.back_up("disk/x-{{time}}.dump")
        assert "room" in caught.value.hint
        assert files(disk) == ["x-0.dump", "x-0.dump.json"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("first", "words"),
    [("trap '' XFSZ", "File too large"), ("", f"signal {int(signal.SIGXFSZ)}")],
    ids=["the write fails", "the program is ended"],
)
def test_a_dump_that_may_grow_no_further_leaves_nothing(shop: Shop, first: str, words: str) -> None:
    """The limit on the size of files fails a write as a full disk does, and needs no rights."""
    fill(shop.url, "CREATE TABLE big AS SELECT md5(n::text) FROM generate_series(1, 40000) n")
    real = shlex.quote(str(shop.server.bin / "pg_dump"))
    tools = _tool(shop.folder / "limited", "pg_dump", f'{first}\nulimit -f 64\nexec {real} "$@"')
    whole = Path(str(shop.back_up("elsewhere/x-{{time}}.dump").indicators["path"]))
    assert whole.stat().st_size > 64 * 1024, "it would fit"
    with pytest.raises(WorkError, match=words) as caught:
        shop.back_up("backups/x-{{time}}.dump", tools=tools)
    assert caught.value.failed
    assert files(shop.folder / "backups") == []
    assert len(records.read(shop.folder / "run", records.BACKUPS)) == 1, "the whole one"


def test_a_connection_that_is_ended_from_outside_leaves_nothing(shop: Shop) -> None:
    """Somebody locks a table, the count waits for it, and an administrator ends its session."""
    found = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'gonogo' AND wait_event_type = 'Lock'"
    )
    problems: list[WorkError] = []

    def back_up() -> None:
        try:
            shop.back_up()
        except WorkError as error:
            problems.append(error)

    with psycopg.connect(shop.url) as holder, psycopg.connect(shop.url, autocommit=True) as boss:
        holder.execute("LOCK TABLE documents")
        thread = threading.Thread(target=back_up)
        thread.start()
        while (waiting := boss.execute(found).fetchone()) is None:
            assert thread.is_alive()
        boss.execute("SELECT pg_terminate_backend(%s)", waiting)
        thread.join()
    (problem,) = problems
    assert "terminating connection" in problem.message
    assert "was lost" in problem.hint
    assert files(shop.folder / "backups") == []
