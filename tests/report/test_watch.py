"""What the evidence of a watch holds, and how one rule is said in one line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan, resealed
from tests.report.watches import FIRST_MS, RULES, WIDTH_MS, Watched, a_rule

from gonogo.report import Outcome, collect, render, watch_words, words
from gonogo.report.charts import COLUMNS, chart
from gonogo.report.evidence import Evidence
from gonogo.report.page import Page
from gonogo.report.watch import RuleFacts, Seen, Slice, Watch
from gonogo.report.watch_fold import gaps
from gonogo.report.watch_lines import next_slice, rule_lines
from gonogo.report.watch_tables import slice_rows

RULE = RuleFacts("errors", "error rate > 1%", "error rate > 1 % for 2 buckets", "rollback", 90)


def a_watch(*slices: tuple[int | None, int | None], **more: object) -> Watched:
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch", "Watch", "watch")
    watched = Watched(story, **more)  # type: ignore[arg-type]
    watched.see(*slices)
    return watched


def watch_of(evidence: Evidence) -> Watch:
    ((_, watch),) = evidence.watches()
    return watch


def lines_of(watched: Watched, width: int = 80) -> list[str]:
    return rule_lines(watch_of(collect(watched.story.events)), Page(width))


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


@pytest.mark.parametrize(
    ("says", "name", "limit", "window"),
    [
        ("error rate > 1 % for 2 consecutive buckets", "error rate", "> 1 %", " for 2 buckets"),
        ("response time p95 < 500 ms", "response time p95", "< 500 ms", ""),
        ("load between 3 and 4", "load", "between 3 and 4", ""),
        (
            "load between 3 and 4 and disk > 90 %",
            "load, disk",
            "between 3 and 4 and > 90 %",
            "",
        ),
        ("errors > 2 for 2 of 3 buckets", "errors", "> 2", " for 2 of 3 buckets"),
        ("queue > 10 for 12 minutes", "queue", "> 10", " for 12 minutes"),
        (
            "response time p99 > 2 s or error rate > 5 % for 2 buckets",
            "response time p99, error rate",
            "> 2 s or > 5 %",
            " for 2 buckets",
        ),
        ("everything is fine", "everything", "is fine", ""),
        ("strange", "strange", "", ""),
    ],
)
def test_a_rule_is_taken_apart(says: str, name: str, limit: str, window: str):
    worded = watch_words.worded(replace(RULE, says=says))
    assert (worded.name, worded.limit, worded.window) == (name, limit, window)


def seen(event: str, value: float | None = None, limit: float | None = None) -> Seen:
    return Seen("", event, "", 0, 2, 2, value, "%", limit)


GOOD, BAD, SILENT = seen("good"), seen("breach"), seen("no data")


@pytest.mark.parametrize(
    ("series", "drawn"),
    [
        ([], ""),
        ([GOOD, BAD, SILENT, Seen()], "·×??"),
        ([*[GOOD] * 99, BAD, *[GOOD] * 100], "···×····"),
        ([seen("good", 0, 1), seen("good", 0.5, 1), seen("breach", 1, 1)], "▁▅█"),
        ([seen("good", 0.1, 1), SILENT, seen("good", 0.1, 1)], "▁?▁"),
        ([*[seen("good", 0, 8)] * 80, seen("breach", 8, 8)], "▁▁▁▁▁▁▁█"),
        ([seen("good", 0)], "▁"),
        ([seen("good", -2), seen("good", 2)], "▁█"),
    ],
)
def test_a_rule_over_time_fits_in_eight_characters(series: list[Seen], drawn: str):
    assert watch_words.spark(RULE, series) == drawn


def test_of_a_rule_about_low_values_the_lowest_is_drawn():
    falling = replace(RULE, says="hit rate < 20 %")
    series = [*[seen("good", 80, 20)] * 79, seen("breach", 5, 20)]
    assert watch_words.spark(falling, series) == "███████▁"
    rising = replace(RULE, consequence="objective", says="hit rate >= 20 %")
    assert watch_words.spark(rising, series) == "███████▁"


@given(st.lists(st.sampled_from([GOOD, BAD, SILENT]), max_size=600))
def test_no_breach_is_lost_by_drawing_less(series: list[Seen]):
    drawn = watch_words.spark(RULE, series)
    assert len(drawn) <= 8
    assert ("×" in drawn) == (BAD in series)
    slices = tuple(
        Slice(words.at_ms(FIRST_MS + n * WIDTH_MS), FIRST_MS + n * WIDTH_MS, {"errors": one})
        for n, one in enumerate(series)
    )
    picture = chart(RULE, Watch("watch", width_ms=WIDTH_MS, rules=(RULE,), slices=slices), "c")
    assert bool(picture.crosses) == (BAD in series)
    assert bool(picture.dots) == (GOOD in series)
    assert picture.crosses.count("M") + picture.dots.count("M") <= 2 * COLUMNS


def test_the_lines_read_as_designed():
    watched = a_watch((10, 300), (12, 310), (35, 300), (140, 520))
    assert lines_of(watched) == [
        "  response time p95  520 ms  ▅▅▅█  must be < 500 ms           firing since 14:15",
        "  response time p95  520 ms  ▅▅▅█  warns at > 450 ms          1 of 2 since 14:15",
        "  error rate         1.4 %   ▁▁▃█  rolls back at > 1 %        1 of 2 since 14:15",
    ]


def test_a_line_without_data_says_since_when_and_why():
    watched = a_watch((10, 300), (None, 300), (None, 300), why=("query refused",))
    line = lines_of(watched)[2]
    assert line.startswith("  error rate         no data since 14:05 (query refused)  ")
    assert line.endswith("  paged 14:15")
    assert cell_len(line) == 80
    assert "300 ms" in lines_of(watched)[0]


def test_a_rule_that_is_pending_and_blind_keeps_its_streak_in_sight():
    watched = a_watch((140, 300), (None, 300), why=("query refused",))
    line = lines_of(watched)[2]
    assert "no data since 14:05 (query refused)" in line
    assert line.endswith("1 of 2 since 14:00")


def test_when_the_silence_pages_is_told_where_the_watch_says_how_long_it_waits():
    watched = a_watch((10, 300), (None, 300), why=("query refused",))
    event = watched.story.events[2]
    assert event.kind == "watch.started"
    watched.story.events[2] = replace(event, body={**event.body, "blind_after_s": 600})
    assert lines_of(watched)[2].endswith("  pages at 14:15")


def test_a_rule_of_two_metrics_shows_both_names_and_both_limits():
    both = a_rule("both", "response time p95 > 2s or error rate > 5% for 2 buckets", "page", 93)
    watched = a_watch((10, 300), (600, 300), rules=(*RULES, both), values=False)
    line = lines_of(watched)[-1]
    assert "pages at > 2 s or > 5 %" in line
    assert line.startswith("  response time p95, error…")
    assert cell_len(line) <= 80


def test_too_few_samples_are_no_value():
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch")
    rules = [{"id": "e", "text": "error rate > 1%", "says": "error rate > 1 %"}]
    story.say("watch.started", "watch", width_ms=WIDTH_MS, rules=rules)
    says = "error rate unknown: 12 samples, at least 101 needed, expected <= 1 %"
    says_it = {"e": {"says": says, "event": "insufficient", "state": "inactive"}}
    story.say("bucket.closed", "watch@0", phase="watch", start_ms=FIRST_MS, rules=says_it)
    (line,) = rule_lines(watch_of(collect(story.events)), Page(80))
    assert "12 samples, at least 101 needed" in line


@pytest.mark.parametrize("width", [40, 50, 60, 72, 80, 100, 120])
@pytest.mark.parametrize("name", ["watch-go", "watch-rolled-back", "watch-blind", "watching"])
def test_a_line_is_never_wider_than_the_page_and_never_two(name: str, width: int):
    watch = watch_of(collect(stories.STORIES[name][0]().events))
    lines = rule_lines(watch, Page(width))
    assert len(lines) == len(watch.rules)
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("now", "line"),
    [
        ("14:25:10", "  slice 14:25 to 14:30 ends in 4m 50s, 5 of 288 closed"),
        ("14:29:59.500", "  slice 14:25 to 14:30 ends in 1 s, 5 of 288 closed"),
        ("14:30:03", "  slice 14:25 to 14:30 is being closed, 5 of 288 closed"),
    ],
)
def test_the_open_slice_counts_down(now: str, line: str):
    watch = watch_of(collect(stories.watching().events))
    assert next_slice(watch, Page(80), words.moment(f"2026-03-01T{now}Z")) == [line]


def test_before_the_first_slice_is_closed_the_one_under_way_is_told():
    story = Story(a_plan(a_phase("watch", "Watch"))).phase("watch")
    Watched(story)
    watch = watch_of(collect(story.events))
    (line,) = next_slice(watch, Page(80), words.moment("2026-03-01T14:04:00Z"))
    assert line == "  slice 14:00 to 14:05 ends in 1m, 0 of 8 closed"


def test_short_slices_are_told_with_seconds_and_other_days_with_their_date():
    at, later = words.at_ms(FIRST_MS), words.at_ms(FIRST_MS + 86_400_000)
    watch = Watch("watch", started=later, width_ms=2_000)
    assert watch_words.clock(at, watch) == "03-01 14:00:00"
    assert watch_words.clock(later, watch) == "14:00:00"


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


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("resolved", "resolved 14:30"),
        ("firing", "firing since 14:30"),
        ("pending", "pending since"),
    ],
)
def test_an_alert_that_moves_after_going_back_is_told_as_it_stands(after: str, said: str) -> None:
    watched = a_watch((0, 200), (0, 600), (0, 600))
    story = watched.end(complete=False, why="a trigger")
    at_ms = FIRST_MS + 6 * WIDTH_MS
    body = {"rule": "slow", "consequence": "warn", "at_ms": at_ms, "closed_ms": at_ms + WIDTH_MS}
    body |= {"before": "firing", "after": after, "reason": "", "phase": "watch", "way": "back"}
    story.say("rule.moved", f"slow@{at_ms}", body=body)
    watch = watch_of(collect(story.events))
    (rule,) = [rule for rule in watch.rules if rule.id == "slow"]
    assert watch_words.streak(rule, watch).startswith(said)
