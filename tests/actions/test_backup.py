"""Backups against a real PostgreSQL: whole, counted in one snapshot, never half there."""

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
from tests.support.backups import Shop, ask, fill
from tests.support.kinds import StopAfter, a_context, closed_port

from gonogo import records
from gonogo.actions.backup import Backup, CheckBackup, CheckRestore, Restore
from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Effect, Observation
from gonogo.plan.units import Quantity
from gonogo.services import Postgres

ROWS = {"public.users": 50, "public.documents": 500, "app.settings": 1, "public.logs_2026": 1}


@pytest.fixture
def shop(postgres: Postgres, database: str, tmp_path: Path) -> Shop:
    fill(database)
    return Shop(postgres, database, tmp_path)


def look(shop: Shop, path: str, **said: object) -> Observation:
    return CheckBackup(path=path, **said).perform(shop.context(Effect.CHECK))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_backup_is_there_with_its_manifest(shop: Shop) -> None:
    seen = shop.back_up()
    assert seen.indicators["complete"] is True
    assert seen.indicators["tables"] == len(ROWS)
    assert seen.indicators["rows"] == sum(ROWS.values())
    assert files(shop.folder / "backups") == ["a.dump", "a.dump.json"]
    manifest = json.loads((shop.folder / "backups" / "a.dump.json").read_text())
    assert manifest["content"]["rows"] == ROWS
    assert manifest["size"] == (shop.folder / "backups" / "a.dump").stat().st_size
    assert manifest["content"]["sequences"]["public.tickets"] == 40
    assert "pg_trgm" in manifest["content"]["extensions"]
    assert manifest["server"].split(".")[0] == manifest["tool"].split(".")[0]


def test_what_only_looks_at_a_good_backup_finds_nothing_wrong(shop: Shop) -> None:
    shop.back_up()
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert (seen["problem"], seen["complete"], seen["unchanged"]) == ("none", True, True)
    age = seen["age"]
    assert isinstance(age, Quantity)
    assert 0 <= age.number < 60


def test_a_later_step_finds_the_backup_of_this_run(shop: Shop) -> None:
    shop.back_up()
    (record,) = records.read(shop.folder / "run", records.BACKUPS)
    assert record["database"] == ask(shop.url, records.IDENTITY_SQL)
    assert Path(record["backup"]) == shop.folder / "backups" / "a.dump"
    assert look(shop, "this run", on="db").indicators["problem"] == "none"


def test_a_folder_is_written_by_several_jobs(shop: Shop) -> None:
    seen = shop.back_up("backups/big/", jobs=2)
    assert (shop.folder / "backups" / "big" / "toc.dat").exists()
    assert seen.indicators["complete"] is True
    assert look(shop, "backups/big", on="db").indicators["problem"] == "none"


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ({"tables": ("users", "app.settings")}, {"public.users": 50, "app.settings": 1}),
        ({"schemas": ("app",)}, {"app.settings": 1}),
    ],
    ids=["tables", "schemas"],
)
def test_a_part_of_a_database(shop: Shop, said: dict[str, object], rows: dict[str, int]) -> None:
    shop.back_up(**said)  # type: ignore[arg-type]
    manifest = json.loads((shop.folder / "backups" / "a.dump.json").read_text())
    assert manifest["content"]["rows"] == rows
    assert manifest["complete"] is False
    assert shop.test_restore().indicators["problem"] == "none"


def test_an_older_backup_is_not_written_over(shop: Shop) -> None:
    shop.back_up()
    before = (shop.folder / "backups" / "a.dump").read_bytes()
    with pytest.raises(WorkError, match="exists already"):
        shop.back_up()
    assert (shop.folder / "backups" / "a.dump").read_bytes() == before


def test_only_the_newest_of_a_series_are_kept(shop: Shop) -> None:
    shop.targets["x"] = shop.url
    for number in range(4):
        context = shop.context()
        context = dataclasses.replace(
            context, variables={**context.variables, "RELEASE": f"v{number}"}
        )
        Backup(on="db", to="backups/s-{{RELEASE}}.dump", keep=2).perform(context)
        (shop.folder / "backups" / f"foreign-{number}.dump").touch()
    kept = [name for name in files(shop.folder / "backups") if name.startswith("s-")]
    assert kept == ["s-v2.dump", "s-v2.dump.json", "s-v3.dump", "s-v3.dump.json"]
    assert len(files(shop.folder / "backups")) == 8


def test_the_password_is_nowhere_but_in_the_environment(postgres: Postgres, tmp_path: Path) -> None:
    with Postgres.start(password="s3cr3t-of-the-test") as server:
        url = server.create_database("safe")
        fill(url, "CREATE TABLE t (a int)")
        shop = Shop(server, url, tmp_path)
        shop.back_up()
        shop.test_restore()
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert b"s3cr3t-of-the-test" not in path.read_bytes(), path


@pytest.fixture
def damaged(shop: Shop) -> tuple[Shop, Path]:
    shop.back_up()
    return shop, shop.folder / "backups" / "a.dump"


