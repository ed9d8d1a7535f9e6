"""Search, release v2: finds documents by their words, the best first, and suggests terms.

A plain ASGI program. Settings: DATABASE_URL, CACHE_URL, SEARCH_HOME (the folder with tokens.json
and logs/), and config.json beside this file, which is read again when it changes. New in this
release: who may read what is a setting (`access`), no longer code, and nobody may ask the admin API
more often than `admin_per_minute`. Needs migrations up to 0003.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qs, quote

import psycopg
import redis.asyncio
import redis.exceptions
from psycopg.rows import dict_row

VERSION = "v2"
CONFIG = Path(__file__).with_name("config.json")
HOME = Path(os.environ["SEARCH_HOME"])
CACHED_FOR_S = 300
LONGEST_QUERY = 100
BOOKS_EVERY_S = 1.0
SLOT_S = 300
ADD_FIGURES = """
INSERT INTO request_figures AS kept (slot, release, path, requests, errors, total_ms, slowest_ms)
SELECT to_timestamp(slot), %s, path, requests, errors, total_ms, slowest_ms
FROM jsonb_to_recordset(%s::jsonb) AS new (
    slot bigint, path text, requests bigint, errors bigint, total_ms float8, slowest_ms float8
)
ON CONFLICT (slot, release, path) DO UPDATE SET
    requests = kept.requests + EXCLUDED.requests,
    errors = kept.errors + EXCLUDED.errors,
    total_ms = kept.total_ms + EXCLUDED.total_ms,
    slowest_ms = greatest(kept.slowest_ms, EXCLUDED.slowest_ms)
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
    """A few connections that are opened when needed and thrown away when they break."""

    def __init__(self, url: str, size: int = 8) -> None:
        self._url = url
        self._room = asyncio.Semaphore(size)
        self._idle: list[psycopg.AsyncConnection[dict[str, Any]]] = []

    async def rows(self, statement: str, values: object = None) -> list[dict[str, Any]]:
        for _ in range(9):  # each connection in stock may be a dead one
            fresh = not self._idle
            try:
                async with self._connection() as connection:
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
                    options="-c statement_timeout=5000",
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


