"""Campaigns: agents work on campaigns, pages show how far they are, changes are pushed.

A plain ASGI program for both releases; `release.json` beside it says which one it is and which
features it has. Settings: DATABASE_URL, CACHE_URL, QUEUE_URL, CAMPAIGNS_HOME (the folder with
logs/ and faults.json). Release v2 needs migrations up to 0003.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import psycopg
import redis.asyncio
import redis.exceptions
from cable import HUB
from jobs import QUEUE, job
from pages import page, table

from store import CHANGES, FEATURES, ONLINE_FOR_S, VERSION, Database, Log, fault, trouble

CACHED_FOR_S = 300
LONGEST_BODY = 10_000
LONGEST_NAME = 80
MOST_TASKS = 1000
AGENTS = """
SELECT id, name, last_seen_at > now() - make_interval(secs => %s) AS online
FROM agents WHERE in_service ORDER BY name
"""
METRICS = """
SELECT a.name, m.tasks_done, m.busiest_hour
FROM agent_metrics AS m JOIN agents AS a ON a.id = m.agent_id ORDER BY a.name
"""
CAMPAIGNS = """
SELECT c.id, c.name, count(t.id) AS tasks, count(t.id) FILTER (WHERE t.state = 'done') AS done
FROM campaigns AS c LEFT JOIN tasks AS t ON t.campaign_id = c.id GROUP BY c.id ORDER BY c.id
"""
PROGRESS = """
SELECT id, name, tasks_total AS tasks, tasks_done AS done,
    CASE WHEN tasks_done = tasks_total THEN 0
         ELSE ceil((tasks_total - tasks_done) * 60.0 / nullif((
             SELECT count(*) FROM tasks
             WHERE campaign_id = campaigns.id AND done_at > now() - interval '1 minute'), 0))
    END::int AS eta_s
