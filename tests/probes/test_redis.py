"""Redis checks against a real Valkey or Redis."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import redis as client
from tests.support.hostile import saying
from tests.support.kinds import Silent, a_context

from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Datum, Effect, Observation
from gonogo.probes.redis import Redis


def ask(url: str, folder: Path, command: str = "", **more: str) -> Observation:
    context = a_context(folder, targets={"cache": url}, variables={"KEY": "a b"})
    return Redis(command=command, **more).perform(context)


@pytest.fixture
def filled(valkey: str) -> str:
    with client.Redis.from_url(valkey) as server:
        server.set("a b", "42")
        server.set("text", "0042")
        server.set("part", "0.10")
        server.rpush("queue", "x", "y")
        server.hset("h", mapping={"f": "1", "g": "z"})
        server.mset({f"session:{n}": n for n in range(2500)})
    return valkey


REPLIES: dict[str, Datum] = {
    "PING": "PONG",
    "GET ${KEY}": 42,
    "GET 'a b'": 42,
    "GET text": "0042",
    "GET part": Decimal("0.10"),
    "GET missing": None,
    "EXISTS text": 1,
    "LLEN queue": 2,
    "LRANGE queue 0 -1": ["x", "y"],
    "HGETALL h": {"f": 1, "g": "z"},
    "STRLEN text": 4,
    "TTL text": -1,
    "DBSIZE": 2505,
    "EVAL_RO 'return #redis.call(\"KEYS\", ARGV[1])' 0 session:*": 2500,
}


@pytest.mark.parametrize("command", REPLIES)
def test_a_reply_is_a_typed_value(command: str, filled: str, tmp_path: Path) -> None:
    seen = ask(filled, tmp_path, command)
    assert seen.indicators["reply"] == REPLIES[command]
    assert seen.indicators["value"] == seen.indicators["reply"]


def test_info_and_config_give_their_fields_by_name(filled: str, tmp_path: Path) -> None:
    info = ask(filled, tmp_path, "INFO").indicators
    assert isinstance(info["keyspace_hits"], int)
    keys = info["db0"]
    assert isinstance(keys, dict)
    assert keys["keys"] == 2505
    assert ask(filled, tmp_path, "CONFIG GET maxmemory").indicators["maxmemory"] == 0


def test_keys_of_a_pattern_are_counted_each_once(filled: str, tmp_path: Path) -> None:
    assert ask(filled, tmp_path, keys="session:*").indicators["keys"] == 2500
    assert ask(filled, tmp_path, keys="no:*").indicators["keys"] == 0


@pytest.mark.parametrize(
    "command",
    [
        "SET a 1",
        "DEL a",
        "FLUSHALL",
        "KEYS *",
        "EVAL 'return 1' 0",
        "CONFIG SET a 1",
        "GET 'open",
        "no",
    ],
)
def test_a_command_that_may_write_is_refused_and_never_sent(
    command: str, filled: str, tmp_path: Path
) -> None:
    (mistake,) = Redis(command=command).review()
    assert mistake.severity is Severity.ERROR
    assert mistake.hint
    with pytest.raises(WorkError):
        ask(filled, tmp_path, command)
    assert ask(filled, tmp_path, "DBSIZE").indicators["value"] == 2505


def test_an_error_reply_is_an_error(filled: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="WRONGTYPE"):
        ask(filled, tmp_path, "GET queue")


def test_a_wrong_password_is_told_without_it(valkey: str, tmp_path: Path) -> None:
    url = valkey.replace("://", "://:hunter22secret@")
    with pytest.raises(WorkError) as caught:
        ask(url, tmp_path, "PING")
    assert "hunter22secret" not in caught.value.message + caught.value.hint


def test_silence_is_an_error_in_time(silent: Silent, tmp_path: Path) -> None:
    context = a_context(tmp_path, timeout_s=0.5)
    with pytest.raises(WorkError, match=r"did not answer within 0.5 s"):
        Redis(on=f"redis://127.0.0.1:{silent.port}/0", command="PING").perform(context)


def test_another_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no address of a Redis or Valkey server"):
        ask("http://localhost/", tmp_path, "PING")


def test_exactly_one_question_is_asked() -> None:
    for block in (Redis(), Redis(command="PING", keys="*")):
        assert [d.code for d in block.review()] == ["GN517"]
    assert Redis(keys="*").review() == ()


def test_only_ping_has_a_default_expectation() -> None:
    assert Redis(command="ping").default_expectation(Effect.CHECK) == 'reply = "PONG"'
    assert Redis(command="DBSIZE").default_expectation(Effect.CHECK) is None


def test_names_are_found_with_their_place_in_the_block() -> None:
    body = "check: redis\non: ${CACHE}\ncommand: GET {{KEY}}\n"
    block = Redis(on="${CACHE}", command="GET {{KEY}}", body=body)
    assert [(v.name, v.span.line) for v in block.variables()] == [("CACHE", 2), ("KEY", 3)]


def test_a_reply_of_lists_in_lists_is_an_error(tmp_path: Path) -> None:
    with saying(b"*1\r\n" * 150 + b":1\r\n") as port:
        context = a_context(tmp_path, targets={"cache": f"redis://127.0.0.1:{port}"})
        with pytest.raises(WorkError, match="nested deeper"):
            Redis(command="ROLE").perform(context)
