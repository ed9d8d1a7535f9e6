"""Folders of migrations, contexts with a run's own folder, and a life that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
from tests.support.kinds import a_context

from gonogo import records
from gonogo.actions.migrate import Migrate
from gonogo.plan.kinds import Context, Effect, Observation, Work

TWO = {
    "0001_books.up.sql": "CREATE TABLE books (id int PRIMARY KEY, title text);",
    "0001_books.down.sql": "DROP TABLE books;",
    "0002_pages.up.sql": "ALTER TABLE books ADD COLUMN pages int;",
    "0002_pages.down.sql": "ALTER TABLE books DROP COLUMN pages;",
}
UP = Migrate(unproved="a test")


def write(folder: Path, files: Mapping[str, str], name: str = "migrations") -> Path:
    where = folder / name
    for path, text in files.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text, encoding="utf-8")
    return where


def context(url: str, folder: Path, run: str = "run", **more: object) -> Context:
    made = a_context(folder, targets={"db": url}, effect=Effect.ACTION)
    return replace(made, run_folder=folder / run, **more)  # type: ignore[arg-type]


def do(work: Work, url: str, folder: Path, run: str = "run") -> Observation:
    return work.perform(context(url, folder, run))


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def columns(url: str, table: str = "books") -> list[object]:
    query = f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('{table}')"
    return [row[0] for row in rows(url, f"{query} AND attnum > 0 AND NOT attisdropped ORDER BY 1")]


def versions(url: str) -> list[object]:
    return [row[0] for row in rows(url, "SELECT version FROM schema_migrations ORDER BY 1")]


def identity(url: str) -> str:
    return str(rows(url, records.IDENTITY_SQL)[0][0])


def a_restore_test(
    url: str, folder: Path, *, passed: bool, at: str = "2026-01-01", why: str = ""
) -> None:
    record = {
        "id": at,
        "database": identity(url),
        "backup": "/b",
        "passed": passed,
        "why": why,
        "at": at,
        "duration_s": 1.0,
    }
    records.append(folder / "run", records.RESTORE_TESTS, record)


_LIFE = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.support.kinds import a_context
from gonogo.actions.migrate import Migrate, MigrateBack
from gonogo.plan.kinds import Effect
url, folder, way = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
work = Migrate(unproved="a test") if way == "up" else MigrateBack()
made = a_context(folder, targets={"db": url}, effect=Effect.ACTION, timeout_s=60)
work.perform(replace(made, run_folder=folder / "run"))
"""


def life(url: str, folder: Path, way: str) -> subprocess.Popen[bytes]:
    """Start a process of its own that migrates up or back, to be killed."""
    return subprocess.Popen(
        [sys.executable, "-c", _LIFE, url, str(folder), way],
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": "src:.", "PATH": "/usr/bin:/bin"},
    )


def until(url: str, query: str) -> None:
    """Wait, inside the server, until a query has a row; a test that waits too long is ended."""
    while not rows(url, f"SELECT pg_sleep(0.02) FROM (SELECT) AS once WHERE EXISTS ({query})"):
        rows(url, "SELECT pg_sleep(0.05)")