FROM campaigns ORDER BY id
"""


@dataclass
class Answer:
    status: int
    body: object  # a text is HTML, everything else JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    agent: str  # what the asking program calls itself
    wants_json: bool
    body: bytes


class Campaigns:
    """The service: its routes, its caches, what it pushes, its logs."""

    def __init__(self) -> None:
        self.database = Database(os.environ["DATABASE_URL"])
        limits = {"socket_timeout": 2, "socket_connect_timeout": 2}
        self.cache = redis.asyncio.Redis.from_url(os.environ["CACHE_URL"], **limits)
        self.queue = redis.asyncio.Redis.from_url(os.environ["QUEUE_URL"], **limits)
        self.access = Log("access.jsonl")
        self.log = Log("app.jsonl")
        HUB.on_error = lambda message: trouble(self.log, "cable", f"WebSocket: {message}")
        HUB.refuse = lambda: "the channel is not available" if fault("socket errors") else ""
        self.routes: dict[tuple[str, str], Callable[[Request], Awaitable[Answer]]] = {
            ("GET", "/"): self.campaigns,
            ("GET", "/up"): self.up,
            ("GET", "/agents"): self.agents,
            ("GET", "/campaigns"): self.campaigns,
            ("POST", "/campaigns"): self.create,
            ("DELETE", "/campaigns"): self.remove,
        }
        if "system health" in FEATURES:
            self.routes["GET", "/system_health"] = self.system_health

    async def up(self, _: Request) -> Answer:
        """Say which release runs and whether it reaches its database; both releases have this."""
        columns = "tasks_done" if "progress" in FEATURES else "name"
        try:
            await self.database.rows(f"SELECT {columns} FROM campaigns LIMIT 1")
        except psycopg.Error:
            return Answer(503, {"status": "failed", "version": VERSION})
        return Answer(200, {"status": "ok", "version": VERSION})

    async def agents(self, request: Request) -> Answer:
        agents = await self.database.rows(AGENTS, [ONLINE_FOR_S])
        metrics: list[dict[str, Any]] = []
        if "agent metrics" in FEATURES:
            metrics = await self.kept("agent_metrics", lambda: self.database.rows(METRICS))
        done = {row["name"]: row for row in metrics}
        listed = [agent | done.get(agent["name"], {}) for agent in agents]
        online = sum(agent["online"] for agent in agents)
        if request.wants_json:
            return Answer(200, {"agents": listed, "online": online, "total": len(agents)})
        columns = ["name", "online", *(["tasks_done", "busiest_hour"] if metrics else [])]
        return self.shown("Agents", table(columns, listed))

    async def campaigns(self, request: Request) -> Answer:
        if seconds := fault("page load"):
            await asyncio.sleep(float(seconds))
        if "progress" in FEATURES:
            listed = await self.kept("campaign_eta", lambda: self.database.rows(PROGRESS))
        else:
            listed = await self.database.rows(CAMPAIGNS)
        for row in listed:
            row["percent"] = round(100 * row["done"] / row["tasks"]) if row["tasks"] else 0
        if request.wants_json:
            return Answer(200, {"campaigns": listed, "total": len(listed)})
        eta = ["eta_s"] if "progress" in FEATURES else []
        return self.shown("Campaigns", table(["name", "tasks", "done", "percent", *eta], listed))

    async def create(self, request: Request) -> Answer:
        try:
            asked = json.loads(request.body)
            name, tasks = " ".join(str(asked["name"]).split()), int(asked.get("tasks", 10))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Answer(400, {"error": "expected JSON with a `name`, and `tasks` as a number"})
        if not 0 < len(name) <= LONGEST_NAME or not 0 < tasks <= MOST_TASKS:
            return Answer(422, {"error": f"a name, and 1 to {MOST_TASKS} tasks"})
        if fault("create broken"):
            raise RuntimeError("the form cannot be saved")
        made = await self.database.rows(
            "WITH made AS (INSERT INTO campaigns (name) VALUES (%s)"
            " ON CONFLICT (name) DO NOTHING RETURNING id), filled AS ("
            "INSERT INTO tasks (campaign_id) SELECT id FROM made, generate_series(1, %s))"
            " SELECT id FROM made",
            [name, tasks],
        )
        if not made:
            return Answer(409, {"error": "a campaign of this name is there"})
        campaign = made[0]["id"]
        async with self.queue.pipeline() as pipe:
            pipe.sadd("queues", QUEUE)
            pipe.lpush(f"queue:{QUEUE}", job("CampaignJob", campaign))
            await pipe.execute()
        await self.changed({"event": "created", "campaign": campaign, "name": name})
        return Answer(201, {"id": campaign, "name": name, "tasks": tasks})

    async def remove(self, request: Request) -> Answer:
        name = request.query.get("name", [""])[0]
        gone = await self.database.rows(
            "DELETE FROM campaigns WHERE name = %s RETURNING id, name", [name]
        )
        if not gone:
            return Answer(404, {"error": "there is no campaign of this name"})
        await self.changed({"event": "removed", "campaign": gone[0]["id"], "name": name})
        return Answer(200, {"removed": name})

    async def changed(self, message: dict[str, Any]) -> None:
        """Forget what is no longer true, and tell every process that something changed."""
        await self.cache.unlink(f"cache:{VERSION}:campaign_eta")
        await self.queue.publish(CHANGES, json.dumps(message))

    async def system_health(self, request: Request) -> Answer:
        async def look() -> dict[str, Any]:
            agents = await self.database.rows(AGENTS, [ONLINE_FOR_S])
            beats = [
                float(await self.queue.hget(name, "beat") or 0)
                for name in await self.queue.smembers("processes")
            ]
            sets = {name: await self.queue.zcard(name) for name in ("retry", "dead")}
            online = sum(agent["online"] for agent in agents)
            return {"agents_online": online, "agents": len(agents), "failed_jobs": sets} | {
                "worker": any(beat > time.time() - 2 * ONLINE_FOR_S for beat in beats)
            }

        states = {"database": "healthy", "cache": "healthy", "queue": "healthy"}
        seen: dict[str, Any] = {}
        try:
            seen = await look()
            await self.kept("health_check", look)
        except psycopg.Error:
            states["database"] = "unhealthy"
        except redis.exceptions.RedisError:
            states["cache"] = states["queue"] = "unhealthy"
        states["worker"] = "healthy" if seen.get("worker") else "unhealthy"
        all_there = seen and seen["agents_online"] == seen["agents"]
        states["agents"] = "healthy" if all_there else "unhealthy"
        well = all(state == "healthy" for state in states.values())
        status = "healthy" if well else "unhealthy"
        body = {"status": status, "version": VERSION, "services": states, **seen}
        code = 200 if well else 503
        if request.wants_json:
            return Answer(code, body)
        rows = [{"service": name, "state": state} for name, state in states.items()]
        answer = self.shown("System health", f"<p>{status}</p>" + table(["service", "state"], rows))
        return Answer(code, answer.body)

    async def kept(self, name: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """Return what the cache has under this name; look, and keep it, when there is nothing."""
        key = f"cache:{VERSION}:{name}"
        found = await self.cache.get(key)
        if found is not None:
            return json.loads(found)
        fresh = await look()
        text = json.dumps(fresh, default=str)
        if fault("cache empty") != name:
            await self.cache.set(key, text, ex=CACHED_FOR_S)
        return json.loads(text)

    def shown(self, title: str, content: str) -> Answer:
        return Answer(200, page(title, content, VERSION))

    async def answer(self, request: Request) -> Answer:
        route = self.routes.get((request.method.replace("HEAD", "GET"), request.path))
        if route is not None:
            return await route(request)
        if any(path == request.path for _, path in self.routes):
            return Answer(405, {"error": "method not allowed"})
        return Answer(404, {"error": "not found"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        began = time.perf_counter()
        request = await self.read(scope, receive)
        try:
            answer = await self.answer(request)
        except Exception as error:  # noqa: BLE001 - a request must be answered whatever happens
            trouble(self.log, "web", f"{request.method} {request.path}: {error!r}")
            known = isinstance(error, psycopg.OperationalError | redis.exceptions.RedisError)
            answer = Answer(503 if known else 500, {"error": "not available"})
        self.access.write(
            method=request.method,
            path=request.path,
            status=answer.status,
            duration_ms=round((time.perf_counter() - began) * 1000, 2),
            user_agent=request.agent,
        )
        await self.send(request, answer, send)

    async def read(self, scope: Any, receive: Any) -> Request:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        body, more = b"", True
        while more and len(body) <= LONGEST_BODY:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        path = unquote(scope["path"])
        return Request(
            method=scope["method"],
            path=path.removesuffix(".json"),
            query=parse_qs(scope["query_string"].decode("latin-1")),
            agent=headers.get(b"user-agent", ""),
            wants_json=path.endswith(".json") or "json" in headers.get(b"accept", ""),
            body=body,
        )

    async def send(self, request: Request, answer: Answer, send: Any) -> None:
        if isinstance(answer.body, str):
            kind, content = "text/html; charset=utf-8", answer.body.encode()
        else:
            kind, content = "application/json", json.dumps(answer.body, default=str).encode()
        headers = {**answer.headers, "content-type": kind, "content-length": str(len(content))}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        body = b"" if request.method == "HEAD" else content
        await send({"type": "http.response.body", "body": body})

    async def tell_changes(self) -> None:
        """Push what the web processes and the worker publish to whoever has subscribed."""
        while True:
            try:
                source = redis.asyncio.Redis.from_url(os.environ["QUEUE_URL"])
                async with source.pubsub() as channel:
                    await channel.subscribe(CHANGES)
                    async for found in channel.listen():
                        if found["type"] == "message" and not fault("silent"):
                            HUB.broadcast(json.loads(found["data"]))
            except redis.exceptions.RedisError as error:
                trouble(self.log, "cable", f"WebSocket: no changes from the queue: {error}")
                await asyncio.sleep(1)

    async def live(self, receive: Any, send: Any) -> None:
        telling = asyncio.create_task(self.tell_changes())
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        telling.cancel()
        await self.database.close()
        await self.cache.aclose()
        await self.queue.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def serve() -> None:
    """Serve until SIGTERM at the address of APP_URL."""
    from urllib.parse import urlsplit

    import uvicorn
    from cable import Cable

    place = urlsplit(os.environ["APP_URL"])
    uvicorn.run(
        Campaigns(),
        host=str(place.hostname),
        port=place.port or 80,
        ws=Cable,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    serve()
