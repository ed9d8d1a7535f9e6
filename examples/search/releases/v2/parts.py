"""What the routes stand on: requests and answers, the database, and the books of what was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

BOOKS_EVERY_S = 1.0
ADD_REQUESTS = """
INSERT INTO performance_metrics (created_at, release, path, status, duration_ms, cached)
SELECT at, %s, path, status, duration_ms, cached
FROM jsonb_to_recordset(%s::jsonb) AS new (
    at timestamptz, path text, status integer, duration_ms float8, cached boolean
)
"""
ADD_LOOKUPS = """
INSERT INTO query_cache AS kept (release, query, lookups, hits)
SELECT %s, query, lookups, hits
FROM jsonb_to_recordset(%s::jsonb) AS new (query text, lookups bigint, hits bigint)
ON CONFLICT (release, query) DO UPDATE SET
    lookups = kept.lookups + EXCLUDED.lookups,
    hits = kept.hits + EXCLUDED.hits,
    asked_at = now()
"""


@dataclass
class Answer:
    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    name: str  # who asks; empty when unknown
    role: str  # admin, user, or nobody
    agent: str  # what the asking program calls itself


class Database:
    """A few connections that are opened when needed and thrown away when they break.

    They work under the role `search_api`. What a reader may see, the database decides by `role`.
    """

    def __init__(self, url: str, size: int = 8) -> None:
        self._url = url
        self._room = asyncio.Semaphore(size)
        self._idle: list[psycopg.AsyncConnection[dict[str, Any]]] = []

    async def rows(
        self, statement: str, values: object = None, role: str = ""
    ) -> list[dict[str, Any]]:
        for _ in range(9):  # each connection in stock may be a dead one
            fresh = not self._idle
            try:
                async with self._connection() as connection, connection.transaction():
                    if role:
                        await connection.execute(
                            "SELECT set_config('search.role', %s, true)", [role]
                        )
                    cursor = await connection.execute(statement, values)
                    return await cursor.fetchall() if cursor.description else []
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
                    options="-c statement_timeout=5000 -c role=search_api",
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


class Books:
    """What was asked since the last second; then it is written into the database."""

    def __init__(self, database: Database, release: str) -> None:
        self._database = database
        self._release = release
        self._requests: list[dict[str, Any]] = []
        self._asked: dict[str, dict[str, Any]] = {}

    def request(self, path: str, status: int, duration_ms: float, *, cached: bool | None) -> None:
        """Note one request that was answered; `cached` is None when nothing was looked up."""
        now = datetime.now(UTC).isoformat()
        line = {"at": now, "path": path, "status": status}
        self._requests.append({**line, "duration_ms": duration_ms, "cached": cached})

    def lookup(self, query: str, *, hit: bool) -> None:
        asked = self._asked.setdefault(query, {"query": query, "lookups": 0, "hits": 0})
        asked["lookups"] += 1
        asked["hits"] += hit

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(BOOKS_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what was noted since the last time; what cannot be written then is lost."""
        requests, self._requests = self._requests, []
        asked, self._asked = list(self._asked.values()), {}
        try:
            if requests:
                await self._database.rows(ADD_REQUESTS, [self._release, json.dumps(requests)])
            if asked:
                await self._database.rows(ADD_LOOKUPS, [self._release, json.dumps(asked)])
        except psycopg.Error as error:
            print(f"the books could not be written: {error!r}", flush=True)
