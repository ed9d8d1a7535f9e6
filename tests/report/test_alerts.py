"""Who was told what: in the evidence, and in every form."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan

from gonogo.report import collect, render
from gonogo.report.live import Live

FORMS = ("text", "md", "html", "json")


def a_story() -> Story:
    return Story(a_plan(a_phase("smoke", "Smoke tests"))).phase("smoke")


def test_a_delivery_is_one_row_with_all_its_attempts():
    first, second = collect(stories.watch_rolled_back().events).deliveries
    assert (first.contact, first.channel, first.severity) == ("ops", "slack", "page")
    assert (first.word, first.attempts, first.reason) == ("sent", 2, "first")
    assert first.why == "timeout: no answer within 10 s"
    assert first.text.startswith("rolling back: error rate 4.1 %")
    assert (second.word, second.attempts, second.reason) == ("sent", 1, "resolved")
    assert second.say() == "page to ops by slack: sent"


def test_what_was_never_taken_is_not_told_as_sent():
    story = a_story()
    body = {"contact": "ben", "channel": "mail", "text": "p99 is bad", "severity": "warn"}
    story.say("delivery.due", "7f3a/1/ben/mail", body=body)
    story.say("delivery.tried", "7f3a/1/ben/mail", failure="unreachable", why="no route", attempt=3)
    (one,) = collect(story.events).deliveries
    assert one.say() == ("warn to ben by mail: waiting after 3 attempts (unreachable: no route)")
    story.say("delivery.late", "7f3a/1/ben/mail")
    story.say("delivery.done", "7f3a/1/ben/mail", outcome="given up", attempts=40)
    (one,) = collect(story.events).deliveries
    assert one.say() == (
        "warn to ben by mail: given up after 40 attempts, late (unreachable: no route)"
    )


@pytest.mark.parametrize(
    ("kind", "item", "body", "said"),
    [
        ("alert.raised", "disk", {"severity": "warn", "text": "full"}, "warn disk: raised"),
        ("alert.acknowledged", "r/1", {"who": "ana"}, "r/1: acknowledged by ana"),
        ("alert.escalated", "r/1", {"receiver": "eve"}, "r/1: escalated, told: eve"),
        ("alert.resolved", "r/1", {"text": "fine"}, "r/1: resolved"),
        ("contact.unreached", "7f3a/1", {"contact": "ben", "alerts": ["r/1"]}, "told: ben"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_every_event_of_an_alert_is_told(kind: str, item: str, body: dict, said: str, form: str):
    story = a_story().say(kind, item, body=body)
    evidence = collect(story.events)
    (note,) = evidence.alerts
    assert said in note.say()
    assert item in render(evidence, form)
    assert evidence.unread == ()


def test_a_silence_names_who_answers_for_it():
    story = a_story().say("alert.silenced", who="ana", reason="planned", only="errors")
    (note,) = collect(story.events).alerts
    assert note.say() == "errors: silenced by ana"
    assert "planned" in render(collect(story.events), "text")


def test_a_decision_that_a_delivery_repeats_is_kept_and_not_told_twice():
    evidence = collect(stories.watch_rolled_back().events)
    assert [note.what for note in evidence.alerts] == ["first", "resolved"]
    assert render(evidence, "text").count("alert  ") == 2


def test_nobody_to_tell_is_told():
    decision = {"alert": "errors/1", "reason": "nobody", "contacts": [], "who": ""}
    evidence = collect(a_story().say("alert.decided", decisions=[decision]).events)
    for form in FORMS:
        assert "nobody" in render(evidence, form)


def test_of_many_alerts_the_last_are_shown_and_the_rest_are_counted():
    story = a_story()
    for number in range(600):
        story.wait(1).say("delivery.due", f"7f3a/{number}/ops/mail", text=f"told{number}x")
    evidence = collect(story.events)
    text = render(evidence, "text")
    assert "… 588 alerts before these" in text
    assert "told599x" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    assert "told599x" in render(evidence, "md")
    assert "300 earlier ones are left out" in render(evidence, "html")
    assert "told0x" in render(evidence, "json")


@pytest.mark.parametrize("interactive", [True, False])
def test_a_message_is_told_live_when_it_is_known_how_it_went(interactive: bool):
    stream = io.StringIO()
    live = Live(stream, interactive=interactive)
    live.update(stories.watch_rolled_back().events)
    live.close()
    assert stream.getvalue().count("page to ops by slack: sent after 2 attempts") == 1
