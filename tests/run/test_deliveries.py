"""Each message reaches each receiver through real channels: the right one, once, with no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.run.delivering import KEY
from tests.support.sink import HttpSink, MailSink
from tests.support.telling import World

from gonogo.notify.mail import Mail
from gonogo.notify.webhook import PagerDuty, Slack, Webhook
from gonogo.run.deliveries import Deliverer
from gonogo.run.telling import Telling, many


def titles(sink: HttpSink) -> list[str]:
    return [post.json["title"] for post in sink.taken]


def test_one_page_reaches_every_channel_of_its_contact(
    world: Callable[..., World], sink: HttpSink, mails: MailSink
) -> None:
    run = world(
        {
            ("ana", "slack"): Slack(sink.url("/slack")),
            ("ana", "page"): PagerDuty(sink.pagerduty()),
            ("ana", "mail"): Mail("ana@example.org", mails.url()),
            ("ana", "webhook"): Webhook(sink.url("/hook")),
        }
    )
    run.raised()
    run.run(30)
    assert sorted(post.path for post in sink.taken) == ["/hook", "/slack", "/v2/enqueue"]
    assert len(mails.mails) == 1
    assert run.kinds(KEY) == ["due", "trying", "done"]
    done = run.events("delivery.done")
    assert {(e.body["channel"], e.body["outcome"]) for e in done} == {
        (kind, "sent") for kind in ("slack", "page", "mail", "webhook")
    }
    assert run.deliverer.pending() == ()
    assert run.deliverer.next_in_s() is None


def test_a_warning_wakes_nobody(world: Callable[..., World], sink: HttpSink) -> None:
    page, hook = PagerDuty(sink.pagerduty()), Webhook(sink.url())
    run = world({("team", "page"): page, ("team", "webhook"): hook})
    run.raised(severity="warn")
    run.run(60)
    assert [post.path for post in sink.taken] == ["/hook"]


def test_a_contact_with_only_a_pager_gets_warnings_there(
    world: Callable[..., World], sink: HttpSink
) -> None:
    run = world({("team", "page"): PagerDuty(sink.pagerduty())})
    run.raised(severity="warn")
    run.run(60)
    assert [post.json["payload"]["severity"] for post in sink.taken] == ["warning"]


def test_from_the_first_message_to_the_last(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({(name, "webhook"): Webhook(sink.url(f"/{name}")) for name in ("ana", "bob")})
    run.raised()
    run.run(700)
    assert [q["item"] for q in run.alerting.questions()] == ["alert/errors/1?ack"]
    run.seen("alert/errors/1?ack", "bob")
    run.run(7200, every_s=60)
    run.cleared()
    run.run(60)
    said = [(post.path, post.json["alerts"][0]["reason"]) for post in sink.taken]
    assert said == [
        ("/ana", "first"),
        ("/bob", "escalated"),
        ("/ana", "resolved"),
        ("/bob", "resolved"),
    ]
    decided = [d for e in run.events("alert.decided") for d in e.body["decisions"]]  # type: ignore[attr-defined]
    assert [(d["reason"], d["who"]) for d in decided if d["who"]] == [("acknowledged", "bob")]
    assert run.alerting.questions() == ()


def test_no_secret_is_journaled_or_told(
    world: Callable[..., World], sink: HttpSink, mails: MailSink
) -> None:
    ways = {
        ("ana", "webhook"): Webhook(sink.url("/hook/xyzzy-4242")),
        ("ana", "page"): PagerDuty(sink.pagerduty("xyzzyROUTING42")),
        ("ana", "mail"): Mail("ana@example.org", mails.url("ana:xyzzy-4242@")),
    }
    run = world(ways, secrets=("xyzzy-4242",))
    sink.answer = 500
    sink.body = b"no such hook: xyzzy-4242"
    run.raised(text="query refused: password xyzzy-4242")
    run.run(30)
    sink.answer = 200
    run.run(60)
    journal = json.dumps([[e.item, dict(e.body)] for e in run.events()], ensure_ascii=False)
    assert "xyzzy" not in journal
    assert all("xyzzy-4242" not in post.body.decode() for post in sink.posts)
    assert all("xyzzy" not in str(mail) for mail in mails.mails)


def test_a_rollback_always_alerts(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())})
    asked = {"question": "roll back? p99", "form": "rollback", "choices": ["yes", "no"]}
    run.scene.write("question.asked", "rollback", body=asked)
    run.run(5)
    run.scene.write(
        "answer.given", "rollback", body={"form": "rollback", "answer": "yes"}, who="bo"
    )
    run.scene.write("rollback.started", "rollback", body={"reason": "p99 1.4 s"})
    run.run(5)
    run.scene.write("rollback.finished", "rollback", body={"status": "fail", "why": "undo.sh"})
    run.run(5)
    run.scene.write("verdict.given", body={"verdict": "no-go"})
    run.run(5)
    said = [(a["severity"], a["state"], a["text"]) for p in sink.taken for a in p.json["alerts"]]
    assert said == [
        ("page", "firing", "roll back? p99"),
        ("page", "resolved", "bo answered yes"),
        ("page", "firing", "rolling back: p99 1.4 s"),
        ("critical", "firing", "the rollback failed: undo.sh"),
        ("critical", "ended", "the rollback failed: undo.sh"),
    ]
    before = len(run.events())
    run.reborn()
    run.run(3600, every_s=60)
    assert len(run.events()) == before  # a run that is over tells nobody anything


def test_a_page_that_ended_while_we_were_away_is_told_all_the_same(
    world: Callable[..., World], sink: HttpSink
) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())})
    run.raised()
    run.cleared()
    run.run(5)
    assert [p.json["state"] for p in sink.taken] == ["firing", "resolved"]


def test_alerts_of_one_moment_are_one_message(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url())})
    for rule in ("errors", "latency", "cache"):
        move = {
            "rule": rule,
            "consequence": "page",
            "before": "pending",
            "after": "firing",
            "reason": f"{rule} are bad",
            "closed_ms": 600_000,
            "slices": [0, 300_000],
        }
        run.scene.write("rule.moved", rule, body=move)
    run.run(5)
    assert titles(sink) == ["[page] search v2.4.0: 3 alerts"]


def test_the_thread_delivers_beside_the_run_and_its_end_waits_for_what_is_left(
    tmp_path: Path, sink: HttpSink
) -> None:
    from gonogo.clock import SystemClock

    world = World(tmp_path, {("ana", "webhook"): Webhook(sink.url())}, SystemClock())
    with many() as executor:
        ways = {("ana", "webhook"): Webhook(sink.url())}
        deliverer = Deliverer(world.scene, world.receivers, ways, executor=executor)
        telling = Telling(world.scene, world.alerting, deliverer)
        telling.start()
        world.raised()
        assert telling.finish(within_s=20) == ()
    assert len(sink.taken) == 1
    world.journal.close()