class Search:
    """The service: its routes, what it remembers, its log."""

    def __init__(self) -> None:
        self.database = Database(os.environ["DATABASE_URL"])
        self.cache = redis.asyncio.Redis.from_url(
            os.environ["CACHE_URL"], socket_timeout=1, socket_connect_timeout=1
        )
        self.config: dict[str, Any] = {}
        self.config_seen = 0
        self.searches = 0
        self.admin_asked: dict[str, deque[float]] = {}
        self.tokens: dict[str, dict[str, str]] = {}
        if (HOME / "tokens.json").exists():
            self.tokens = json.loads((HOME / "tokens.json").read_text(encoding="utf-8"))
        self.durations_ms: deque[float] = deque(maxlen=1000)
        self.counts = {"requests": 0, "errors": 0, "lookups": 0, "hits": 0}
        self.figures: dict[tuple[int, str], dict[str, Any]] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        (HOME / "logs").mkdir(exist_ok=True)
        self.log: TextIO = (HOME / "logs" / "access.jsonl").open("a", encoding="utf-8")
        self.routes: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            "/": self.home,
            "/api/health": self.health,
            "/api/search": self.search,
            "/api/suggest": self.suggest,
            "/api/admin/performance": self.performance,
            "/api/admin/audit-log": self.audit_log,
        }

    def settings(self) -> dict[str, Any]:
        changed = CONFIG.stat().st_mtime_ns
        if changed != self.config_seen:
            self.config = json.loads(CONFIG.read_text(encoding="utf-8"))
            self.config_seen = changed
        return self.config

    async def answer(self, request: Request) -> Answer:
        for prefix, roles in self.settings()["access"].items():
            if not request.path.startswith(prefix):
                continue
            if request.role == "nobody":
                body = {"error": "authentication required"}
                return Answer(401, body, {"www-authenticate": "Bearer"})
            if request.role not in roles:
                await self.note(request, 403)
                return Answer(403, {"error": "forbidden"})
            if not self.has_room(request.name):
                await self.note(request, 429)
                return Answer(429, {"error": "too many requests"}, {"retry-after": "60"})
        route = self.routes.get(request.path)
        if route is None:
            return Answer(404, {"error": "not found"})
        if request.method not in ("GET", "HEAD"):
            return Answer(405, {"error": "method not allowed"}, {"allow": "GET, HEAD"})
        return await route(request)

    def has_room(self, name: str) -> bool:
        """Count a request to the admin API; each reader has so many in any minute."""
        asked = self.admin_asked.setdefault(name, deque())
        now = time.monotonic()
        while asked and asked[0] <= now - 60:
            asked.popleft()
        if len(asked) >= self.settings()["admin_per_minute"]:
            return False
        asked.append(now)
        return True

    async def home(self, _: Request) -> Answer:
        topics = await self.database.rows("SELECT topic FROM topic_counts ORDER BY topic")
        links = "".join(
            f'<li><a href="/api/search?q={quote(row["topic"])}">{escape(row["topic"])}</a></li>'
            for row in topics
        )
        page = (
            f"<!doctype html><title>Search</title><h1>Search</h1><ul>{links}</ul><p>{VERSION}</p>"
        )
        return Answer(200, page)

    async def health(self, _: Request) -> Answer:
        checks = {"database": "ok", "cache": "ok"}
        try:
            await self.database.rows("SELECT search_vector FROM documents LIMIT 1")
        except psycopg.Error:
            checks["database"] = "failed"
        try:
            await self.cache.ping()
        except redis.exceptions.RedisError:
            checks["cache"] = "failed"
        healthy = all(state == "ok" for state in checks.values())
        status = "ok" if healthy else "failed"
        body = {"status": status, "version": VERSION, "checks": checks}
        return Answer(200 if healthy else 503, body)

    async def search(self, request: Request) -> Answer:
        query = " ".join(request.query.get("q", [""])[0].split()).lower()
        if not query or len(query) > LONGEST_QUERY:
            return Answer(400, {"error": f"q must have 1 to {LONGEST_QUERY} characters"})
        settings = self.settings()["search"]
        self.searches += 1
        if settings["fail_every"] and self.searches % settings["fail_every"] == 0:
            raise RuntimeError("the search index is not available")
        await asyncio.sleep(settings["delay_ms"] / 1000)
        key = f"search:{VERSION}:{query}"
        self.counts["lookups"] += 1
        asked = self.asked.setdefault(query, {"query": query, "lookups": 0, "hits": 0})
        asked["lookups"] += 1
        state = "miss"
        try:
            kept = await self.cache.get(key)
        except redis.exceptions.RedisError:
            kept, state = None, "off"
        if kept is not None:
            self.counts["hits"] += 1
            asked["hits"] += 1
            return Answer(200, json.loads(kept), {"x-cache": "hit"})
        results = await self.database.rows(
            "SELECT id, topic, title,"
            " round(ts_rank(search_vector, asked)::numeric, 4)::float8 AS rank"
            " FROM documents, websearch_to_tsquery('english', %s) AS asked"
            " WHERE search_vector @@ asked ORDER BY rank DESC, title LIMIT %s",
            [query, settings["limit"]],
        )
        body = {"query": query, "count": len(results), "results": results}
        if state == "miss":
            try:
                await self.cache.set(key, json.dumps(body), ex=CACHED_FOR_S)
            except redis.exceptions.RedisError:
                state = "off"
        return Answer(200, body, {"x-cache": state})

    async def suggest(self, request: Request) -> Answer:
        start = request.query.get("q", [""])[0].strip().lower()
        if not start or len(start) > LONGEST_QUERY:
            return Answer(400, {"error": f"q must have 1 to {LONGEST_QUERY} characters"})
        rows = await self.database.rows(
            "SELECT term, documents FROM popular_terms"
            " WHERE starts_with(term, %s) ORDER BY documents DESC, term LIMIT 8",
            [start],
        )
        return Answer(200, {"query": start, "terms": rows})

    async def performance(self, request: Request) -> Answer:
        await self.note(request, 200)
        ordered = sorted(self.durations_ms)
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        times = {
            name: round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2)
            for name, share in shares.items()
            if ordered
        }
        return Answer(200, {"version": VERSION, "duration_ms": times, **self.counts})

    async def audit_log(self, request: Request) -> Answer:
        await self.note(request, 200)
        rows = await self.database.rows(
            "SELECT at, who, path, status FROM audit_log ORDER BY id DESC LIMIT 50"
        )
        entries = [{**row, "at": row["at"].isoformat()} for row in rows]
        return Answer(200, {"count": len(entries), "entries": entries})

    async def note(self, request: Request, status: int) -> None:
        await self.database.rows(
            "INSERT INTO audit_log (who, path, status) VALUES (%s, %s, %s)",
            [request.name, request.path, status],
        )

    def who(self, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return "", "nobody"
        entry = self.tokens.get(hashlib.sha256(token.strip()).hexdigest(), {})
        return entry.get("name", ""), entry.get("role", "nobody")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        name, role = self.who(headers)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        agent = headers.get(b"user-agent", b"").decode("latin-1")
        request = Request(scope["method"], scope["path"], query, name, role, agent)
        try:
            answer = await self.answer(request)
        except psycopg.OperationalError:
            answer = Answer(503, {"error": "not available"})
        except Exception as error:  # noqa: BLE001 - a page must be answered whatever happens
            print(f"{request.path}: {error!r}", flush=True)
            answer = Answer(500, {"error": "internal error"})
        duration_ms = (time.perf_counter() - began) * 1000
        self.remember(request, answer, duration_ms)
        await self.send(request, answer, send)

    def remember(self, request: Request, answer: Answer, duration_ms: float) -> None:
        self.durations_ms.append(duration_ms)
        self.counts["requests"] += 1
        self.counts["errors"] += answer.status >= 500
        self.count(request.path if request.path in self.routes else "other", answer, duration_ms)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "version": VERSION,
            "method": request.method,
            "path": request.path,
            "status": answer.status,
            "duration_ms": round(duration_ms, 2),
            "cache": answer.headers.get("x-cache"),
            "user_agent": request.agent,
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()

    def count(self, path: str, answer: Answer, duration_ms: float) -> None:
        slot = int(time.time() // SLOT_S * SLOT_S)
        nothing = {"slot": slot, "path": path, "requests": 0, "errors": 0}
        kept = self.figures.setdefault((slot, path), nothing | {"total_ms": 0.0, "slowest_ms": 0.0})
        kept["requests"] += 1
        kept["errors"] += answer.status >= 500
        kept["total_ms"] += duration_ms
        kept["slowest_ms"] = max(kept["slowest_ms"], duration_ms)

    async def keep_books(self) -> None:
        while True:
            await asyncio.sleep(BOOKS_EVERY_S)
            await self.write_books()

    async def write_books(self) -> None:
        """Add what was counted since the last time; what cannot be written then is lost."""
        figures, self.figures = list(self.figures.values()), {}
        asked, self.asked = list(self.asked.values()), {}
        try:
            if figures:
                await self.database.rows(ADD_FIGURES, [VERSION, json.dumps(figures)])
            if asked:
                await self.database.rows(ADD_LOOKUPS, [VERSION, json.dumps(asked)])
        except psycopg.Error as error:
            print(f"the books could not be written: {error!r}", flush=True)

    async def send(self, request: Request, answer: Answer, send: Any) -> None:
        if isinstance(answer.body, str):
            kind, content = "text/html; charset=utf-8", answer.body.encode()
        else:
            kind, content = "application/json", json.dumps(answer.body).encode()
        headers = {**answer.headers, "content-type": kind, "content-length": str(len(content))}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        body = b"" if request.method == "HEAD" else content
        await send({"type": "http.response.body", "body": body})

    async def live(self, receive: Any, send: Any) -> None:
        books = asyncio.create_task(self.keep_books())
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        books.cancel()
        await self.write_books()
        await self.database.close()
        await self.cache.aclose()
        await send({"type": "lifespan.shutdown.complete"})


app = Search()
