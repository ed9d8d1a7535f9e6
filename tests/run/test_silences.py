"""Planned windows that people add to a run, and what is told of a gap in its watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.sink import HttpSink
from tests.support.telling import RUN, World

from gonogo.clock import stamp
from gonogo.notify.webhook import Webhook
from gonogo.plan.grammar import read
from gonogo.plan.model import Consequence, Rule
from gonogo.plan.receivers import Silence
from gonogo.run.alerting import Alerting
from gonogo.run.silences import in_force, put, put_end, windows
from gonogo.source import Span


@pytest.fixture
def world(tmp_path: Path, sink: HttpSink) -> Iterator[World]:
    ways: Any = {
        ("ana", "webhook"): Webhook(sink.url()),
        ("team", "webhook"): Webhook(sink.url("/team")),
    }
    with ExitStack() as stack:
        made = World(tmp_path, ways)
        stack.callback(lambda: made.journal.close())  # noqa: PLW0108 - it is reborn with another
        yield made


@pytest.fixture
def silence(world: World) -> Callable[..., str]:
    """Put a planned window into the inbox, as `gonogo silence` does."""

    def silenced(lasting_s: float = 60.0, only: str = "", who: str = "bob") -> str:
        begin = world.clock.now()
        at, until = stamp(begin), stamp(begin + timedelta(seconds=lasting_s))
        return put(world.journal, RUN, Silence(who, "restart", 0, 0, only), at, until)

    return silenced


def said(sink: HttpSink) -> list[str]:
    return [post.json["title"].partition(": ")[2] for post in sink.taken]


def test_nobody_is_told_until_the_window_ends_by_itself(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    assert silence(60.0) == "silence/1"
    world.step()
    world.raised("errors")
    world.run(55.0)
    assert said(sink) == []
    world.run(10.0)
    assert said(sink) == ["errors are bad"]
    (event,) = world.events("alert.silenced")
    assert (event.item, event.who, event.body["reason"]) == ("silence/1", "bob", "restart")


def test_the_window_is_ended_by_a_person(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    name = silence(3_600.0)
    world.raised("errors")
    world.run(10.0)
    assert put_end(world.journal, RUN, name, "ana", stamp(world.clock.now()))
    assert not put_end(world.journal, RUN, name, "bob", stamp(world.clock.now()))
    world.run(5.0)
    assert said(sink) == ["errors are bad"]
    assert [e.who for e in world.events("alert.unsilenced")] == ["ana"]
    assert in_force(world.events(), int(world.clock.now().timestamp() * 1000)) == ()


def test_only_the_named_alerts_are_silent(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    silence(60.0, only="queue")
    world.raised("queue")
    world.raised("errors")
    world.step()
    assert said(sink) == ["errors are bad"]


def test_a_rollback_is_never_silenced(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    silence(60.0)
    world.scene.write("rollback.started", "rollback", body={"reason": "errors", "way": "options"})
    world.step()
    assert said(sink) == ["rolling back: errors"]


def test_a_process_that_is_born_again_journals_no_window_twice(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    first = silence(3_600.0)
    world.step()
    world.journal.close()
    world.reborn()
    second = silence(60.0, only="queue", who="cleo")
    put_end(world.journal, RUN, first, "ana", stamp(world.clock.now()))
    world.step()
    world.reborn().step()
    assert [e.item for e in world.events("alert.silenced")] == [first, second]
    assert [e.item for e in world.events("alert.unsilenced")] == [first]
    found = windows(world.journal, RUN)
    assert [(one.silence.who, one.is_taken, one.ended_by) for one in found] == [
        ("bob", True, "ana"),
        ("cleo", True, ""),
    ]


def test_what_is_put_while_nobody_carries_the_run_is_taken_up_later(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    silence(60.0)
    assert [one.is_taken for one in windows(world.journal, RUN)] == [False]
    world.clock.wait(120.0)
    world.raised("errors")
    world.step()
    assert said(sink) == ["errors are bad"]  # it was over before anybody carried the run
    assert [one.is_taken for one in windows(world.journal, RUN)] == [True]


def watch(world: World) -> None:
    world.scene.write("watch.started", "watch", body={"width_ms": 10_000})


def resumed(world: World, gap_s: float) -> None:
    world.clock.wait(gap_s)
    world.journal.close()
    world.reborn()
    world.scene.write("run.resumed", body={"pid": 1, "gap_s": gap_s})


def test_a_long_gap_in_a_watch_pages_once(world: World, sink: HttpSink) -> None:
    watch(world)
    world.step()
    resumed(world, 900.0)
    world.run(3_600.0, every_s=60.0)
    assert len(sink.posts) == 1
    (alert,) = sink.posts[0].json["alerts"]
    assert (alert["severity"], alert["acknowledge"]) == ("page", None)
    assert alert["text"].startswith("nobody watched for up to 15 min 00 s, 2026-")


def test_a_short_gap_is_told_with_the_milder_alerts(world: World, sink: HttpSink) -> None:
    watch(world)
    resumed(world, 120.0)
    world.run(60.0)
    assert [post.path for post in sink.posts] == ["/team"]


@pytest.mark.parametrize("ended", [None, "watch.ended"], ids=["no-watch", "watch-over"])
def test_where_nothing_was_watched_nobody_is_told(
    world: World, sink: HttpSink, ended: str | None
) -> None:
    if ended is not None:
        watch(world)
        world.scene.write(ended, "watch", body={"why": "planned end", "complete": True})
    resumed(world, 7_200.0)
    world.run(60.0)
    assert sink.posts == []


def test_an_alert_knows_the_figures_and_the_clock_of_its_rule(
    world: World, sink: HttpSink, silence: Callable[..., str]
) -> None:
    said = read("P1 (10 min): response time p99 > 1s for 2 buckets", Span.of_line(1)).condition
    assert said is not None
    rule = Rule("p1/slow", said, Consequence.P1, Span.of_line(1), within_s=600.0)
    scene = replace(world.scene, plan=replace(world.scene.plan, rules=(rule,)))
    alerting = Alerting(scene, world.receivers)
    body = {"rule": "p1/slow", "consequence": "p1", "before": "pending", "after": "firing"}
    silence(300.0, only="response time")
    scene.write("rule.moved", "p1/slow@0", body={**body, "reason": "p99 2 s", "closed_ms": 0})
    assert [d.reason.value for d in alerting.step().decisions] == ["silenced"]
    world.clock.wait(300.0)
    assert [d.reason.value for d in alerting.step().decisions] == ["first"]
    world.clock.wait(300.0)
    (overdue,) = alerting.step().decisions
    assert (overdue.reason.value, overdue.contacts) == ("overdue", ("ana",))
