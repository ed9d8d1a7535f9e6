"""How one rule of a watch, and the slice under way, are each said in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan
from tests.report.watches import FIRST_MS, RULES, WIDTH_MS, Watched, a_rule, a_watch, watch_of

from gonogo.report import collect, watch_words, words
from gonogo.report.charts import COLUMNS, chart
from gonogo.report.page import Page
from gonogo.report.watch import RuleFacts, Seen, Slice, Watch
from gonogo.report.watch_lines import next_slice, rule_lines

RULE = RuleFacts("errors", "error rate > 1%", "error rate > 1 % for 2 buckets", "rollback", 90)


def lines_of(watched: Watched, width: int = 80) -> list[str]:
    return rule_lines(watch_of(collect(watched.story.events)), Page(width))


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
