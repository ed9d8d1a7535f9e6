"""Each message to each receiver, through real channels, whatever service or machine do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.sink import HttpSink, MailSink, http_sink
from tests.support.telling import RUN, World

from gonogo.notify.mail import Mail
from gonogo.notify.webhook import PagerDuty, Slack, Webhook
from gonogo.plan.notices import COPY, Failure, Notice, Receipt
from gonogo.run.deliveries import Deliverer
from gonogo.run.telling import Telling, many

ROOT = Path(__file__).parents[2]
KEY = f"{RUN}/1/ana/webhook"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with ExitStack() as stack:

        def build(ways: Any, **more: Any) -> World:
            made = World(tmp_path, ways, **more)
            stack.callback(lambda: made.journal.close())  # noqa: PLW0108 - it is reborn with another
            return made

        yield build


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


# --- the service fails


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


class Broken:
    """A way with a bug."""

    kind: ClassVar[str] = "apprise"
    knows_copies: ClassVar[bool] = False

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        raise RuntimeError("https://secret.example.org")


def test_a_way_with_a_bug_is_a_failed_attempt(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "apprise"): Broken(), ("ana", "webhook"): Webhook(sink.url())})
    run.raised()
    run.run(10)
    assert len(sink.taken) == 1
    tried = run.events("delivery.tried")[0]
    assert tried.body["failure"] == Failure.UNKNOWN.value
    assert "secret" not in str(tried.body)


# --- we are killed


def test_after_a_restart_nothing_is_sent_twice(world: Callable[..., World], sink: HttpSink) -> None:
    run = world({("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url())})
    run.raised()
    for _ in range(150):
        run.run(10)
        run.journal.close()
        run.reborn()
    keys = [post.key for post in sink.taken]
    assert len(set(keys)) == len(keys)
    assert keys == [KEY, f"{RUN}/2/bob/webhook"]


CHILD = """
import os, signal, sys
from pathlib import Path
from tests.support.telling import World
from gonogo.clock import SystemClock
from gonogo.notify.webhook import PagerDuty, Slack, Webhook

class Deadly:
    '''A way whose process is killed as soon as the service has the message.'''
    def __init__(self, way):
        self.way, self.kind, self.knows_copies = way, way.kind, way.knows_copies
    def send(self, notice, *, key, is_copy=False):
        told = self.way.send(notice, key=key, is_copy=is_copy)
        os.kill(os.getpid(), signal.SIGKILL)

kind, url, folder, dies = sys.argv[1:]
way = {"slack": Slack, "page": PagerDuty, "webhook": Webhook}[kind](url)
world = World(Path(folder), {("ana", kind): Deadly(way) if dies == "dies" else way}, SystemClock())
if not world.events("alert.raised"):
    world.raised()
world.step()
print(len(world.deliverer.pending()))
"""


def child(kind: str, url: str, folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", CHILD, kind, url, str(folder), how],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["webhook", "page", "slack"])
def test_killed_between_sending_and_knowing(sink: HttpSink, tmp_path: Path, kind: str) -> None:
    url = sink.pagerduty() if kind == "page" else sink.url()
    died = child(kind, url, tmp_path, "dies")
    assert died.returncode == -signal.SIGKILL, died.stderr
    went_on = child(kind, url, tmp_path, "lives")
    assert (went_on.returncode, went_on.stdout) == (0, "0\n"), went_on.stderr
    assert child(kind, url, tmp_path, "lives").stdout == "0\n"
    first, copy = sink.posts  # at least once, and not a third time
    assert first.key == copy.key == f"{RUN}/1/ana/{kind}"
    if kind == "page":
        assert first.json["dedup_key"] == copy.json["dedup_key"]  # one incident
    if kind == "slack":
        assert COPY in copy.json["text"]  # the reader is told, since Slack cannot tell
    world = World(tmp_path, {("ana", kind): Broken()})
    told = [(e.kind, e.body.get("failure")) for e in world.events() if e.item == first.key]
    assert told == [
        ("delivery.due", None),
        ("delivery.trying", None),
        ("delivery.tried", "interrupted"),
        ("delivery.trying", None),
        ("delivery.done", None),
    ]
    world.journal.close()


@pytest.mark.parametrize("after", range(1, 12))
def test_killed_after_any_event(world: Callable[..., World], sink: HttpSink, after: int) -> None:
    """Stop dead after the nth journaled event; the new process brings it to the same end."""
    ways = {("ana", "webhook"): Webhook(sink.url()), ("bob", "webhook"): Webhook(sink.url())}
    run = world(ways)
    left = [after]
    append = run.journal.append

    class Dead(BaseException):
        pass

    def dying(*words: Any, **more: Any) -> Any:
        event = append(*words, **more)
        left[0] -= 1
        if left[0] == 0:
            raise Dead
        return event

    run.journal.append = dying  # type: ignore[method-assign]
    try:
        run.raised()
        run.run(650)
    except Dead:
        pass
    run.journal.close()
    run.reborn()
    if not run.events("alert.raised"):
        run.raised()
    run.run(700)
    by_key: dict[str, int] = {}
    for post in sink.taken:
        by_key[post.key] = by_key.get(post.key, 0) + 1
    contacts = [post.json["contact"] for post in sink.taken]
    assert set(contacts) == {"ana", "bob"}
    assert len(by_key) == 2, "nobody is told twice under two names"
    assert len([key for key, n in by_key.items() if n > 1]) <= 1
    assert len(run.events("delivery.done")) == 2


# --- what stands where


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


def test_what_is_not_delivered_at_the_end_is_named(tmp_path: Path, sink: HttpSink) -> None:
    world = World(tmp_path, {("ana", "webhook"): Webhook(sink.url())})
    sink.answer = 500
    world.raised()
    telling = Telling(world.scene, world.alerting, world.deliverer)
    assert [d.key for d in telling.finish(within_s=12)] == [KEY]
    world.journal.close()
