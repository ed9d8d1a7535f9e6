"""Clearing a cache by pattern on a real server: nothing else goes, and a queue never does."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as client
from tests.support.hostile import saying
from tests.support.kinds import Silent, StopAfter, a_context

from gonogo.actions.clear import Clear, prefix_of
from gonogo.errors import WorkError
from gonogo.plan.kinds import Effect, Observation


def clear(url: str, folder: Path, keys: str, **more: str) -> Observation:
    variables = {"VERSION": "v2", "NOTHING": ""} | more
    context = a_context(folder, targets={"cache": url}, variables=variables, effect=Effect.ACTION)
    return Clear(keys=keys).perform(context)


@pytest.fixture
def filled(valkey: str) -> str:
    with client.Redis.from_url(valkey) as server:
        server.flushdb()
        server.mset({f"search:v2:{n}": n for n in range(2500)})
        server.mset({"search:v1:1": 1, "session:1": 1})
        server.hset("search:v2:counts", mapping={"a": "1"})
        server.rpush("search:v2:waiting", "job")
        server.rpush("queue:default", "job")
    return valkey


def test_the_keys_of_the_pattern_go_and_no_others(filled: str, tmp_path: Path) -> None:
    seen = clear(filled, tmp_path, "search:${VERSION}:*")
    found = dict(seen.indicators)
    del found["duration"]
    assert found == {"removed": 2501, "left": 0, "value": 0, "kept": 1}
    assert "search:v2:waiting" in seen.text
    with client.Redis.from_url(filled) as server:
        assert sorted(server.keys()) == [
            b"queue:default", b"search:v1:1", b"search:v2:waiting", b"session:1",
        ]  # fmt: skip


def test_once_more_is_harmless(filled: str, tmp_path: Path) -> None:
    clear(filled, tmp_path, "search:v2:*")
    assert clear(filled, tmp_path, "search:v2:*").indicators["removed"] == 0


@pytest.mark.parametrize(
    ("pattern", "fixed"),
    [
        ("search:v2:*", "search:v2:"),
        ("*", ""),
        ("?ession:*", ""),
        ("${PREFIX}:*", ""),
        ("{{service}}:*", ""),
        ("session", "session"),
        ("a[bc]*", "a"),
    ],
)
def test_the_fixed_beginning_of_a_pattern(pattern: str, fixed: str) -> None:
    assert prefix_of(pattern) == fixed


@pytest.mark.parametrize("pattern", ["*", "?ession:*", "${PREFIX}:*", "a*"])
def test_a_pattern_without_a_fixed_beginning_destroys(pattern: str) -> None:
    assert [loss.target for loss in Clear(keys=pattern).destroys()] == ["cache"]


def test_a_fixed_pattern_needs_no_confirmation() -> None:
    assert Clear(keys="search:v2:*").destroys() == ()


def test_a_variable_that_is_empty_does_not_widen_the_pattern(filled: str, tmp_path: Path) -> None:
    seen = clear(filled, tmp_path, "search:${NOTHING}zz*")
    assert seen.indicators["removed"] == 0


def test_no_pattern_is_a_mistake_before_the_run() -> None:
    assert [d.code for d in Clear().review()] == ["GN517"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://127.0.0.1:1/0", "nothing answers at `127.0.0.1:1/0`"),
        ("http://127.0.0.1:1/", "is no address of a Redis or Valkey server"),
    ],
)
def test_what_cannot_be_reached_says_so(url: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError) as caught:
        clear(url, tmp_path, "search:v2:*")
    assert why in str(caught.value)


def test_a_server_that_never_answers_ends_in_time(silent: Silent, tmp_path: Path) -> None:
    context = a_context(tmp_path, effect=Effect.ACTION, timeout_s=0.5)
    with pytest.raises(WorkError):
        Clear(on=f"redis://127.0.0.1:{silent.port}/0", keys="search:v2:*").perform(context)


def test_a_wish_to_stop_is_heard_between_two_parts(filled: str, tmp_path: Path) -> None:
    context = a_context(
        tmp_path,
        targets={"cache": filled},
        effect=Effect.ACTION,
        should_stop=StopAfter(1),
    )
    with pytest.raises(WorkError, match="stopped"):
        Clear(keys="search:v2:*").perform(context)


def test_an_answer_that_is_no_number_of_keys_is_no_success(tmp_path: Path) -> None:
    answers = (b"*2\r\n$1\r\n0\r\n*1\r\n$6\r\nsearch\r\n", b"+string\r\n", b"+OK\r\n")
    with saying(*answers) as port:
        context = a_context(tmp_path, targets={"cache": f"redis://127.0.0.1:{port}"})
        with pytest.raises(WorkError, match="UNLINK is no number") as caught:
            Clear(keys="search*").perform(context)
    assert caught.value.failed
