from __future__ import annotations

import subprocess

import psycopg
import pytest
from tests.demo.acting import bash, rows, succeed, value

from gonogo.demo.proof import SCHEMA
from gonogo.demo.workspace import Workspace

ON_RECORD = "SELECT version || ' ' || release FROM schema_migrations ORDER BY version"


def on_record(workspace: Workspace) -> list[str]:
    return [row[0] for row in rows(workspace, ON_RECORD)]


def test_up_applies_what_is_pending_once(bare: Workspace) -> None:
    assert "0001 documents              pending" in succeed(bare, "bin/migrate status")
    succeed(bare, "bin/migrate up --to 0001 --for v1")
    assert on_record(bare) == ["0001 v1"]
    assert succeed(bare, "bin/migrate up --to 0001 --for v1") == "nothing to apply"
    assert succeed(bare, "bin/migrate up --for v2").endswith("2 applied")
    assert on_record(bare) == ["0001 v1", "0002 v2", "0003 v2"]
    assert succeed(bare, "bin/migrate up --for v2") == "nothing to apply"
    status = succeed(bare, "bin/migrate status")
    assert "0003 popular terms          applied for v2" in status
    assert value(bare, "SELECT count(*) FROM documents WHERE search_vector IS NULL") == 0


def test_down_leaves_the_schema_as_it_was(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --to 0001 --for v1")
    before = rows(bare, SCHEMA)
    for back in ("down 2", "down --for v2"):
        succeed(bare, "bin/migrate up --for v2")
        assert rows(bare, SCHEMA) != before
        succeed(bare, f"bin/migrate {back}")
        assert rows(bare, SCHEMA) == before
    assert succeed(bare, "bin/migrate down --for v2") == "nothing to take back"
    succeed(bare, "bin/migrate down 1")
    assert on_record(bare) == []


def test_down_for_a_release_takes_back_what_it_applied_and_no_more(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --to 0002 --for v1 && bin/migrate up --for v2")
    assert succeed(bare, "bin/migrate down --for v2").endswith("1 taken back")
    assert on_record(bare) == ["0001 v1", "0002 v1"]


def test_down_for_a_release_below_another_is_refused(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --to 0002 --for v1 && bin/migrate up --for v2")
    refused = bash(bare, "bin/migrate down --for v1")
    assert (refused.returncode, "stands on top of" in refused.stderr) == (1, True)
    assert len(on_record(bare)) == 3


def test_a_failing_migration_leaves_nothing_of_itself(bare: Workspace) -> None:
    third = bare.folder / "migrations" / "0003_popular_terms.up.sql"
    third.write_text(third.read_text() + "SELECT no_such_column FROM documents;\n")
    failed = bash(bare, "bin/migrate up --for v2")
    assert (failed.returncode, "no_such_column" in failed.stderr) == (1, True)
    assert on_record(bare) == ["0001 v2", "0002 v2"]
    assert value(bare, "SELECT count(*) FROM pg_matviews WHERE matviewname = 'popular_terms'") == 0


def test_the_recorded_way_back_is_taken_not_the_changed_file(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --for v2")
    for name in ("up", "down"):
        file = bare.folder / "migrations" / f"0003_popular_terms.{name}.sql"
        file.write_text("DROP TABLE audit_log;\n")
    assert "file changed since" in succeed(bare, "bin/migrate status")
    assert "its file was changed" in bash(bare, "bin/migrate up").stderr
    succeed(bare, "bin/migrate down 1")
    assert (
        value(
            bare,
            "SELECT to_regclass('audit_log') IS NOT NULL AND to_regclass('popular_terms') IS NULL",
        )
        is True
    )


@pytest.mark.parametrize(
    ("missing", "words"),
    [("0002_search_ranking.down.sql", "has no way back"), ("0001_documents.up.sql", "")],
    ids=["no way back", "the first is gone"],
)
def test_a_folder_with_a_gap_is_not_migrated_in_silence(
    bare: Workspace, missing: str, words: str
) -> None:
    (bare.folder / "migrations" / missing).unlink()
    told = bash(bare, "bin/migrate up --for v2")
    assert told.returncode == 1
    assert words in told.stderr


def test_a_locked_table_stops_a_migration_instead_of_stopping_the_readers(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --to 0001 --for v1")
    migrate = bare.folder / "bin" / "migrate"
    migrate.write_text(migrate.read_text().replace('LOCK_TIMEOUT = "5s"', 'LOCK_TIMEOUT = "50ms"'))
    with psycopg.connect(bare.settings["DATABASE_URL"]) as reader:
        reader.execute("SELECT count(*) FROM documents")
        failed = bash(bare, "bin/migrate up --for v2")
    assert (failed.returncode, "lock timeout" in failed.stderr) == (1, True)
    assert on_record(bare) == ["0001 v1"]


def test_two_at_once_apply_each_migration_once(bare: Workspace) -> None:
    command = ["bash", "-c", "bin/migrate up --for v2"]
    both = [
        subprocess.Popen(command, cwd=bare.folder, env=dict(bare.settings), stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("applied 000") for text in outputs) == 3
    assert len(on_record(bare)) == 3


def test_an_unset_database_is_a_mistake_of_the_caller(bare: Workspace) -> None:
    told = bash(bare, "env -u DATABASE_URL bin/migrate status")
    assert (told.returncode, told.stderr) == (2, "migrate: DATABASE_URL is not set\n")
