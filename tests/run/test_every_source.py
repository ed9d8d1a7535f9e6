"""A real release watched over every kind of source at once, while the world around it fails.

One process of gonogo, real servers, a log that is written and rotated. Each run ends by itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import redis
from tests.crash.lives import Nursery, Run, left_behind, live
from tests.crash.toys import Toy
from tests.support.sink import HttpSink, http_sink

from gonogo.clock import SystemClock, moment, stamp
from gonogo.plan.samples import to_ms
from gonogo.run.journal import Event, broken_link
from gonogo.services import Postgres

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

MILD = "**Warn**: error rate > 50% for 1 bucket"


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


Staged = Callable[..., Stage]


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that the test stops and starts."""
    with Postgres.start() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE jobs (id int)")
            connection.execute("INSERT INTO jobs VALUES (1), (2), (3)")
        yield server


@pytest.fixture
def staged(tmp_path: Path, own_postgres: Postgres, valkey: str) -> Iterator[Staged]:
    runs: list[Run] = []
    folder = tmp_path / "shop"
    with ExitStack() as stack:
        sink = stack.enter_context(http_sink())
        world = World(folder, stack.enter_context(redis.from_url(valkey)))
        stack.enter_context(world.serving())

        def stage(
            lasting: int, *, triggers: Sequence[str] = SAFE, alerts: Sequence[str] = ()
        ) -> Stage:
            text = RUNBOOK.format(
                app=f"http://127.0.0.1:{world.port}",
                db=own_postgres.url(),
                cache=valkey,
                lasting=lasting,
                alerts="\n".join(f"- {one}" for one in alerts),
                triggers="\n".join(f"- {one} for 2 consecutive buckets" for one in triggers),
            )
            runs.append(Run(folder, Toy(1, text, "{}")))
            (folder / "dead").write_text("0\n")
            (folder / "access.jsonl").touch()
            stack.enter_context(world.used())
            return Stage(runs[-1], world, sink)

        yield stage
    for run in runs:
        run.close()
    assert left_behind(folder) == []


def once_each(stage: Stage) -> None:
    """Nobody has a message twice, and nothing that was due is left."""
    taken = Counter(post.key for post in stage.sink.taken)
    assert set(taken.values()) <= {1}, taken
    done = [e.item for e in stage.events("delivery.done") if e.body["outcome"] == "sent"]
    assert sorted(done) == sorted(taken)
    assert {e.item for e in stage.events("delivery.due")} == set(taken)


@pytest.mark.timeout(110)
def test_a_watch_over_everything_while_the_world_fails(
    staged: Staged, own_postgres: Postgres
) -> None:
    stage = staged(18, alerts=(MILD,))
    fates: dict[int, Callable[[], object]] = {
        1: stage.world.rotate,
        2: lambda: (own_postgres.kill(), setattr(stage.sink, "answer", 503)),
        4: stage.world.rotate,
        5: own_postgres.restart,
        6: lambda: setattr(stage.sink, "answer", 200),
    }

    def fate(*_: object) -> bool:
        for closed in [number for number in fates if number <= stage.closed()]:
            fates.pop(closed)()
        return False

    stage.play(fate)
    assert not fates, stage.run.errors()
    assert stage.world.rotations == 2
    assert stage.run.effects() == ["ship"], "no false rollback"
    assert stage.run.code == 3, stage.run.errors()  # some buckets of the queue are not known
    for name in ("home page", "cache misses", "slow requests", "dead jobs", "disk usage"):
        seen = stage.metric(name)[1:]
        assert [(m["why"], m["count"] != 0) for m in seen] == [([], True)] * len(seen), name
    _every_line_once(stage)
    _database_gone_and_back(stage)
    once_each(stage)


def _every_line_once(stage: Stage) -> None:
    starts = [int(str(e.body["start_ms"])) for e in stage.events("bucket.closed")]
    assert starts == list(range(starts[0], starts[-1] + 1, WIDTH_MS))
    for start, metric in list(zip(starts, stage.metric("error rate"), strict=True))[1:]:
        lines = [at for at in stage.world.written if start <= at < start + WIDTH_MS]
        assert (metric["count"], metric["why"]) == (len(lines), [])