@pytest.mark.parametrize("known", [True, False], ids=["with manifest", "without"])
def test_a_truncated_backup_is_found(damaged: tuple[Shop, Path], known: bool) -> None:
    shop, path = damaged
    if not known:
        path.with_name("a.dump.json").unlink()
    os.truncate(path, path.stat().st_size * 2 // 3)
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert seen["complete"] is False
    assert "cut off" in str(seen["problem"]) or "cannot be read" in str(seen["problem"])


def test_a_backup_that_was_changed_is_found(damaged: tuple[Shop, Path]) -> None:
    shop, path = damaged
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    seen = look(shop, "backups/*.dump", on="db").indicators
    assert seen["unchanged"] is False
    assert "checksum" in str(seen["problem"])


@pytest.mark.parametrize("known", [True, False], ids=["with manifest", "without"])
def test_a_backup_of_another_database_is_found(shop: Shop, known: bool) -> None:
    other = shop.server.create_database("other_shop")
    try:
        fill(other, "CREATE TABLE t (a int)")
        shop.targets["other"] = other
        Backup(on="other", to="backups/a.dump").perform(shop.context())
        if not known:
            (shop.folder / "backups" / "a.dump.json").unlink()
        seen = look(shop, "backups/*.dump", on="db").indicators
        assert seen["complete"] is True
        assert "another database: `other_shop`" in str(seen["problem"])
    finally:
        shop.server.drop_database("other_shop")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Salted__" + os.urandom(500), "encrypted"),
        (b"", "empty"),
        (b"-- PostgreSQL database dump\nCREATE TABLE t", "cut off"),
    ],
    ids=["encrypted", "empty", "half a text"],
)
def test_what_cannot_be_read_is_found(shop: Shop, content: bytes, words: str) -> None:
    (shop.folder / "x.dump").write_bytes(content)
    seen = look(shop, "x.dump").indicators
    assert seen["complete"] is False
    assert words in str(seen["problem"])


def test_a_plain_dump_is_whole_when_its_last_line_is_there(shop: Shop) -> None:
    text = subprocess.run(
        [shop.server.bin / "pg_dump", shop.url], capture_output=True, check=True
    ).stdout
    (shop.folder / "x.sql").write_bytes(text)
    assert look(shop, "x.sql").indicators["problem"] == "none"


def test_no_backup_at_all_is_a_finding(shop: Shop) -> None:
    seen = look(shop, "backups/*.dump").indicators
    assert seen["exists"] is False
    assert "there is no backup" in str(seen["problem"])


def test_a_half_written_backup_is_none(shop: Shop) -> None:
    (shop.folder / "backups").mkdir()
    (shop.folder / "backups" / "a.dump.part").write_bytes(b"PGDMP")
    assert look(shop, "backups/*").indicators["exists"] is False


def _tool(folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return str(folder)


VERSION = 'case "$1" in --version) echo "pg_dump (PostgreSQL) %s"; exit;; esac'


STAGES = ("began", "counted", "dumped", "sealed", "renamed", "told", "recorded")


@pytest.mark.parametrize("stage", STAGES)
def test_an_attempt_goes_on_from_what_it_has_written_down(shop: Shop, stage: str) -> None:
    """Leave the folder as a kill behind each stage would, and enter the attempt again."""
    at = STAGES.index(stage)
    work = Backup(on="db", to="backups/{{time}}.dump")
    context = shop.context()
    path = Path(str(work.perform(context).indicators["path"]))
    first = path.read_bytes()
    if at < STAGES.index("recorded"):
        (shop.folder / "run" / records.BACKUPS).unlink()
    if at < STAGES.index("told"):
        path.with_name(f"{path.name}.json").unlink()
    if at < STAGES.index("renamed"):
        path.rename(path.with_name(f"{path.name}.part"))
    if at < STAGES.index("sealed"):
        (context.folder / "sealed.json").unlink()
    if at < STAGES.index("dumped"):
        shutil.rmtree(context.folder / "round-1" / "pg_dump")
    if at < STAGES.index("counted"):
        shutil.rmtree(context.folder / "round-1")
    fill(shop.url, "INSERT INTO users (name) VALUES ('later')")
    seen = work.perform(context)
    assert files(shop.folder / "backups") == [path.name, f"{path.name}.json"]
    began_anew = at < STAGES.index("dumped")
    assert seen.indicators["rows"] == sum(ROWS.values()) + began_anew
    assert (path.read_bytes() == first) is not began_anew
    assert len(records.read(shop.folder / "run", records.BACKUPS)) == 1
    assert shop.test_restore().indicators["problem"] == "none"


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


MISTAKES = {
    "nothing": ({}, "GN520"),
    "no target": ({"to": "x"}, "GN520"),
    "both": ({"on": "db", "path": "x", "to": "y"}, "GN520"),
    "keep one": ({"on": "db", "to": "x-{{time}}", "keep": 1}, "GN520"),
    "keep without names": ({"on": "db", "to": "x", "keep": 3}, "GN520"),
    "tables of files": ({"path": "x", "to": "y", "tables": ("a",)}, "GN520"),
    "no jobs": ({"on": "db", "to": "x", "jobs": 0}, "GN517"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_seen_before_the_run(name: str) -> None:
    said, code = MISTAKES[name]
    found = Backup(**said).review()  # type: ignore[arg-type]
    assert [d.code for d in found if d.severity is Severity.ERROR][:1] == [code]


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
