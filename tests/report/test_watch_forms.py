"""How a watch is told in each form of the report: on the way back, after it, and for a week."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan
from tests.report.watches import FIRST_MS, WIDTH_MS, Watched, watch_of

from gonogo.report import collect, render


def test_a_watch_on_the_way_back_is_told_with_the_rollback():
    story = stories.rolled_back()
    story.events.pop()
    watched = Watched(story, "previous?green", planned=2)
    watched.see((10, 300), (12, 310))
    watched.end().verdict("no-go", 4)
    evidence = collect(story.events)
    assert evidence.rollback is not None
    assert [watch.phase for watch in evidence.rollback.watches] == ["previous?green"]
    for form in ("text", "md", "html", "json", "junit"):
        assert "previous?green" in render(evidence, form)
    assert "rolls back at > 1 %" in render(evidence, "text")
    text = render(evidence, "text")
    assert all(cell_len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_what_the_figures_said_after_going_back_is_told(form: str):
    evidence = collect(stories.watch_rolled_back().events)
    assert evidence.unread == ()
    told = render(evidence, form)
    assert "all objectives green" in told
    assert "error rate 1.2 %" in told


def test_the_reason_of_a_trigger_is_told_once_with_the_end_of_the_watch():
    text = render(collect(stories.watch_rolled_back().events), "text")
    phase = text.partition("\nrollback ")[0]
    assert phase.count("(2 of 2 buckets") == 1


def test_json_holds_every_slice_on_a_line_of_its_own():
    text = render(collect(stories.watch_rolled_back().events), "json")
    watch = json.loads(text)["phases"][-1]["watch"]
    assert len(watch["slices"]) == 6
    assert watch["slices"][4]["rules"]["errors"]["count"] == 1
    assert len([line for line in text.splitlines() if '"start_ms"' in line]) == 6


def test_a_week_of_ten_rules_stays_readable():
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch")
    names = [f"r{number}" for number in range(10)]
    rules = [{"id": n, "text": f"{n} > 1", "says": f"{n} > 1", "line": 3} for n in names]
    story.say("watch.started", "watch", width_ms=WIDTH_MS, planned=2016, rules=rules)
    for place in range(2016):
        start = FIRST_MS + place * WIDTH_MS
        bad = place % 7 == 0
        one = {
            "says": f"load {place}",
            "event": "breach" if bad else "good",
            "state": "firing" if bad else "resolved",
            "value": float(place % 50),
            "limit": 40.0,
        }
        body = {"phase": "watch", "start_ms": start, "rules": dict.fromkeys(names, one)}
        story.say("bucket.closed", f"watch@{start}", body=body)
        for name in names if bad else ():
            move = {"rule": name, "at_ms": start, "after": "firing", "reason": "bad"}
            story.say("rule.moved", f"{name}@{start}", body=move)
    evidence = collect(story.events)
    assert len(watch_of(evidence).slices) == 2016
    assert len(json.loads(render(evidence, "json"))["phases"][0]["watch"]["slices"]) == 2016
    assert len(render(evidence, "html")) < 600_000
    assert len(render(evidence, "md")) < 65_536  # what a comment on GitHub may hold
    assert len(render(evidence, "text").splitlines()) < 40
