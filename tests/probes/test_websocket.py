"""WebSockets: what is told and what is not are observations; what is no WebSocket is an error."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.kinds import Answering, Silent, StopAfter, a_context, closed_port
from tests.support.sockets import Sockets

from gonogo.errors import WorkError
from gonogo.plan.kinds import Datum, Effect, Role
from gonogo.plan.units import Quantity
from gonogo.probes.websocket import WebSocket

SECRET = "s3cr3t-of-the-test"


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """A WebSocket server that behaves as its paths say."""
    with Sockets.start() as server:
        yield server


def look(work: WebSocket, place: Path, **more: object) -> dict[str, Datum]:
    return dict(work.perform(a_context(place, **more)).indicators)  # type: ignore[arg-type]


def test_a_change_is_caused_and_the_message_about_it_seen(
    sockets: Sockets, web: Answering, tmp_path: Path
) -> None:
    work = WebSocket(
        url="{{app}}/tells",
        channel="Room",
        trigger='POST {{web}}/status/201\n\n{"name": "${NAME}"}',
        contains='"created"',
    )
    targets = {"app": f"http://127.0.0.1:{sockets.port}", "web": web.url}
    found = look(work, tmp_path, targets=targets, variables={"NAME": "a test"})
    latency = found.pop("latency")
    assert isinstance(latency, Quantity)
    assert latency.unit == "s"
    assert found.pop("connect")
    assert found == {
        "connected": True,
        "status": 101,
        "protocol": None,
        "confirmed": True,
        "messages": 1,
        "value": 1,
        "message": {"event": "created"},
        "trigger status": 201,
    }
    method, _, headers, body = web.seen[0]
    assert (method, body) == ("POST", '{"name": "a test"}')
    assert headers["User-Agent"].startswith("gonogo/")
    assert headers["Content-Type"] == "application/json"
    assert "Sec-WebSocket-Protocol: actioncable-v1-json" in sockets.seen[0]
    assert r'"identifier": "{\"channel\":\"Room\"}"' in sockets.seen[1]


def test_a_subscription_without_a_message_is_confirmed_and_says_nothing_more(
    sockets: Sockets, tmp_path: Path
) -> None:
    found = look(WebSocket(url=sockets.url("subscribes"), channel="Room"), tmp_path)
    assert (found["connected"], found["confirmed"], found["messages"]) == (True, True, 0)
    assert "latency" not in found


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("subscribes", {"trigger": "GET {{web}}/"}),
        ("other-channel", {"trigger": "GET {{web}}/"}),
        ("tells", {"contains": "removed"}),
        ("echo", {"send": "hello", "channel": "", "contains": "bye"}),
    ],
    ids=["nothing is told", "another channel is told", "another event", "another answer"],
)
def test_a_message_that_does_not_come_in_time_is_an_observation(
    sockets: Sockets, web: Answering, tmp_path: Path, path: str, more: dict[str, str]
) -> None:
    fields: dict[str, str] = {"channel": "Room", **more}
    work = WebSocket(url=sockets.url(path), within_s=0.3, **fields)  # type: ignore[arg-type]
    found = look(work, tmp_path, targets={"web": web.url})
    assert (found["messages"], found["message"]) == (0, None)
    assert "latency" not in found
    assert work.default_expectation(Effect.CHECK) == "messages > 0"


def test_a_rejected_subscription_pulls_no_trigger(
    sockets: Sockets, web: Answering, tmp_path: Path
) -> None:
    work = WebSocket(url=sockets.url("rejects"), channel="Room", trigger="POST {{web}}/")
    found = look(work, tmp_path, targets={"web": web.url})
    assert (found["connected"], found["confirmed"], found["messages"]) == (True, False, 0)
    assert "trigger status" not in found
    assert web.seen == []


def test_a_plain_server_is_greeted_and_answers(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(
        url=sockets.url("echo"),
        send='{"hello": "${NAME}"}',
        headers={"Authorization": "Bearer ${TOKEN}"},
        protocol="chat",
    )
    found = look(work, tmp_path, variables={"NAME": "you", "TOKEN": "abc"})
    assert (found["messages"], found["message"]) == (1, {"hello": "you"})
    assert "confirmed" not in found
    assert "Authorization: Bearer abc" in sockets.seen[0]
    assert "Sec-WebSocket-Protocol: chat" in sockets.seen[0]


def test_parts_of_a_message_are_put_together(sockets: Sockets, tmp_path: Path) -> None:
    found = look(WebSocket(url=sockets.url("parts"), contains="a"), tmp_path)
    assert found["message"] == {"a": Decimal("1.50")}


def test_bytes_that_are_no_text_are_seen_as_far_as_they_can(
    sockets: Sockets, tmp_path: Path
) -> None:
    """libcurl hands them on; they never break the run."""
    found = look(WebSocket(url=sockets.url("no-text"), within_s=2), tmp_path)
    assert found["messages"] == 1
    assert isinstance(found["message"], str)


@pytest.mark.parametrize(
    ("path", "code"), [("closes", 4001), ("closes-bare", None), ("hangs-up", None)]
)
def test_a_connection_that_is_closed_is_an_observation(
    sockets: Sockets, tmp_path: Path, path: str, code: int | None
) -> None:
    found = look(WebSocket(url=sockets.url(path), within_s=10), tmp_path)
    assert (found["connected"], found["messages"], found.get("close code")) == (True, 0, code)


@pytest.mark.parametrize(("path", "status"), [("refuses", 403), ("page", 200)])
def test_a_refused_upgrade_is_an_observation(
    sockets: Sockets, tmp_path: Path, path: str, status: int
) -> None:
    found = look(WebSocket(url=sockets.url(path), channel="Room"), tmp_path)
    assert (found["connected"], found["status"], found["confirmed"]) == (False, status, False)


ERRORS = {
    "huge": "more than 1 MiB",
    "long": "more than 1 MiB",
    "garbage": "broke",
    "wrong-upgrade": "wrong key|broke",
    "no-http": "broke|without an answer",
    "wrong-key": "wrong key",
}


@pytest.mark.parametrize("path", ERRORS)
def test_what_is_no_websocket_is_an_error(sockets: Sockets, tmp_path: Path, path: str) -> None:
    with pytest.raises(WorkError, match=ERRORS[path]) as caught:
        look(WebSocket(url=sockets.url(path), within_s=10), tmp_path)
    assert not caught.value.failed
    assert caught.value.hint


def test_a_silent_server_is_an_error(silent: Silent, tmp_path: Path) -> None:
    work = WebSocket(url=f"ws://127.0.0.1:{silent.port}/", channel="Room")
    with pytest.raises(WorkError, match=r"did not answer within 0\.5 s"):
        look(work, tmp_path, timeout_s=0.5)


def test_no_listener_and_no_name_are_errors(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="connection refused"):
        look(WebSocket(url=f"ws://u:{SECRET}@127.0.0.1:{closed_port()}/"), tmp_path)
    with pytest.raises(WorkError, match="cannot be resolved"):
        look(WebSocket(url="ws://no.invalid/"), tmp_path)


def test_a_trigger_without_an_answer_is_an_error_and_as_an_action_a_failure(
    sockets: Sockets, tmp_path: Path
) -> None:
    trigger = f"POST http://127.0.0.1:{closed_port()}/"
    work = WebSocket(url=sockets.url("subscribes"), channel="Room", trigger=trigger)
    with pytest.raises(WorkError, match="the trigger got no answer") as caught:
        look(work, tmp_path, effect=Effect.ACTION)
    assert caught.value.failed


def test_a_wish_to_stop_ends_the_listening(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("subscribes"), channel="Room", within_s=60)
    with pytest.raises(WorkError, match="stopped"):
        look(work, tmp_path, timeout_s=90.0, should_stop=StopAfter(8))


def test_secrets_of_a_message_are_not_in_the_evidence(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("echo") + f"?key={SECRET}", send=f"token {SECRET}")
    seen = work.perform(a_context(tmp_path, secrets=(SECRET,)))
    assert seen.indicators["messages"] == 1
    assert SECRET not in seen.text


@pytest.mark.parametrize(
    ("work", "effect"),
    [
        (WebSocket(url="ws://h/"), Effect.CHECK),
        (WebSocket(url="ws://h/", trigger="GET http://h/"), Effect.CHECK),
        (WebSocket(url="ws://h/", trigger="POST http://h/"), Effect.ACTION),
        (WebSocket(url="ws://h/", trigger="POST http://h/", kind_="check"), Effect.CHECK),
    ],
    ids=["only listens", "asks", "changes", "says that it looks"],
)
def test_the_trigger_tells_whether_it_changes(work: WebSocket, effect: Effect) -> None:
    assert work.effect(Role.VERIFY) is effect
    assert work.review() == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "GN560"),
        ({"url": "cable"}, "GN560"),
        ({"url": "ws://h/", "channel": "a", "send": "b"}, "GN560"),
        ({"url": "ws://h/", "channel": "{nonsense"}, "GN560"),
        ({"url": "ws://h/", "channel": '{"room": 7}'}, "GN560"),
        ({"url": "ws://h/", "trigger": "FETCH x"}, "GN514"),
    ],
)
def test_mistakes_are_found_before_the_run(fields: dict[str, str], code: str) -> None:
    assert [d.code for d in WebSocket(**fields).review()] == [code]  # type: ignore[arg-type]


def test_a_whole_identifier_is_sent_as_it_stands(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("subscribes"), channel='{"channel": "Room", "id": ${ID}}')
    assert work.review() == ()
    assert look(work, tmp_path, variables={"ID": "7"})["confirmed"] is True
    assert r"{\"channel\": \"Room\", \"id\": 7}" in sockets.seen[1]


def test_messages_whose_type_is_no_text_are_no_talk(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("strange-types"), channel="Room", contains="x", within_s=0.3)
    found = look(work, tmp_path)
    assert (found["confirmed"], found["messages"]) == (True, 0)


@pytest.mark.parametrize("path", ["deep", "beyond-decimals"])
def test_json_that_nobody_can_work_with_is_a_text(
    path: str, sockets: Sockets, tmp_path: Path
) -> None:
    found = look(WebSocket(url=sockets.url(path), contains="["), tmp_path)
    assert isinstance(found["message"], str)


def test_a_flood_of_messages_costs_no_memory(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("floods"), trigger="GET {{web}}/hang")
    with Silent.start() as silent:
        targets = {"web": f"http://127.0.0.1:{silent.port}"}
        tracemalloc.start()
        try:
            with pytest.raises(WorkError, match="did not answer within"):
                look(work, tmp_path, targets=targets, timeout_s=1.5)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert most < 12_000_000


def test_a_server_that_hears_nothing_is_left_in_time(sockets: Sockets, tmp_path: Path) -> None:
    work = WebSocket(url=sockets.url("deaf"), send="x" * 20_000_000)
    with pytest.raises(WorkError, match="did not answer within"):
        look(work, tmp_path, timeout_s=1.0)


@pytest.mark.parametrize("port", ["99999", "[", "-1"])
def test_a_port_that_is_none_is_told(port: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no valid URL"):
        look(WebSocket(url="ws://127.0.0.1:${PORT}/"), tmp_path, variables={"PORT": port})
