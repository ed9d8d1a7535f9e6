"""What the evidence of a watch holds: its rules, its slices, its gaps, and what was accepted."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan, resealed
from tests.report.watches import FIRST_MS, WIDTH_MS, a_watch, watch_of

from gonogo.report import Outcome, collect
from gonogo.report.watch import Watch
from gonogo.report.watch_fold import gaps
from gonogo.report.watch_tables import slice_rows


def test_a_watch_is_kept_with_its_rules_slices_and_moves():
    watch = watch_of(collect(stories.watch_rolled_back().events))
    assert (watch.phase, watch.width_ms, watch.planned) == ("watch", WIDTH_MS, 8)
    assert (watch.planned_s, watch.watched_s) == (2400, 1800)
    assert [rule.id for rule in watch.rules] == ["fast", "slow", "errors"]
    assert [one.start[11:16] for one in watch.slices][:3] == ["14:00", "14:05", "14:10"]
    last = watch.slices[-1].rules["errors"]
    assert (last.event, last.state, last.count, last.need) == ("breach", "firing", 2, 2)
    assert (last.value, last.unit, last.limit) == (4.1, "%", 1.0)
    assert [(m.rule, m.after) for m in watch.moves][-1] == ("errors", "firing")
    assert (watch.complete, watch.why.partition(",")[0]) == (False, "error rate 4.1 %")


def test_the_findings_of_rules_are_judged_with_their_phase():
    evidence = collect(stories.watch_rolled_back().events)
    phase = evidence.phases[-1]
    assert [(s.id, s.word) for s in phase.judged] == [
        ("first", "pass"),
        ("fast", "fail"),
        ("errors", "fail"),
        ("watch", "unknown"),
    ]
    assert evidence.outcome is Outcome.ROLLED_BACK


def test_a_rule_without_its_finding_is_unfinished_and_one_that_warns_has_none():
    watch = watch_of(collect(stories.watching().events))
    assert [(step.id, step.word) for step in watch.findings] == [
        ("fast", "unfinished"),
        ("errors", "unfinished"),
    ]
    assert watch.complete is None


def test_what_a_person_accepts_at_the_gate_may_be_a_rule():
    story = stories.watch_blind()
    story.events = story.events[:-2]
    body = {"verdict": "go", "reasons": [], "by": "eve", "held": ["errors"], "reason": "seen"}
    story.say("gate.decided", "watch", body=body).verdict("go", 0)
    evidence = collect(story.events)
    held = {step.id: step.accepted for step in evidence.phases[-1].judged}
    assert held["errors"] is not None
    assert held["errors"].who == "eve"
    assert held["fast"] is None
    assert [(w.title, w.line) for w in evidence.waivers] == [
        ("error rate > 1% for 2 consecutive buckets", 90)
    ]


def test_events_that_come_twice_or_late_change_nothing():
    events = stories.watch_rolled_back().events
    whole = watch_of(collect(events))
    twice = [e for event in events for e in (event, event) if e.kind != "rule.moved"]
    assert watch_of(collect(resealed(twice))).slices == whole.slices
    closed = [event for event in events if event.kind == "bucket.closed"]
    others = [event for event in events if event.kind != "bucket.closed"]
    place = others.index(next(e for e in others if e.kind == "watch.ended"))
    shuffled = [*others[:place], *reversed(closed), *others[place:]]
    assert watch_of(collect(resealed(shuffled))).slices == whole.slices


def test_a_gap_is_told_with_its_reason_and_nobody_fills_it():
    watch = watch_of(collect(stories.watch_blind().events))
    told = [(gap.since[11:16], gap.until[11:16], gap.say()) for gap in watch.gaps]
    assert told == [
        ("14:10", "14:25", "no data of response time for 3 slices (permission denied)"),
        ("14:20", "14:25", "no data of error rate for 1 slice (permission denied)"),
        ("14:25", "14:40", "not watched for 3 slices"),
    ]
    assert len(watch.slices) == 8
    assert len(watch.grid()) == 10
    assert watch.watched_s == 6 * 300


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=12))
def test_every_slice_is_either_known_or_in_a_gap(marks: list[tuple[int, bool]]):
    def metrics(known: bool) -> dict:
        return {"m": {"count": int(known), "coverage": 1.0 if known else 0.0}}

    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch")
    known = dict(marks)
    story.say("watch.started", "watch", width_ms=WIDTH_MS, metrics={"m": "somewhere"})
    for place in sorted(known):
        start = FIRST_MS + place * WIDTH_MS
        body = {"phase": "watch", "start_ms": start, "metrics": metrics(known[place])}
        story.say("bucket.closed", f"watch@{start}", body=body)
    watch = watch_of(collect(story.events))
    lost = sum(gap.slices for gap in watch.gaps)
    length = max(known) - min(known) + 1 if known else 0
    assert lost + sum(known.values()) == length
    assert len(watch.grid()) == length


def test_nothing_is_a_gap_in_a_watch_without_slices():
    assert gaps((), Watch("watch")) == []


def test_runs_that_watched_at_other_times_are_comparable():
    early, late = stories.watch_rolled_back(), stories.watch_rolled_back()
    moved = []
    for event in late.events:
        body = event.body
        if "start_ms" in body:
            body = {**body, "start_ms": body["start_ms"] + WIDTH_MS}
        moved.append(replace(event, body=body))
    late.events = resealed(moved)
    assert collect(early.events).comparable() == collect(late.events).comparable()
    assert collect(early.events).comparable() != collect(stories.watch_go().events).comparable()


def test_what_came_and_is_no_figure_is_shown_with_its_reason():
    watched = a_watch((10, 300))
    body = {"start_ms": FIRST_MS + WIDTH_MS, "phase": "watch", "rules": {}}
    flawed = {"count": 90, "coverage": 1.0, "late": 0, "why": [], "bad": {"null": 10}}
    silent = {"count": 0, "coverage": 1.0, "late": 0, "why": [], "bad": {"not a number": 3}}
    body["metrics"] = {"response time": flawed, "error rate": silent}
    watched.story.say("bucket.closed", f"watch@{body['start_ms']}", body=body)
    watch = watch_of(collect(watched.story.events))
    rows, _ = slice_rows(watch)
    assert rows[-1].said == ("response time: 10 null not counted",)
    assert [gap.say() for gap in watch.gaps] == [
        "no data of error rate for 1 slice (no figure: not a number)"
    ]
