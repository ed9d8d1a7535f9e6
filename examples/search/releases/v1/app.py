"""Search, release v1: finds documents by the letters in them.

A plain ASGI program. Settings: DATABASE_URL, CACHE_URL, SEARCH_HOME (the folder with tokens.json
and logs/).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qs, quote

import psycopg
import redis.asyncio
import redis.exceptions
from parts import Answer, Books, Database, Request

VERSION = "v1"
HOME = Path(os.environ["SEARCH_HOME"])
CACHED_FOR_S = 300
LONGEST_QUERY = 100


class Search:
    """The service: its routes, what it remembers, its log."""

    def __init__(self) -> None:
        self.database = Database(os.environ["DATABASE_URL"])
        self.cache = redis.asyncio.Redis.from_url(
            os.environ["CACHE_URL"], socket_timeout=1, socket_connect_timeout=1
        )
        self.tokens: dict[str, dict[str, str]] = {}
        if (HOME / "tokens.json").exists():
            self.tokens = json.loads((HOME / "tokens.json").read_text(encoding="utf-8"))
        self.durations_ms: deque[float] = deque(maxlen=1000)
        self.counts = {"requests": 0, "errors": 0, "lookups": 0, "hits": 0}
        self.books = Books(self.database, VERSION)
        (HOME / "logs").mkdir(exist_ok=True)
        self.log: TextIO = (HOME / "logs" / "access.jsonl").open("a", encoding="utf-8")
        self.routes: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            "/": self.home,
            "/api/health": self.health,
            "/api/search": self.search,
            "/api/admin/performance": self.performance,
            "/api/admin/audit-log": self.audit_log,
        }

    async def answer(self, request: Request) -> Answer:
        if request.path.startswith("/api/admin/"):
            if request.role == "nobody":
                body = {"error": "authentication required"}
                return Answer(401, body, {"www-authenticate": "Bearer"})
            if request.role != "admin":
                await self.note(request, 403)
                return Answer(403, {"error": "forbidden"})
        route = self.routes.get(request.path)
        if route is None:
            return Answer(404, {"error": "not found"})
        if request.method not in ("GET", "HEAD"):
            return Answer(405, {"error": "method not allowed"}, {"allow": "GET, HEAD"})
        return await route(request)

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
            await self.database.rows("SELECT 1 FROM documents LIMIT 1")
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
        key = f"search:{VERSION}:{query}"
        self.counts["lookups"] += 1
        state = "miss"
        try:
            kept = await self.cache.get(key)
        except redis.exceptions.RedisError:
            kept, state = None, "off"
        self.books.lookup(query, hit=kept is not None)
        if kept is not None:
            self.counts["hits"] += 1
            return Answer(200, json.loads(kept), {"x-cache": "hit"})
        pattern = "%" + query.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        results = await self.database.rows(
            "SELECT id, topic, title FROM documents"
            " WHERE title ILIKE %(like)s OR body ILIKE %(like)s ORDER BY title LIMIT 10",
            {"like": pattern},
        )
        body = {"query": query, "count": len(results), "results": results}
        if state == "miss":
            try:
                await self.cache.set(key, json.dumps(body), ex=CACHED_FOR_S)
            except redis.exceptions.RedisError:
                state = "off"
        return Answer(200, body, {"x-cache": state})

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
            "SELECT at, who, path, status FROM audit_log ORDER BY id DESC LIMIT 50",
            role=request.role,
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
        cache = answer.headers.get("x-cache")
        path = request.path if request.path in self.routes else "other"
        cached = None if cache is None else cache == "hit"
        self.books.request(path, answer.status, duration_ms, cached=cached)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "version": VERSION,
            "method": request.method,
            "path": request.path,
            "status": answer.status,
            "duration_ms": round(duration_ms, 2),
            "cache": cache,
            "user_agent": request.agent,
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()

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
        books = asyncio.create_task(self.books.keep())
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        books.cancel()
        await self.books.write()
        await self.database.close()
        await self.cache.aclose()
        await send({"type": "lifespan.shutdown.complete"})


app = Search()
