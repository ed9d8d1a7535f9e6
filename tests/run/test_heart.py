"""The heartbeat of a run, heard by a real service that fails when told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.sink import HttpSink
from tests.support.telling import RUN, World

from gonogo.cli.ways import heart_of
from gonogo.notify import beat_of
from gonogo.plan.receivers import Receivers
from gonogo.run.heart import Heart


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, {})
    yield made
    made.journal.close()


def a_heart(world: World, sink: HttpSink) -> Heart:
    return Heart(world.scene, beat_of(sink.url("/beat"), {}), 60.0)


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.events()]


def test_a_beat_says_which_run_is_carried_and_leaves_no_trace(world: World, sink: HttpSink) -> None:
    a_heart(world, sink).beat()
    (post,) = sink.posts
    assert post.path == "/beat"
    said = {"version": 1, "run": RUN, "state": "running", "next_s": 60.0}
    assert {**post.json, "service": None} == {**said, "service": None}
    assert kinds(world) == []


@pytest.mark.parametrize(("ended", "states"), [(True, ["ended"]), (False, [])])
def test_only_a_run_with_its_verdict_says_goodbye(
    world: World, sink: HttpSink, ended: bool, states: list[str]
) -> None:
    a_heart(world, sink).finish(ended=ended)
    assert [post.json["state"] for post in sink.posts] == states


def test_it_beats_at_once_in_a_thread_of_its_own(world: World, sink: HttpSink) -> None:
    heart = a_heart(world, sink)
    sink.answer = "hang"
    heart.start()
    while not sink.posts:
        pass
    sink.let_go.set()
    heart.finish(ended=True)
    assert sink.posts[-1].json["state"] == "ended"
    assert kinds(world)[0] == "heartbeat.failed"


def test_one_lost_beat_is_journaled_and_the_second_is_told(world: World, sink: HttpSink) -> None:
    heart = a_heart(world, sink)
    sink.answer = 503
    heart.beat()
    assert kinds(world) == ["heartbeat.failed"]
    for _ in range(3):
        heart.beat()
    assert kinds(world) == ["heartbeat.failed", "alert.raised"]
    (alert,) = world.events("alert.raised")
    assert (alert.item, alert.body["severity"]) == ("heartbeat", "warn")
    sink.answer = 200
    heart.beat()
    heart.beat()
    assert kinds(world)[2:] == ["heartbeat.back", "alert.cleared"]
    assert world.events("heartbeat.back")[0].body == {"missed": 4}


@pytest.mark.parametrize("missed", [1, 3])
def test_after_a_kill_nothing_is_said_twice(world: World, sink: HttpSink, missed: int) -> None:
    sink.answer = 503
    for _ in range(missed):
        a_heart(world, sink).beat()
    assert kinds(world) == ["heartbeat.failed", "alert.raised"][: min(missed, 2)]
    sink.answer = 200
    a_heart(world, sink).beat()
    assert kinds(world)[-1] == ("heartbeat.back" if missed == 1 else "alert.cleared")


@pytest.mark.parametrize("bound", ["", "off", "none"])
def test_where_nobody_listens_there_is_no_heart(world: World, bound: str) -> None:
    receivers: Any = Receivers(heartbeat="$BEAT" if bound else "")
    assert heart_of(world.scene, receivers, {"BEAT": bound}) is None
