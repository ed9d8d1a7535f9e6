from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story

from gonogo.judge.verdict import Status
from gonogo.report import Format, Outcome, collect, render
from gonogo.report.live import Live
from gonogo.run.journal import broken_link

ITEMS = (
    *("pre", "deploy", "smoke", "disk", "told", "backup", "migrate", "home", "admin", "rollback"),
    *("previous", "restore", "switch-back", "pg-restore", "old-home", "stray", "home?block", ""),
    *("watch", "watch@1772373600000", "errors", "errors@1772373600000", "blind/load", "r/1/ops"),
)
KINDS = (
    *("run.started", "run.resumed", "phase.started", "step.started", "step.tried", "step.looked"),
    *("step.finished", "question.asked", "answer.given", "answer.refused", "gate.decided"),
    *("abort.requested", "rollback.started", "option.started", "option.finished"),
    *("rollback.finished", "verdict.given", "of.tomorrow"),
    *("watch.started", "bucket.closed", "rule.moved", "rule.judged", "watch.ended"),
    *("delivery.due", "delivery.tried", "delivery.done", "alert.raised", "alert.decided"),
    *("alert.silenced", "contact.unreached", "recovery.started", "recovery.seen"),
)
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ["pass", "fail", "go", "no-go", "hold", "skip", "undo", "2026-01-01", "\x1b[2J"]
    ),
)
VALUES = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(-10, 10**6, allow_nan=False),
    st.lists(WORDS, max_size=3),
    st.dictionaries(WORDS, WORDS, max_size=2),
)
RULE = {
    "id": "errors",
    "text": "error rate > 1%",
    "says": "error rate > 1 % for 2 of 3 buckets",
    "consequence": "rollback",
    "line": 90,
}
SEEN = st.fixed_dictionaries(
    {},
    optional={
        "says": WORDS,
        "event": st.sampled_from(["breach", "good", "insufficient", "no data", "odd"]) | VALUES,
        "state": st.sampled_from(["inactive", "pending", "firing", "resolved"]) | VALUES,
        "count": VALUES,
        "of": VALUES,
        "value": st.floats(-1e300, 1e300) | VALUES,
        "unit": WORDS,
        "limit": st.floats(-1e300, 1e300) | VALUES,
    },
)
TAKEN = st.fixed_dictionaries(
    {}, optional={"count": VALUES, "coverage": VALUES, "late": VALUES, "why": VALUES}
)
MOMENTS = st.integers(0, 40).map(lambda n: 1_772_373_600_000 + n * 300_000) | st.integers()
WATCHED = {
    "started_ms": MOMENTS,
    "start_ms": MOMENTS,
    "at_ms": MOMENTS,
    "due_ms": MOMENTS,
    "width_ms": st.sampled_from([300_000, 1, 0, 10**30]) | st.integers(),
    "planned": st.integers(),
    "metrics": st.dictionaries(st.sampled_from(["error rate", "load"]), TAKEN | WORDS),
    "rules": st.lists(st.just(RULE) | VALUES, max_size=2)
    | st.dictionaries(st.sampled_from(["errors", "other"]), SEEN | VALUES),
    "phase": st.sampled_from(["watch", "smoke", "strange"]),
    "slices": st.lists(MOMENTS, max_size=3) | VALUES,
    "before": WORDS,
    "after": st.sampled_from(["pending", "firing", "resolved"]) | WORDS,
    "rule": st.sampled_from(["errors", "blind/load"]) | WORDS,
    "complete": st.booleans(),
    "decisions": st.lists(st.dictionaries(st.sampled_from(["alert", "reason"]), WORDS)),
}
KEYS = (
    *("status", "actual", "expected", "why", "title", "line", "effect", "verdict", "exit_code"),
    *("reasons", "counts", "question", "form", "choices", "answer", "reason", "link", "expires"),
    *("way", "item", "option", "duration_s", "stated_s", "times", "gap_s", "attempts", "notes"),
    *("sentences", "indicators", "text", "by", "critical", "planned_s", "plan", "bindings"),
)
PLAIN = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
WATCHES = st.fixed_dictionaries({}, optional=WATCHED)
BODIES = st.one_of(PLAIN, WATCHES, st.tuples(PLAIN, WATCHES).map(lambda two: two[0] | two[1]))
MOVES = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(ITEMS), BODIES, st.integers(0, 3), st.integers(-2, 300)
)


