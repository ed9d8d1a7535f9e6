"""A real release watched over every kind of source at once, while the world around it fails.

One process of gonogo, real servers, a log that is written and rotated. Each run ends by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis
from tests.crash.lives import Run, left_behind
from tests.crash.toys import Toy
from tests.run.shop import RUNBOOK, SAFE, WIDTH_MS, Stage, World
from tests.support.sink import http_sink

from gonogo.services import Postgres

MILD = "**Warn**: error rate > 50% for 1 bucket"
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