def _database_gone_and_back(stage: Stage) -> None:
    queue = stage.metric("queue")
    blind = [place for place, metric in enumerate(queue) if metric["why"]]
    assert blind
    assert blind[-1] < len(queue) - 1, "seen again before the end"
    assert all("127.0.0.1" in str(queue[place]["why"]) for place in blind)
    assert stage.moves("no-data/queue")[0] == "firing"
    assert stage.moves("no-data/queue")[-1] in ("resolved", "inactive")
    assert [rule for rule in ("rollback/queue-100-jobs",) if stage.moves(rule)] == []
    told = [post.json["alerts"] for post in stage.sink.taken]
    states = [one["state"] for alerts in told for one in alerts if "queue" in one["id"]]
    assert states == ["firing", "resolved"]


@pytest.mark.timeout(110)
def test_two_triggers_in_the_same_second_are_one_rollback(staged: Staged) -> None:
    triggers = (
        "Error rate > 60%",
        "Home page > 50%",
        "Slow requests p99 > 5s",
        "Dead jobs > 9 jobs",
    )
    stage = staged(40, triggers=triggers, alerts=(MILD,))

    def break_all(*_: object) -> bool:
        if stage.closed() == 2 and stage.world.status == 200:
            stage.world.status, stage.world.slow_s = 500, 9.0
            (stage.run.folder / "dead").write_text("50 jobs\n")
        if stage.events("rollback.started"):
            stage.world.status, stage.world.slow_s = 200, 0.1
            (stage.run.folder / "dead").write_text("0\n")
        return False

    stage.play(break_all)
    assert stage.run.code == 4, stage.run.errors()
    fired = [e for e in stage.events("rule.moved") if e.body["after"] == "firing"]
    by_moment = Counter(e.body["closed_ms"] for e in fired if e.body["consequence"] == "rollback")
    assert max(by_moment.values()) >= 2, by_moment
    assert len(stage.events("rollback.started")) == 1
    assert stage.run.effects() == ["ship", "back"]
    rollbacks = [
        (one["state"], one["reason"])
        for post in stage.sink.taken
        for one in post.json["alerts"]
        if one["id"] == "rollback/1" and post.path == "/ana"
    ]
    assert rollbacks == [("firing", "first"), ("resolved", "resolved")]
    once_each(stage)


PAGES = "page/page-dead-jobs-9-jobs-for-2-buckets"


def _is_told(stage: Stage, name: str) -> bool:
    return any(e.item.endswith(f"/{name}/webhook") for e in stage.events("delivery.due"))


STATES: dict[str, Callable[[Stage], bool]] = {
    "pending": lambda stage: "pending" in stage.moves(PAGES),
    "firing": lambda stage: "firing" in stage.moves(PAGES),
    "sending": lambda stage: bool(stage.events("delivery.trying")),
    "delivered": lambda stage: bool(stage.events("delivery.done")),
    "escalated": lambda stage: any(
        e.item.endswith("/bob/webhook") for e in stage.events("delivery.due")
    ),
    "resolved": lambda stage: "resolved" in stage.moves(PAGES),
}


@pytest.mark.timeout(118)
def test_killed_in_every_state_of_an_alert_nobody_is_paged_twice(staged: Staged) -> None:
    stage = staged(36, alerts=("**Page**: dead jobs > 9 jobs for 2 buckets",))
    (stage.run.folder / "dead").write_text("50\n")
    killed: list[str] = []

    def kill(*_: object) -> bool:
        if "escalated" in killed:
            (stage.run.folder / "dead").write_text("0\n")
        state = next((name for name in STATES if name not in killed), None)
        if state is None or not STATES[state](stage):
            return False
        killed.append(state)
        return True

    stage.play(kill)
    assert killed == list(STATES)
    interrupted = {
        e.item for e in stage.events("delivery.tried") if e.body["failure"] == "interrupted"
    }
    taken = Counter(post.key for post in stage.sink.taken)
    assert {key for key, times in taken.items() if times > 1} <= interrupted
    done = Counter(e.item for e in stage.events("delivery.done"))
    assert set(done) == set(taken) == {e.item for e in stage.events("delivery.due")}
    assert set(done.values()) == {1}
    told = [
        (post.path, one["reason"])
        for key, post in {post.key: post for post in stage.sink.taken}.items()
        for one in post.json["alerts"]
        if "dead-jobs" in one["id"]
    ]
    assert sorted(told) == [
        ("/ana", "first"),
        ("/ana", "resolved"),
        ("/bob", "escalated"),
        ("/bob", "resolved"),
    ]
    assert stage.run.effects() == ["ship"]
