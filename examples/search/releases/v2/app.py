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
from collections import Counter, deque
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

VERSION = "v2"
CONFIG = Path(__file__).with_name("config.json")
OWN = "gonogo/"  # those who check the release are not its visitors
SPARED = ("/api/health", "/api/admin/")
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
        self.config: dict[str, Any] = {}
        self.config_seen = 0
        self.debts: Counter[str] = Counter()
        self.admin_asked: dict[str, deque[float]] = {}
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
        await self.suffer(request)
        return await route(request)

    async def suffer(self, request: Request) -> None:
        """Let a visitor's request meet the faults that an exercise has planted (`bin/fault`)."""
        faults = self.settings()["faults"]
        if request.agent.startswith(OWN) or request.path.startswith(SPARED):
            return
        if self.is_due("slow", faults["slow_percent"]):
            await asyncio.sleep(faults["slow_ms"] / 1000)
        if self.is_due("error", faults["error_percent"]):
            raise RuntimeError("the search index is not available")

    def is_due(self, what: str, percent: float) -> bool:
        """Say of so many of a hundred requests that it is their turn, evenly and without chance."""
        self.debts[what] += percent
        if self.debts[what] < 100:
            return False
        self.debts[what] -= 100
        return True

    def lend(self, kept: bytes | None) -> bytes | None:
        """Return what the cache knows, as often as the planted share of hits allows."""
        ahead = self.debts["hit"] + self.settings()["faults"]["hit_percent"]
        self.debts["hit"] = min(ahead, 300)
        if kept is None or ahead < 100:
            return None
        self.debts["hit"] -= 100
        return kept

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
        key = f"search:{VERSION}:{query}"
        self.counts["lookups"] += 1
        state = "miss"
        try:
            kept = self.lend(await self.cache.get(key))
        except redis.exceptions.RedisError:
            kept, state = None, "off"
        self.books.lookup(query, hit=kept is not None)
        if kept is not None:
            self.counts["hits"] += 1
            return Answer(200, json.loads(kept), {"x-cache": "hit"})
        results = await self.database.rows(
            "SELECT id, topic, title,"
            " round(ts_rank(search_vector, asked)::numeric, 4)::float8 AS rank"
            " FROM documents, websearch_to_tsquery('english', %s) AS asked"
            " WHERE search_vector @@ asked ORDER BY rank DESC, title LIMIT %s",
            [query, self.settings()["search"]["limit"]],
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
