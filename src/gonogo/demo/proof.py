"""Looks at the service after the run, without believing the run: what is true now."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg
import redis

from gonogo.demo.workspace import Workspace

ANSWER_WITHIN_S = 5.0
FAILED = 500
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ADMIN_API = "/api/admin/performance"
SCHEMA = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'view ' || matviewname FROM pg_matviews WHERE schemaname = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1
"""
DOCUMENTS = "SELECT count(*) FROM documents"
MIGRATIONS = "SELECT version FROM schema_migrations ORDER BY version"


@dataclass(frozen=True, slots=True)
class Claim:
    """Something the story says, beside what was seen."""

    text: str
    expected: str
    actual: str

    @property
    def holds(self) -> bool:
        """Tell whether what was seen is what the story says."""
        return self.expected == self.actual

    def say(self) -> str:
        """Return the claim as a line for the screen."""
        if self.holds:
            return f"  ok       {self.text}: {self.actual}"
        return f"  differs  {self.text}: {self.actual}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class State:
    """What can be seen of the service from outside, in words that compare."""

    release: str
    errors: str  # the share of its answers to visitors that were errors, since it took over
    migrations: str
    schema: tuple[str, ...]
    documents: int
    regular_user: str  # the status that a regular user gets from the admin API
    kept_for_v2: int  # answers of v2 in the cache
    worker: str  # whether the cache worker runs, as it says itself
    served_by: str  # the releases in the access log, in the order in which they took over


def look(workspace: Workspace) -> State:
    """Ask the running service, its database and its cache; what nobody answers is said so.

    Raises psycopg.Error and redis.RedisError when the database or the cache cannot be asked.
    """
    settings = workspace.settings
    status, health = _get(f"{settings['APP_URL']}/api/health")
    regular, _ = _get(f"{settings['APP_URL']}{ADMIN_API}", settings["REGULAR_USER_TOKEN"])
    release = f"{health.get('version')} {health.get('status')}" if health else status
    with psycopg.connect(settings["DATABASE_URL"], connect_timeout=5) as connection:
        migrations, schema = recorded(connection)
        documents = number(connection, DOCUMENTS)
    return State(
        release=release,
        errors=_errors(workspace.access_log),
        migrations=migrations,
        schema=schema,
        documents=documents,
        regular_user=regular,
        kept_for_v2=_kept(settings["CACHE_URL"]),
        worker="runs" if workspace.works("bin/worker", "status") else "does not run",
        served_by=_served_by(workspace.access_log),
    )


def recorded(connection: psycopg.Connection[Any]) -> tuple[str, tuple[str, ...]]:
    """Return the migrations on record in a database, in a line, and its schema."""
    migrations = " ".join(row[0] for row in connection.execute(MIGRATIONS))
    return migrations, tuple(row[0] for row in connection.execute(SCHEMA))


def number(connection: psycopg.Connection[Any], statement: str) -> int:
    """Return what a statement counts."""
    found = connection.execute(statement.encode()).fetchone()
    return 0 if found is None else int(found[0])


def difference(before: State, after: State) -> str:
    """Say in what the schema differs, in one line: `identical`, or what came and went."""
    old, new = set(before.schema), set(after.schema)
    if old == new:
        return "identical"
    changes = [f"- {line}" for line in sorted(old - new)] + [f"+ {li}" for li in sorted(new - old)]
    shown = "; ".join(changes[:3])
    return f"{len(changes)} differences ({shown}{' …' if len(changes) > 3 else ''})"


def _served_by(log: Path) -> str:
    served: list[str] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        release = str(json.loads(line)["version"])
        if served[-1:] != [release]:
            served.append(release)
    return " then ".join(served)


def _errors(log: Path) -> str:
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    latest = str(lines[-1]["version"]) if lines else ""
    since = list(takewhile(lambda line: line["version"] == latest, reversed(lines)))
    failed = sum(line["status"] >= FAILED for line in since)
    if 100 * failed < len(since) or not failed:
        return "under 1 %"
    return f"{100 * failed / len(since):.3g} % of {len(since)}"


def _kept(url: str) -> int:
    with redis.Redis.from_url(url, socket_timeout=ANSWER_WITHIN_S) as client:
        return sum(1 for _ in client.scan_iter(match="search:v2:*", count=500))


def _get(url: str, token: str = "") -> tuple[str, Mapping[str, object]]:
    """Return the status and the JSON object of an answer; or why there is none, and nothing."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an address of our own
    try:
        with DIRECT.open(request, timeout=ANSWER_WITHIN_S) as answer:
            data = json.load(answer)
            return str(answer.status), data if isinstance(data, dict) else {}
    except urllib.error.HTTPError as error:
        return str(error.code), {}
    except (OSError, ValueError) as error:
        return f"no answer ({error})", {}
