"""A service that is down, slow or refuses is tried again in time, and the next contact is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.run.delivering import KEY, Broken
from tests.support.sink import HttpSink, MailSink, http_sink
from tests.support.telling import RUN, World

from gonogo.notify.mail import Mail
from gonogo.notify.webhook import Slack, Webhook
from gonogo.plan.notices import COPY, Failure
from gonogo.run.deliveries import Deliverer
from gonogo.run.telling import Telling


@pytest.mark.parametrize("fault", [500, 429, 503], ids=["broken", "rate limited", "unavailable"])
def test_a_service_down_for_an_hour_gets_everything_afterwards_in_order(
    world: Callable[..., World], sink: HttpSink, fault: int
) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url())})
    sink.answer = fault
    run.raised("errors")
    run.run(900)
    run.raised("latency")
    run.run(900)
    run.cleared("errors")
    run.run(1800)
    assert sink.taken == []
    sink.answer = 200
    run.run(400)
    due = [e.body["notice"] for e in run.events("delivery.due")]
    for contact in ("ana", "bob"):
        own = [post for post in sink.taken if post.json["contact"] == contact]
        assert [post.key for post in own] == [
            f"{RUN}/{n['number']}/{contact}/webhook"  # type: ignore[index]
            for n in due
            if n["contact"] == contact  # type: ignore[index]
        ]
        assert len({post.key for post in own}) == len(own)
    reasons = [
        a["reason"] for p in sink.taken if p.json["contact"] == "ana" for a in p.json["alerts"]
    ]
    assert reasons[0] == "first"
    assert "resolved" in reasons
    assert run.deliverer.pending() == ()


def test_attempts_are_spread_over_time(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())})
    sink.answer = 500
    run.raised()
    run.run(300)
    tried = [e for e in run.events("delivery.tried") if e.item == KEY]
    assert [e.body["next_s"] for e in tried] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 60.0]
    assert {e.body["failure"] for e in tried} == {"broken"}


def test_a_service_that_says_when_is_obeyed(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())})
    sink.answer, sink.headers = 429, {"Retry-After": "120"}
    run.raised()
    run.run(60)
    assert len(sink.posts) == 1
    assert run.deliverer.next_in_s() is not None
    run.run(65)
    assert len(sink.posts) == 2


def test_after_the_stated_time_the_next_contact_is_told(
    world: Callable[..., World], sink: HttpSink
) -> None:
    ways = {
        ("ana", "webhook"): Webhook(sink.url("/ana")),
        ("bob", "webhook"): Webhook(sink.url("/bob")),
    }
    run = world(ways, within_s=120.0)
    sink.by_path["/ana"] = 503
    run.raised()
    run.run(200)
    assert [post.json["alerts"][0]["reason"] for post in sink.of("/bob")] == ["unreached"]
    (unreached,) = run.events("contact.unreached")
    assert unreached.body == {"contact": "ana", "alerts": ["errors/1"]}
    sink.by_path.clear()
    run.run(400)
    assert [post.path for post in sink.taken] == ["/bob", "/ana"]  # late is better than never


@pytest.mark.parametrize("status", [401, 404, 400], ids=["auth", "gone", "refused"])
def test_what_cannot_be_mended_by_waiting_is_not_tried_again(
    world: Callable[..., World], sink: HttpSink, status: int
) -> None:
    ways = {
        ("ana", "webhook"): Webhook(sink.url("/ana")),
        ("bob", "webhook"): Webhook(sink.url("/bob")),
    }
    run = world(ways)
    sink.by_path["/ana"] = status
    run.raised()
    run.run(30)
    assert len(sink.of("/ana")) == 1
    assert [post.json["alerts"][0]["reason"] for post in sink.of("/bob")] == ["unreached"]
    done = next(e for e in run.events("delivery.done") if e.item == KEY)
    assert (done.body["outcome"], done.body["attempts"]) == ("failed", 1)


def test_a_second_channel_that_works_is_enough(
    world: Callable[..., World], sink: HttpSink, mails: MailSink
) -> None:
    run = world(
        {
            ("ana", "webhook"): Webhook(sink.url("/ana")),
            ("ana", "mail"): Mail("ana@example.org", mails.url()),
            ("bob", "webhook"): Webhook(sink.url("/bob")),
        }
    )
    sink.by_path["/ana"] = 404
    run.raised()
    run.run(300)
    assert len(mails.mails) == 1
    assert sink.of("/bob") == []
    assert run.events("contact.unreached") == []


def test_a_contact_whose_channels_are_off_is_followed_by_the_next(
    world: Callable[..., World], sink: HttpSink
) -> None:
    run = world(
        {("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url("/bob"))}
    )
    run.deliverer = Deliverer(
        run.scene, run.receivers, {("bob", "webhook"): Webhook(sink.url("/bob"))}
    )
    run.raised()
    run.run(20)
    assert [post.path for post in sink.taken] == ["/bob"]


def test_a_message_is_given_up_after_a_day(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())}, repeat_s=1e6)
    sink.answer = 500
    run.raised()
    run.run(87_000, every_s=300)
    (done,) = run.events("delivery.done")
    assert (done.body["outcome"], done.body["failure"]) == ("given up", "broken")


def test_a_service_that_hangs_holds_up_no_other(
    world: Callable[..., World], sink: HttpSink
) -> None:
    with http_sink() as other, ThreadPoolExecutor(4) as executor:
        sink.answer = "hang"
        ways = {
            ("ana", "slack"): Slack(sink.url(), timeout_s=5),
            ("ana", "webhook"): Webhook(other.url()),
        }
        run = world(ways)
        run.deliverer = Deliverer(run.scene, run.receivers, ways, executor=executor)
        run.raised()
        run.alerting.step()
        stepping = executor.submit(run.deliverer.step)
        while not other.taken:
            assert not stepping.done(), "the step ended before the other channel was served"
        assert sink.taken == []
        sink.let_go.set()
        stepping.result()
    assert [e.body["failure"] for e in run.events("delivery.tried")] == ["timeout"]


def test_after_no_answer_the_second_copy_says_so(
    world: Callable[..., World], sink: HttpSink
) -> None:
    run = world({("ana", "slack"): Slack(sink.url())})
    sink.answer = "drop"
    run.raised()
    run.run(5)
    sink.answer = 200
    run.run(10)
    texts = [post.json["text"] for post in sink.posts]
    assert COPY not in texts[0]
    assert COPY in texts[-1]


def test_a_way_with_a_bug_is_a_failed_attempt(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "apprise"): Broken(), ("ana", "webhook"): Webhook(sink.url())})
    run.raised()
    run.run(10)
    assert len(sink.taken) == 1
    tried = run.events("delivery.tried")[0]
    assert tried.body["failure"] == Failure.UNKNOWN.value
    assert "secret" not in str(tried.body)


def test_what_is_not_delivered_at_the_end_is_named(tmp_path: Path, sink: HttpSink) -> None:
    world = World(tmp_path, {("ana", "webhook"): Webhook(sink.url())})
    sink.answer = 500
    world.raised()
    telling = Telling(world.scene, world.alerting, world.deliverer)
    assert [d.key for d in telling.finish(within_s=12)] == [KEY]
    world.journal.close()
