"""A migration cut short by a lock, its time, a stop or a kill is not applied twice or forgotten."""

from __future__ import annotations

import signal
from pathlib import Path

import psycopg
import pytest
from tests.actions.migrating import TWO, UP, columns, context, do, life, until, versions, write
from tests.support.kinds import StopAfter

from gonogo.actions.migrate import Migrate, MigrateBack
from gonogo.errors import WorkError


def test_a_migration_that_hangs_on_a_lock_fails_in_time_and_names_who_holds_it(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    do(Migrate(unproved="x", only=("0001", "0002")), database, tmp_path)
    write(tmp_path, {"0003_w.up.sql": "ALTER TABLE books ADD COLUMN w int", "0003_w.down.sql": ""})
    with psycopg.connect(database, application_name="reporting") as other:
        other.execute("SELECT * FROM books WHERE title = 'a secret title'")
        with pytest.raises(WorkError) as caught:
            do(Migrate(unproved="x", lock_timeout_s=1.0), database, tmp_path)
        pid = other.info.backend_pid
    said = caught.value.message
    assert "did not get its lock within 1 s" in said
    assert f"pid {pid}" in said
    assert "reporting, idle in transaction" in said
    assert "FROM books WHERE title = $1" in said
    assert "a secret title" not in said
    assert versions(database) == ["0001", "0002"]


def test_a_migration_ends_with_the_time_of_its_step(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); SELECT pg_sleep(60);"})
    with pytest.raises(WorkError, match=r"did not end within 1 s; nothing of it stays") as caught:
        UP.perform(context(database, tmp_path, timeout_s=1.0))
    assert caught.value.failed
    assert columns(database, "a") == []


def test_a_wish_to_stop_ends_a_migration_in_its_middle(database: str, tmp_path: Path) -> None:
    write(tmp_path, {"0001_a.up.sql": "CREATE TABLE a (a int); SELECT pg_sleep(60);"})
    with pytest.raises(WorkError, match="was stopped in its middle; nothing of it stays"):
        UP.perform(context(database, tmp_path, should_stop=StopAfter(2)))
    assert columns(database, "a") == []


SLEEPER = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%pg_sleep(60%'"
GONE = f"SELECT WHERE NOT EXISTS ({SLEEPER})"


def test_kill_9_in_the_middle_of_a_way_up_loses_nothing(database: str, tmp_path: Path) -> None:
    folder = write(tmp_path, TWO)
    (folder / "0002_pages.up.sql").write_text(
        f"{TWO['0002_pages.up.sql']} SELECT pg_sleep(60);", encoding="utf-8"
    )
    child = life(database, tmp_path, "up")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)  # the server notices by itself that nobody is there any more
    assert versions(database) == ["0001"]
    assert columns(database) == ["id", "title"]
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == ["0001_books"]
    write(tmp_path, TWO)
    assert do(UP, database, tmp_path).indicators["applied count"] == 2
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 2


def test_kill_9_between_the_commit_and_the_record_is_made_good(
    database: str, tmp_path: Path
) -> None:
    write(tmp_path, TWO)
    do(UP, database, tmp_path)
    path = tmp_path / "run" / "migrations.jsonl"
    lines = [line for line in path.read_text().splitlines() if '"event": "applied"' not in line]
    path.write_text("\n".join(line for line in lines if '"event": "after"' not in line) + "\n{")
    assert do(MigrateBack(), database, tmp_path).indicators["undone count"] == 2


def test_kill_9_in_the_middle_of_a_way_back_goes_on_with_the_rest(
    database: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, TWO)
    (folder / "0001_books.down.sql").write_text("SELECT pg_sleep(60); DROP TABLE books;")
    do(UP, database, tmp_path)
    child = life(database, tmp_path, "back")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)
    assert versions(database) == ["0001"]
    quick = (tmp_path / "run" / "migrations.jsonl").read_text().replace("pg_sleep(60)", "1")
    (tmp_path / "run" / "migrations.jsonl").write_text(quick)
    assert do(MigrateBack(), database, tmp_path).indicators["undone"] == ["0001_books"]
    assert versions(database) == []


def test_kill_9_of_a_migration_without_a_transaction_is_not_repeated_blindly(
    database: str, tmp_path: Path
) -> None:
    text = "-- gonogo: no transaction\nCREATE TABLE half (a int);\nSELECT pg_sleep(60);"
    write(tmp_path, {"0001_half.up.sql": text, "0001_half.down.sql": "DROP TABLE half"})
    child = life(database, tmp_path, "up")
    until(database, SLEEPER)
    child.send_signal(signal.SIGKILL)
    child.wait()
    until(database, GONE)
    with pytest.raises(WorkError, match="begun without a transaction by this run"):
        do(UP, database, tmp_path)
