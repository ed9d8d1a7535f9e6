"""A connection to Redis or Valkey: single questions, many at once, and what it is called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests.support.hostile import saying
from tests.support.kinds import a_context, closed_port

from gonogo.databases.redis import Connection, fields, reason
from gonogo.errors import WorkError
from gonogo.redaction import Redactor


def test_many_commands_are_answered_in_their_order(valkey: str, tmp_path: Path) -> None:
    with Connection("cache", a_context(tmp_path, targets={"cache": valkey})) as server:
        sent = [("SET", f"k{n}", b"\xff" * n) for n in range(2000)]
        assert set(server.say_all(sent)) == {b"OK"}
        assert server.say_all([("STRLEN", f"k{n}") for n in range(2000)]) == list(range(2000))
        assert server.say_all([]) == []
        assert sum(len(keys) for keys in server.scan("k*")) >= 2000


def test_one_refused_command_of_many_is_an_error(valkey: str, tmp_path: Path) -> None:
    context = a_context(tmp_path, targets={"cache": valkey})
    with (
        Connection("cache", context) as server,
        pytest.raises(WorkError, match="answered with an error"),
    ):
        server.say_all([("SET", "a", "x"), ("INCR", "a")])


NAMES = {
    "redis://:secret@cache.example:7000/3": "cache.example:7000/3",
    "valkey://ana:secret@cache.example": "cache.example:6379/0",
    "unix:///run/redis.sock?db=2": "/run/redis.sock/2",
}


@pytest.mark.parametrize("address", NAMES)
def test_a_database_is_named_without_its_password(address: str, tmp_path: Path) -> None:
    context = a_context(tmp_path, targets={"cache": address})
    assert Connection("cache", context).database == NAMES[address]


def test_what_cannot_be_reached_is_told(tmp_path: Path) -> None:
    port = closed_port()
    context = a_context(tmp_path, targets={"cache": f"redis://:s3cr3t@127.0.0.1:{port}/0"})
    with (
        pytest.raises(WorkError, match="nothing answers at") as caught,
        Connection("cache", context),
    ):
        pass
    assert "s3cr3t" not in caught.value.message
    assert "target `cache`" in caught.value.hint


def test_a_server_that_loads_its_data_is_told() -> None:
    error = redis.BusyLoadingError("loading")
    assert reason(error, "here", 1.0, Redactor())[0] == "`here` is still loading its data"


def test_the_fields_of_info() -> None:
    found = fields(b"# Keyspace\r\ndb0:keys=3,expires=1\r\nused_memory:12\r\n")
    assert found == {
        "db0": "keys=3,expires=1", "db0.keys": "3", "db0.expires": "1", "used_memory": "12"
    }  # fmt: skip


GARBLED = {
    "another service": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "length in words": b"$many\r\n",
    "length beyond all bounds": b"$99999999999999999999\r\n",
    "number of 5000 digits": b":" + b"9" * 5000 + b"\r\n",
    "lists in lists without end": b"*1\r\n" * 100_000,
}


@pytest.mark.parametrize("case", GARBLED)
def test_what_is_no_reply_is_told(case: str, tmp_path: Path) -> None:
    with saying(GARBLED[case]) as port:
        context = a_context(tmp_path, targets={"cache": f"redis://127.0.0.1:{port}/0"})
        with (
            Connection("cache", context) as server,
            pytest.raises(WorkError, match="does not speak as Redis does"),
        ):
            server.say("PING")


@pytest.mark.parametrize(
    "reply", [b":7\r\n", b"*0\r\n", b"$-1\r\n", b"*2\r\n$1\r\n0\r\n:5\r\n", b"*2\r\n*0\r\n*0\r\n"]
)
def test_keys_are_only_taken_from_an_answer_to_scan(reply: bytes, tmp_path: Path) -> None:
    with saying(reply) as port:
        context = a_context(tmp_path, targets={"cache": f"redis://127.0.0.1:{port}/0"})
        with Connection("cache", context) as server, pytest.raises(WorkError, match="to SCAN"):
            list(server.scan("*"))


def test_a_reply_that_never_ends_is_left_in_time(tmp_path: Path) -> None:
    over = threading.Event()

    def dripping() -> Iterator[bytes]:
        while not over.wait(0.2):
            yield b"x"

    with saying(b"$1000000\r\n", more=dripping) as port:
        context = a_context(
            tmp_path, targets={"cache": f"redis://127.0.0.1:{port}/0"}, timeout_s=0.5
        )
        with (
            Connection("cache", context) as server,
            pytest.raises(WorkError, match=r"did not end its answer within 0\.5 s"),
        ):
            server.say("GET", "a")
        over.set()
