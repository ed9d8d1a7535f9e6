"""A shop that is released and watched over every kind of source, its traffic and its people."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import redis
from tests.crash.lives import Nursery, Run, live
from tests.support.sink import HttpSink

from gonogo.clock import SystemClock, moment, stamp
from gonogo.plan.samples import to_ms
from gonogo.run.journal import Event, broken_link

ROOT = Path(__file__).parents[2]
WIDTH_MS = 2_000
RUNBOOK = """---
gonogo: 1
service: shop
targets:
  app: {app}
  db: {db}
  cache: {cache}
metrics:
  error rate: {{ log: access.jsonl, ratio: "status >= 500", every: 1s, timeout: 1s }}
  home page:
    http: "{app}/"
    value: failures
    unit: "%"
    every: 1s
    timeout: 1s
    minimum samples: 1
  cache misses:
    redis: cache
    hits: keyspace_misses
    misses: keyspace_hits
    every: 1s
    timeout: 1s
  slow requests:
    prometheus: app
    query: slow
    count: requests
    stat: p99
    unit: s
    every: 1s
    timeout: 1s
  dead jobs: {{ command: "cat dead", unit: jobs, every: 1s, timeout: 1s }}
  queue: {{ sql: db, query: "SELECT count(*) FROM jobs", unit: jobs, every: 1s, timeout: 1s }}
  disk usage: {{ host: disk, path: ., every: 1s, timeout: 1s }}
contacts:
  ana: {{ webhook: $HOOK }}
  bob: {{ webhook: $HOOK_OF_BOB }}
alerts:
  page: [ana, bob after 3s]
  warn: ana
  group: 1s
  repeat: 1h
---
# Shop: release

## Deployment

- Ship it
  ```bash
  echo ship >>effects
  ```
  - Kind: action

## Watch for {lasting} seconds in 2-second buckets

### Alerts
{alerts}

## Rollback

### Triggers
{triggers}

### Option 1: previous release

- Go back
  ```bash
  echo back >>effects
  ```
  - Kind: action
"""
SAFE = (
    "Error rate > 60%",
    "Home page > 50%",
    "Cache misses > 90%",
    "Slow requests p99 > 5s",
    "Dead jobs > 100 jobs",
    "Queue > 100 jobs",
    "Disk usage > 99.99%",
)


@dataclass
class World:
    """What is released, and what it stands on: traffic of about 30 requests a second."""

    folder: Path
    cache: redis.Redis
    status: int = 200  # of every request from now on
    slow_s: float = 0.1
    written: list[int] = field(default_factory=list)  # the time of each line of the log
    port: int = 0
    rotations: int = 0
    _rotates: int = 0

    def rotate(self) -> None:
        """Have the log renamed and begun anew before its next line."""
        self._rotates += 1

    @contextmanager
    def serving(self) -> Iterator[World]:
        """Answer requests, on a port of its own."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    @contextmanager
    def used(self) -> Iterator[World]:
        """Have people use it: its log grows, its cache is asked."""
        over = threading.Event()
        thread = threading.Thread(target=self._traffic, args=(over,))
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()

    def _traffic(self, over: threading.Event) -> None:
        self.cache.set("page", "x")
        path = self.folder / "access.jsonl"
        log = path.open("a")
        while not over.wait(1 / 30):
            self.cache.get("page")
            while self.rotations < self._rotates:
                log.close()
                self.rotations += 1
                path.rename(path.with_suffix(f".jsonl.{self.rotations}"))
                log = path.open("a")
            said = stamp(SystemClock().now())
            self.written.append(to_ms(moment(said)))
            log.write(json.dumps({"time": said, "status": self.status}) + "\n")
            log.flush()
        log.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                figure = {"slow": world.slow_s, "requests": 1_000}
                asked = self.path.partition("query=")[2].partition("&")[0]
                result = [{"metric": {}, "value": [1, str(figure.get(asked, 0))]}]
                data = {"status": "success", "data": {"resultType": "vector", "result": result}}
                text = json.dumps(data).encode() if "/api/v1/query" in self.path else b"hello"
                self.send_response(200 if "/api/" in self.path else world.status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815 - as the server calls it

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                return

        return Handler


@dataclass
class Stage:
    """A run in its world, with the people that are told."""

    run: Run
    world: World
    sink: HttpSink

    def play(self, killer: Callable[[Run, int, float], bool]) -> None:
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        more = {"HOOK": self.sink.url("/ana"), "HOOK_OF_BOB": self.sink.url("/bob")}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            env={**os.environ, "PYTHONPATH": paths, "GONOGO_HOME": ".gonogo", **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                live(self.run, Nursery(process), killer)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # nothing of a failed test goes on
                raise
            assert process.stdin is not None
            process.stdin.close()
        assert "Traceback" not in self.run.errors(), self.run.errors()
        assert broken_link(self.run.events()) is None

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.run.events() if event.kind == kind]

    def moves(self, rule: str) -> list[str]:
        return [str(e.body["after"]) for e in self.events("rule.moved") if e.body["rule"] == rule]

    def closed(self) -> int:
        return len(self.events("bucket.closed"))

    def metric(self, name: str) -> list[dict[str, object]]:
        found = [event.body["metrics"] for event in self.events("bucket.closed")]
        return [metrics[name] for metrics in found]  # type: ignore[index]
