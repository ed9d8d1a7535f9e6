from __future__ import annotations

from pathlib import Path

import pytest
import redis

from gonogo.errors import UsageError
from gonogo.services import Valkey


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, protocol=2)


def test_answers(valkey: str) -> None:
    with client(valkey) as line:
        assert line.ping()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_server(valkey: str, turn: int) -> None:
    with client(valkey) as line:
        assert line.dbsize() == 0
        line.set("turn", turn)


def test_numbered_databases_are_apart(valkey_server: Valkey, valkey: str) -> None:
    with client(valkey) as zero, client(valkey_server.url(3)) as three:
        three.set("here", 1)
        assert zero.exists("here") == 0


def test_comes_back_empty_on_the_same_port() -> None:
    with Valkey.start() as server, client(server.url()) as line:
        line.set("forgotten", 1)
        server.kill()
        assert server.pid is None
        server.restart()
        assert line.exists("forgotten") == 0


def test_leaves_nothing_behind_and_may_be_stopped_twice() -> None:
    server = Valkey.start()
    folder = server.log.parent
    server.stop()
    server.stop()
    assert not folder.exists()


def test_a_password_is_asked_for_when_one_was_set() -> None:
    with Valkey.start(password="p@ss \"w'rd") as server:
        with client(server.url()) as line:
            assert line.ping()
        with (
            client(f"redis://127.0.0.1:{server.port}/0") as line,
            pytest.raises(redis.AuthenticationError),
        ):
            line.ping()


def test_tells_what_the_setting_should_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    monkeypatch.setenv("GONOGO_REDIS_SERVER", str(program))
    with pytest.raises(UsageError) as caught:
        Valkey.start()
    assert f"GONOGO_REDIS_SERVER is `{program}`, expected the path" in caught.value.message
