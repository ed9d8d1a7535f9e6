"""Ways that are one POST, against a real server on this machine."""

from __future__ import annotations

import socket
from email.utils import format_datetime

import pytest
from tests.notify.conftest import a_line, a_notice
from tests.support.sink import HttpSink

from gonogo.clock import SystemClock
from gonogo.notify.webhook import PagerDuty, Slack, Webhook
from gonogo.plan.notices import COPY, Failure, Reason, Severity, State, Way

SECRET = "T0A1/B2C3/xyzzy-4242"


def ways(sink: HttpSink, **more: float) -> list[Way]:
    return [
        Webhook(sink.url(f"/hook/{SECRET}"), **more),
        Slack(sink.url(f"/services/{SECRET}"), **more),
        PagerDuty(sink.pagerduty(), **more),
    ]


KINDS = ["webhook", "slack", "page"]


def test_a_webhook_gets_the_whole_message_and_its_key(sink: HttpSink) -> None:
    told = Webhook(sink.url()).send(a_notice(), key="7f3a/3/ana/webhook")
    assert told.failure is None
    (post,) = sink.posts
    assert post.key == "7f3a/3/ana/webhook"
    assert post.headers["content-type"] == "application/json; charset=utf-8"
    assert post.json["alerts"] == [
        {
            "id": "error-rate/1",
            "severity": "page",
            "state": "firing",
            "reason": "first",
            "text": "error rate 3 %, expected <= 2 % (2 of 2 buckets: 13:55, 14:00)",
            "since": "2026-03-01T13:55:00Z",
            "acknowledge": "alert/error-rate/1?ack",
        }
    ]
    assert post.json["title"].startswith("[page] search v2.4.0 → production: error rate 3 %")
    assert (post.json["key"], post.json["copy"]) == ("7f3a/3/ana/webhook", False)


def test_slack_gets_text_that_calls_nobody_and_hides_no_sign(sink: HttpSink) -> None:
    notice = a_notice(a_line(text="p99 <= 1.2s & <!channel> *bold*"))
    Slack(sink.url()).send(notice, key="k")
    text = sink.posts[0].json["text"]
    assert "p99 &lt;= 1.2s &amp; &lt;!channel&gt;" in text
    assert "gonogo answer 'alert/error-rate/1?ack' seen --run 7f3a" in text
    assert COPY not in text


def test_slack_says_that_a_message_may_be_a_copy(sink: HttpSink) -> None:
    Slack(sink.url()).send(a_notice(), key="k", is_copy=True)
    assert COPY in sink.posts[0].json["text"]


def test_pagerduty_gets_one_incident_per_alert_from_first_to_end(sink: HttpSink) -> None:
    way = PagerDuty(sink.pagerduty("KEY4242424242"))
    over = a_line(state=State.RESOLVED, reason=Reason.RESOLVED)
    other = a_line(alert="p99/1", severity=Severity.CRITICAL)
    assert way.send(a_notice(a_line(), other), key="k").id == "of-the-service"
    way.send(a_notice(a_line(reason=Reason.REPEATED)), key="k2")
    way.send(a_notice(over), key="k3")
    events = [post.json for post in sink.posts]
    assert [(e["event_action"], e["dedup_key"]) for e in events] == [
        ("trigger", "gonogo/7f3a/error-rate/1"),
        ("trigger", "gonogo/7f3a/p99/1"),
        ("trigger", "gonogo/7f3a/error-rate/1"),
        ("resolve", "gonogo/7f3a/error-rate/1"),
    ]
    assert [e["payload"]["severity"] for e in events[:3]] == ["error", "critical", "error"]
    assert {e["routing_key"] for e in events} == {"KEY4242424242"}
    assert {post.path for post in sink.posts} == {"/v2/enqueue"}
    assert "authorization" not in sink.posts[0].headers


def test_pagerduty_keeps_an_incident_open_that_nobody_saw_end(sink: HttpSink) -> None:
    ended = a_line(state=State.ENDED, reason=Reason.ENDED)
    assert PagerDuty(sink.pagerduty()).send(a_notice(ended), key="k").failure is None
    assert sink.posts == []


def test_pagerduty_shortens_what_is_too_long_for_its_events(sink: HttpSink) -> None:
    PagerDuty(sink.pagerduty()).send(a_notice(a_line(alert="x" * 300, text="y" * 2000)), key="k")
    event = sink.posts[0].json
    assert len(event["dedup_key"]) <= 255
    assert len(event["payload"]["summary"]) == 1024


