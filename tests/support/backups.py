"""A database worth a backup, and contexts for the kinds that make, look at and restore one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from tests.support.kinds import a_context

from gonogo.actions.backup import Backup, CheckRestore, Restore
from gonogo.plan.kinds import Context, Effect, Observation
from gonogo.services import Postgres

SCHEMA = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL UNIQUE, seen timestamptz);
CREATE TABLE documents (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int REFERENCES users, body text,
  score float8, raw bytea, CONSTRAINT body_is_short CHECK (length(body) < 1000000));
CREATE INDEX documents_owner ON documents (owner);
CREATE VIEW busy AS SELECT owner, count(*) FROM documents GROUP BY 1;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM documents;
CREATE SCHEMA app;
CREATE TABLE app.settings (k text PRIMARY KEY, v jsonb);
CREATE TABLE logs (at date, line text) PARTITION BY RANGE (at);
CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE SEQUENCE tickets START 40;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE EXTENSION pg_trgm;
INSERT INTO users (name, seen) SELECT 'u' || n, '2026-01-01' FROM generate_series(1, 50) n;
INSERT INTO documents (owner, body, score, raw)
  SELECT n % 50 + 1, repeat('word ', n % 20), n / 7.0, decode('00ff', 'hex')
  FROM generate_series(1, 500) n;
INSERT INTO app.settings VALUES ('a', '{"b": [1, null]}');
INSERT INTO logs VALUES ('2026-05-05', 'x');
SELECT nextval('tickets');
"""


def fill(url: str, statements: str = SCHEMA) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def ask(url: str, question: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def databases(server: Postgres) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


def name_of(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


def context_for(
    server: Postgres,
    folder: Path,
    targets: Mapping[str, str],
    effect: Effect = Effect.ACTION,
    **more: Any,
) -> Context:
    """Return a context whose PATH begins with the programs of this server."""
    base = a_context(folder, targets=targets, effect=effect, timeout_s=60.0)
    path = f"{server.bin}{os.pathsep}{os.environ['PATH']}"
    values = {"variables": {"PATH": path}, "run_folder": folder / "run", **more}
    return dataclasses.replace(base, **values)


class Shop:
    """One filled database with its server and a folder: makes, tests and restores backups."""

    def __init__(self, server: Postgres, url: str, folder: Path) -> None:
        self.server = server
        self.url = url
        self.folder = folder
        self.targets = {"db": url}

    def context(self, effect: Effect = Effect.ACTION, **more: Any) -> Context:
        return context_for(self.server, self.folder, self.targets, effect, **more)

    def back_up(self, to: str = "backups/a.dump", **said: Any) -> Observation:
        return Backup(on="db", to=to, **said).perform(self.context())

    def test_restore(self, **said: Any) -> Observation:
        return CheckRestore(on="db", **said).perform(self.context(Effect.CHECK))

    def restore(self, backup: str = "this run", **said: Any) -> Observation:
        return Restore(on="db", backup=backup, **said).perform(self.context())

    def scratch(self) -> set[str]:
        return {name for name in databases(self.server) if "gonogo" in name or "_new_" in name}
