from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests.metrics.logs import START_MS
from tests.metrics.reading import Source
from tests.support.hostile import saying
from tests.support.kinds import Silent, closed_port

from gonogo.plan.samples import Flaw, Sample

HITS = {"redis": "cache", "hits": "keyspace_hits", "misses": "keyspace_misses"}


def test_hits_and_misses_give_the_share_of_what_they_grew(tmp_path: Path, valkey: str) -> None:
    with redis.from_url(valkey) as client, Source(tmp_path, {"cache": valkey}, **HITS) as metric:
        client.set("a", 1)
        assert metric.read(0).samples == []
        for key in ("a", "a", "a", "gone"):
            client.get(key)
        assert metric.read(30).samples == [Sample(START_MS + 30_000, None, 3, 4)]
        client.get("gone")
        metric.crash()
        assert metric.read(60).samples == [Sample(START_MS + 60_000, None, 0, 1)]


def test_counters_that_are_reset_begin_anew(tmp_path: Path, valkey: str) -> None:
    with redis.from_url(valkey) as client, Source(tmp_path, {"cache": valkey}, **HITS) as metric:
        client.get("gone")
        metric.read(0)
        client.config_resetstat()
        batch = metric.read(30)
        assert batch.samples == []
        assert "was reset" in (batch.blind or "")
        client.get("gone")
        assert [(s.hits, s.total) for s in metric.read(60).samples] == [(0, 1)]


def test_a_field_of_info_is_a_gauge(tmp_path: Path, valkey: str) -> None:
    fields = {"redis": "cache", "value": "used_memory", "unit": "B"}
    with Source(tmp_path, {"cache": valkey}, **fields) as metric:
        (sample,) = metric.read(0).samples
        assert sample.value is not None
        assert sample.value > 1000


def test_a_counter_of_info_gives_an_amount(tmp_path: Path, valkey: str) -> None:
    fields = {"redis": "cache", "value": "keyspace_misses", "delta": True}
    with redis.from_url(valkey) as client, Source(tmp_path, {"cache": valkey}, **fields) as metric:
        metric.read(0)
        client.get("gone")
        client.get("gone")
        assert [s.value for s in metric.read(30).samples] == [2]


def test_an_answer_that_is_a_counter_gives_an_amount(tmp_path: Path, valkey: str) -> None:
    """What failed before the release does not count, as the number itself would."""
    fields = {"redis": "cache", "command": "GET stat:failed", "delta": True}
    with redis.from_url(valkey) as client, Source(tmp_path, {"cache": valkey}, **fields) as metric:
        client.set("stat:failed", 41)
        metric.read(0)
        client.incrby("stat:failed", 2)
        assert [s.value for s in metric.read(30).samples] == [2]
        assert [s.value for s in metric.read(60).samples] == [0]


@pytest.mark.parametrize(
    ("command", "value"), [("LLEN jobs", 3), ("GET depth", 12), ("DBSIZE", 2), ("LLEN none", 0)]
)
def test_a_command(tmp_path: Path, valkey: str, command: str, value: int) -> None:
    with redis.from_url(valkey) as client:
        client.rpush("jobs", 1, 2, 3)
        client.set("depth", 12)
    fields = {"redis": "cache", "command": command, "unit": "jobs"}
    with Source(tmp_path, {"cache": valkey}, **fields) as metric:
        assert [s.value for s in metric.read(0).samples] == [value]


@pytest.mark.parametrize(
    ("stored", "why"),
    [("fast", Flaw.TEXT), ("nan", Flaw.NOT_FINITE), ("-1", Flaw.NEGATIVE), (None, Flaw.MISSING)],
)
def test_an_answer_that_is_no_measurement_is_bad(
    tmp_path: Path, valkey: str, stored: str | None, why: Flaw
) -> None:
    if stored is not None:
        with redis.from_url(valkey) as client:
            client.set("v", stored)
    with Source(tmp_path, {"cache": valkey}, redis="cache", command="GET v") as metric:
        assert [bad.why for bad in metric.read(0).bad] == [why]


def test_a_lost_connection_is_opened_anew(tmp_path: Path, valkey: str) -> None:
    with redis.from_url(valkey) as client, Source(tmp_path, {"cache": valkey}, **HITS) as metric:
        metric.read(0)
        client.client_kill_filter(_type="normal", skipme=True)
        client.get("gone")
        assert [(s.hits, s.total) for s in metric.read(30).samples] == [(0, 1)]


def test_what_does_not_answer_is_blind_and_says_why(tmp_path: Path, silent: Silent) -> None:
    away = f"redis://:hunter2secret@127.0.0.1:{closed_port()}/0"
    with Source(tmp_path, {"cache": away}, **HITS) as metric:
        said = metric.read(0).blind or ""
        assert "connection refused" in said
        assert "hunter2secret" not in said
    mute = f"redis://127.0.0.1:{silent.port}/0"
    with Source(tmp_path, {"cache": mute}, **HITS, timeout="0.2s") as metric:
        assert "did not answer within 0.2 s" in (metric.read(0).blind or "")


def test_a_field_that_is_not_there_is_blind(tmp_path: Path, valkey: str) -> None:
    with Source(tmp_path, {"cache": valkey}, redis="cache", value="keyspace_hit") as metric:
        assert metric.read(0).blind == "INFO has no field `keyspace_hit`"


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$99999999999999999999\r\n", b"*1\r\n" * 100_000],
    ids=["another service", "length beyond all bounds", "lists without end"],
)
def test_what_is_no_reply_is_blind_and_says_why(tmp_path: Path, reply: bytes) -> None:
    with saying(reply) as port:
        targets = {"cache": f"redis://127.0.0.1:{port}"}
        with Source(tmp_path, targets, redis="cache", command="DBSIZE", unit="keys") as metric:
            batch = metric.read(0)
    assert batch.samples == []
    assert "does not speak as Redis does" in (batch.blind or "")


def test_a_reply_that_never_ends_is_blind_in_time(tmp_path: Path) -> None:
    over = threading.Event()

    def dripping() -> Iterator[bytes]:
        while not over.wait(0.2):
            yield b"x"

    with saying(b"$1000000\r\n", more=dripping) as port:
        targets = {"cache": f"redis://127.0.0.1:{port}"}
        fields = {"redis": "cache", "command": "GET a", "unit": "keys", "timeout": "0.5s"}
        with Source(tmp_path, targets, **fields) as metric:
            batch = metric.read(0)
        over.set()
    assert (batch.samples, bool(batch.blind)) == ([], True)