@pytest.mark.parametrize("which", range(3), ids=KINDS)
@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, Failure.AUTH),
        (403, Failure.AUTH),
        (404, Failure.GONE),
        (410, Failure.GONE),
        (400, Failure.REFUSED),
        (302, Failure.REFUSED),
        (429, Failure.RATE_LIMITED),
        (500, Failure.BROKEN),
        (503, Failure.BROKEN),
    ],
)
def test_a_status_has_its_reason(sink: HttpSink, which: int, status: int, failure: Failure) -> None:
    sink.answer, sink.headers = status, {"Location": sink.url("/elsewhere")}
    told = ways(sink)[which].send(a_notice(), key="k")
    assert told.failure is failure
    assert f"status {status}" in told.message
    assert len(sink.posts) == 1  # a redirect is not followed


@pytest.mark.parametrize("which", range(3), ids=KINDS)
def test_a_service_that_hangs_is_left_in_time(sink: HttpSink, which: int) -> None:
    sink.answer = "hang"
    told = ways(sink, timeout_s=0.2)[which].send(a_notice(), key="k")
    assert (told.failure, told.message) == (Failure.TIMEOUT, "no answer within 0.2 s")


@pytest.mark.parametrize("which", range(3), ids=KINDS)
def test_a_connection_that_is_cut_may_have_delivered(sink: HttpSink, which: int) -> None:
    sink.answer = "drop"
    assert ways(sink)[which].send(a_notice(), key="k").failure is Failure.TIMEOUT


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://127.0.0.1:{free}/", Failure.UNREACHABLE),
        ("http://no-such-host.invalid/", Failure.UNREACHABLE),
        ("https://127.0.0.1:{sink}/", Failure.UNREACHABLE),
        ("ftp://127.0.0.1/", Failure.GONE),
        ("no url at all", Failure.GONE),
    ],
    ids=["nobody listens", "no such host", "no tls there", "other protocol", "no url"],
)
def test_an_address_that_cannot_be_reached(sink: HttpSink, url: str, failure: Failure) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    told = Webhook(url.format(free=free, sink=sink.port)).send(a_notice(), key="k")
    assert told.failure is failure


@pytest.mark.parametrize("form", ["seconds", "moment"])
def test_the_service_says_when_to_come_back(sink: HttpSink, form: str) -> None:
    from datetime import timedelta

    later = format_datetime(SystemClock().now() + timedelta(seconds=60), usegmt=False)
    sink.answer, sink.headers = 429, {"Retry-After": "60" if form == "seconds" else later}
    told = Webhook(sink.url()).send(a_notice(), key="k")
    assert told.retry_after_s is not None
    assert 50 < told.retry_after_s <= 60


@pytest.mark.parametrize("status", [200, 403, 500, "hang", "drop"])
@pytest.mark.parametrize("which", range(3), ids=KINDS)
def test_no_receipt_holds_an_address(sink: HttpSink, which: int, status: int | str) -> None:
    sink.answer = status
    told = ways(sink, timeout_s=0.2)[which].send(a_notice(), key="k")
    for secret in ("xyzzy", "T0A1", "R0UTING", str(sink.port)):
        assert secret not in repr(told)


def test_an_endless_answer_is_not_read_to_its_end(sink: HttpSink) -> None:
    sink.body = b"x" * 1_000_000
    assert Webhook(sink.url()).send(a_notice(), key="k").failure is None


@pytest.mark.parametrize(
    "when",
    [
        "Fri, 31 Dec 9999 23:59:59 -0500",
        "Mon, 1 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 1 Jan 2026 00:00:00 +999999999999999",
        "soon",
    ],
)
def test_a_moment_that_no_calendar_has_is_no_moment(sink: HttpSink, when: str) -> None:
    sink.answer = 503
    sink.headers = {"Retry-After": when}
    told = Webhook(sink.url()).send(a_notice(), key="k")
    assert (told.failure, told.retry_after_s) == (Failure.BROKEN, None)


def test_a_name_of_any_form_is_no_reason_to_fail(sink: HttpSink) -> None:
    for body in (b"[" * 900 + b"]" * 900, b'{"id": ' + b"[" * 900 + b"]" * 900 + b"}", b"\xff"):
        sink.body = body
        told = Webhook(sink.url()).send(a_notice(), key="k")
        assert (told.failure, told.id) == (None, "")
