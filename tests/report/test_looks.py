"""Looks of a checkpoint, a baseline and a scaled calendar, in every form of a report."""

from __future__ import annotations

import io

import pytest
from tests.report.builders import Story, a_phase, a_plan, a_step

from gonogo.report import collect, render
from gonogo.report.live import Live
from gonogo.report.looks import Look, lines
from gonogo.run.journal import Event

FORMS = ("text", "md", "html", "json", "junit")
DUE_MS = 1_772_373_600_000  # 2026-03-01 14:00:00 UTC


def looked(**start: object) -> Story:
    plan = a_plan(a_phase("watch", "Watch", a_step("home", "Home answers", 12)))
    story = Story(plan, **start).phase("watch", "Watch", "watch").begin("home")  # type: ignore[arg-type]
    for number, (status, said) in enumerate(
        [("pass", "status 200"), ("fail", "status 500"), (None, ""), ("pass", "status 200")]
    ):
        body = {"checkpoint": "First hour", "due_ms": DUE_MS + number * 300_000}
        if status is None:
            story.say("look.missed", "home", body={**body, "why": "nobody looked"})
        else:
            body |= {"status": status, "actual": said, "why": said if status == "fail" else ""}
            story.say("look.taken", "home", body=body)
    return story.end("home", "fail", actual="status 500", why="status 500")


def test_every_look_is_in_the_evidence():
    step = collect(looked().events).phases[0].steps[0]
    assert [(one.due[11:16], one.status, one.said) for one in step.looks] == [
        ("14:00", "pass", "status 200"),
        ("14:05", "fail", "status 500"),
        ("14:10", "missed", "nobody looked"),
        ("14:15", "pass", "status 200"),
    ]


@pytest.mark.parametrize("form", ["md", "html", "json", "junit"])
def test_every_look_is_told_in_documents(form):
    text = render(collect(looked().events), form)
    assert "First hour" in text
    assert "nobody looked" in text


def test_of_many_looks_the_bad_ones_are_told_and_the_rest_is_counted():
    good = [Look("c", "2026-03-01T14:00:00.000Z", "", "pass")] * 100
    bad = Look("c", "2026-03-01T15:00:00.000Z", "", "fail", "status 500")
    told = [*lines([bad, *good])]
    assert len(told) == 41
    assert "fail" in told[0]
    assert told[-1] == "61 looks left out; the JSON form has them"


def told_live(events: list[Event]) -> str:
    stream = io.StringIO()
    live = Live(stream, width=80, interactive=False)
    live.update(events)
    live.close()
    return stream.getvalue()


def test_a_pipe_gets_a_line_for_every_look():
    said = told_live(looked().events)
    assert said.count("   look ") == 4


@pytest.mark.parametrize("form", FORMS)
def test_a_scaled_calendar_is_said_in_every_form(form):
    text = " ".join(render(collect(looked(calendar="1/720").events), form).split())
    assert "1/720" in text
    assert "calendar" in text.lower()
    plain = render(collect(looked().events), form)
    assert "1/720" not in plain


def test_a_scaled_calendar_is_said_on_the_screen_before_anything_else():
    said = told_live(looked(calendar="1/720").events)
    assert said.split("\n")[1].startswith("scaled calendar 1/720")


def with_baseline() -> Story:
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch", "Watch", "watch")
    rule = {
        "id": "errors", "text": "error rate <= 1.5x baseline", "consequence": "objective",
        "says": "error rate <= 1.5x baseline", "line": 9, "baseline": "2 %",
    }  # fmt: skip
    story.say("watch.started", "watch", started_ms=DUE_MS, width_ms=60_000, planned=1, rules=[rule])
    seen = {"says": "error rate 2.5 %", "event": "good", "state": "inactive", "count": 0,
            "need": 1, "of": 1, "value": 2.5, "unit": "%", "limit": 3.0}  # fmt: skip
    body = {"phase": "watch", "start_ms": DUE_MS, "rules": {"errors": seen}, "metrics": {}}
    return story.say("bucket.closed", f"watch@{DUE_MS}", body=body)


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_the_baseline_stands_beside_the_later_figure(form):
    text = " ".join(render(collect(with_baseline().events), form).split())
    assert ('"baseline": "2 %"' if form == "json" else "baseline 2 %") in text


def test_a_move_belongs_to_the_watch_that_it_names():
    story = Story(a_plan(a_phase("hour", "First hour"), a_phase("day", "First day")))
    for phase in ("hour", "day"):
        story.phase(phase, phase, "watch").say("watch.started", phase, started_ms=DUE_MS)
    move = {"rule": "errors", "after": "firing", "before": "pending", "phase": "hour"}
    story.say("rule.moved", "errors@1", body=move)
    hour, day = (watch for _, watch in collect(story.events).watches())
    assert ([m.after for m in hour.moves], day.moves) == (["firing"], ())