def told(moves: list[tuple]) -> Story:
    story = Story(stories.the_plan())
    for kind, item, body, attempt, waited in moves:
        story.wait(waited).say(kind, item, attempt=attempt, body=body)
    return story


def check_forms(events: list) -> None:
    evidence = collect(events, place="run/report.html")
    assert all(cell_len(line) <= 80 for line in render(evidence, "text").splitlines())
    Xml.fromstring(render(evidence, "junit"))
    assert json.loads(render(evidence, "json"))["outcome"] == evidence.outcome.value
    for form in Format:
        text = render(evidence, form)
        assert text.endswith("\n")
        assert not any(ord(char) < 32 and char != "\n" for char in text)
        assert "\x9b" not in text
    json.dumps(evidence.comparable(), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=25))
def test_any_events_can_be_collected_and_rendered(moves: list[tuple]):
    check_forms(told(moves).events)


@pytest.mark.parametrize("name", stories.STORIES)
def test_every_beginning_of_a_run_can_be_collected_and_rendered(name: str):
    events = stories.STORIES[name][0]().events
    for length in range(len(events) + 1):
        check_forms(events[:length])


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=25), st.booleans())
def test_any_events_can_be_watched(moves: list[tuple], interactive: bool):
    story = told(moves)
    live = Live(io.StringIO(), interactive=interactive)
    for event in story.events:
        live.update([event])
        live.output(event.item, "working\n")
        live.tick(story.now)
    live.close()


def test_a_move_is_told_for_the_watch_that_it_names():
    """The next watch may have begun before the last rule of the one before it has moved."""
    out = io.StringIO()
    live = Live(out, interactive=False)
    live.update(
        told(
            [
                ("run.started", "pre", {}, 0, 0),
                ("watch.started", "smoke", {}, 0, 0),
                ("watch.started", "pre", {}, 0, 0),
                ("rule.moved", "slow", {"phase": "smoke", "after": "firing"}, 0, 0),
            ]
        ).events
    )
    assert "slow" in out.getvalue()


FINDINGS = st.lists(
    st.tuples(
        st.sampled_from([*stories.the_plan()["phases"][0]["steps"], {"id": "stray"}]).map(
            lambda step: step["id"]
        )
        | st.sampled_from(["home", "admin", "migrate", "switch-back", "pg-restore", "old-home"]),
        st.sampled_from(list(Status)),
        st.sampled_from(["", "rollback.started", "option.started"]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(FINDINGS)
def test_every_finding_appears_in_every_form(findings: list[tuple]):
    story = Story(stories.the_plan())
    latest: dict[str, tuple[str, Status]] = {}
    for number, (item, status, before) in enumerate(findings):
        if before:
            story.say(before, "previous", way="options")
        seen = f"seen{number}x"
        story.do(item, status.value, actual=seen)
        latest[item] = (seen, status)
    evidence = collect(story.events)
    every = [f"seen{number}x" for number in range(len(findings))]
    for form in ("md", "html", "json", "junit"):
        text = render(evidence, form)
        assert [seen for seen in every if seen not in text] == []
    text = render(evidence, "text")
    for seen, status in latest.values():
        assert status is Status.PASS or seen in text


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=12), st.data())
def test_no_event_can_be_changed_unseen(moves: list[tuple], data: st.DataObject):
    events = told(moves).events
    assert broken_link(events) is None
    place = data.draw(st.integers(0, len(events) - 1))
    field = data.draw(st.sampled_from(["who", "kind", "item", "at", "run"]))
    events[place] = replace(events[place], **{field: getattr(events[place], field) + "x"})
    evidence = collect(events)
    assert evidence.outcome is Outcome.UNPROVEN
    assert evidence.broken_at == place + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=20))
def test_go_needs_a_verdict_of_go(moves: list[tuple]):
    events = [e for e in told(moves).events if e.kind != "verdict.given"]
    assert collect(events).outcome not in (Outcome.GO, Outcome.ROLLED_BACK)
