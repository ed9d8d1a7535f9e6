"""What the service and its worker share: the release, its settings, faults, logs, the database."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

RELEASE: dict[str, Any] = json.loads(Path(__file__).with_name("release.json").read_text("utf-8"))
VERSION: str = RELEASE["version"]
FEATURES: frozenset[str] = frozenset(RELEASE["features"])
HOME = Path(os.environ["CAMPAIGNS_HOME"])
FAULTS = HOME / "faults.json"
CHANGES = "campaigns:changes"  # the Redis channel on which a change is told
SLOW_QUERY_MS = 250.0
ONLINE_FOR_S = 5


def fault(name: str) -> Any:
    """Return how a fault is set (`bin/fault`), or None; faults belong to release v2 only."""
    if VERSION != "v2":
        return None
    try:
        return json.loads(FAULTS.read_text(encoding="utf-8")).get(name)
    except (OSError, ValueError):
        return None


class Log:
    """A file with one line of JSON per event."""

    def __init__(self, name: str) -> None:
        (HOME / "logs").mkdir(exist_ok=True)
        self._file = (HOME / "logs" / name).open("a", encoding="utf-8")

    def write(self, **fields: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "version": VERSION, **fields})
        self._file.write(line + "\n")
        self._file.flush()


def trouble(log: Log, component: str, message: str, level: str = "error") -> None:
    log.write(level=level, component=component, message=message)


class Database:
    """A few connections, opened when needed and thrown away when they break.

    A statement that took longer than SLOW_QUERY_MS leaves a row in `slow_queries`.
    """

    def __init__(self, url: str, size: int = 6) -> None:
        self._url = url
        self._room = asyncio.Semaphore(size)
        self._idle: list[psycopg.AsyncConnection[dict[str, Any]]] = []

    async def rows(self, statement: str, values: object = None) -> list[dict[str, Any]]:
        for _ in range(7):  # each connection in stock may be a dead one
            fresh = not self._idle
            try:
                async with self._connection() as connection:
                    began = time.perf_counter()
                    cursor = await connection.execute(statement, values)
                    found = await cursor.fetchall() if cursor.description else []
                    took_ms = (time.perf_counter() - began) * 1000
                    if took_ms > SLOW_QUERY_MS:
                        await connection.execute(
                            "INSERT INTO slow_queries (release, statement, took_ms)"
                            " VALUES (%s, %s, %s)",
                            [VERSION, " ".join(statement.split())[:500], took_ms],
                        )
                    return found
            except psycopg.OperationalError:
                if fresh:
                    raise
        raise psycopg.OperationalError("no connection to the database lasts")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[dict[str, Any]]]:
        async with self._room:
            if self._idle:
                connection = self._idle.pop()
            else:
                connection = await psycopg.AsyncConnection.connect(
                    self._url,
                    autocommit=True,
                    row_factory=dict_row,
                    connect_timeout=3,
                    prepare_threshold=None,  # a migration may change what a statement returns
                    options="-c statement_timeout=10000",
                )
            try:
                yield connection
            except BaseException:
                await connection.close()
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
