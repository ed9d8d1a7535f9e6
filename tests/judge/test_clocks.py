"""Slices under clocks that jump, step back, sleep or change to summer time: each is closed once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.judge.collecting import FORMS, MIN, NOON, S, a_collector, at, of, pass_time
from tests.judge.watching import WIDTH

from gonogo.judge.buckets import Bucket, Grid, Share
from gonogo.judge.collector import MOST_AT_ONCE, Collector


def test_a_day_has_288_slices_also_when_clocks_are_changed() -> None:
    start, end = at("2026-10-25T00:00:00+00:00"), at("2026-10-26T00:00:00+00:00")
    collector = a_collector(start)
    closed = of(pass_time(collector, start, end + 10 * S, 10 * S), "errors")
    assert [b.start_ms for b in closed] == list(range(start, end, WIDTH))
    assert {b.watched_ms for b in closed} == {WIDTH}


def test_a_suspended_laptop_leaves_a_gap_and_no_slice_is_lost() -> None:
    collector = a_collector()
    closed = pass_time(collector, NOON, NOON + 120 * S)
    woken = NOON + 40 * MIN
    assert collector.advance(woken) == ()  # believed when the next beat agrees
    closed += collector.advance(woken + S)
    closed += pass_time(collector, woken + S, woken + 6 * MIN, 10 * S)
    mine = of(closed, "errors")
    assert [b.start_ms for b in mine] == list(range(NOON, NOON + 45 * MIN, WIDTH))
    assert [b.watched_ms for b in mine] == [120 * S, *[0] * 7, WIDTH]


def test_a_log_that_is_read_back_covers_the_gap() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 120 * S)
    woken = NOON + 9 * MIN
    collector.advance(woken)
    collector.share("errors", NOON + 7 * MIN, 1)
    collector.covered("errors", NOON + 120 * S, woken)
    pass_time(collector, woken, NOON + 10 * MIN, S)
    closed = pass_time(collector, NOON + 10 * MIN, NOON + 11 * MIN, S)
    assert [(b.body, b.watched_ms) for b in of(closed, "errors")] == [(Share(1, 1), WIDTH)]
    assert [b.watched_ms for b in of(closed, "jobs")] == [MIN]


def test_a_clock_that_is_wrong_for_a_moment_closes_nothing() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 100 * S, 10 * S)
    assert collector.advance(at("2099-01-01T00:00:00+00:00")) == ()
    collector.share("errors", NOON + 110 * S, 1)
    closed = of(pass_time(collector, NOON + 100 * S, NOON + 310 * S, 10 * S), "errors")
    assert [(b.start_ms, b.body, b.late) for b in closed] == [(NOON, Share(1, 1), 0)]


def test_a_clock_that_steps_back_closes_nothing_twice() -> None:
    collector = a_collector()
    closed = pass_time(collector, NOON, NOON + 620 * S, 10 * S)
    closed += collector.advance(NOON + 200 * S)  # seven minutes back
    collector.share("errors", NOON + 210 * S, 1)  # its slice is closed
    closed += pass_time(collector, NOON + 200 * S, NOON + 920 * S, 10 * S)
    mine = of(closed, "errors")
    assert [b.start_ms for b in mine] == [NOON, NOON + WIDTH, NOON + 2 * WIDTH]
    assert [b.late for b in mine] == [0, 0, 1]
    assert [b.watched_ms for b in mine] == [WIDTH] * 3  # lived twice, counted once


def test_after_a_step_back_the_open_slice_still_takes_samples() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 900 * S, 10 * S)
    collector.advance(NOON)
    collector.share("errors", NOON + 901 * S, 1)
    closed = of(collector.finish(NOON + 902 * S), "errors")
    assert [(b.body, dict(b.bad)) for b in closed] == [(Share(), {}), (Share(1, 1), {})]


def test_a_jump_of_years_is_closed_in_pieces() -> None:
    collector = Collector(Grid(1, 0), {"errors": FORMS["errors"]}, NOON)
    later = NOON + (MOST_AT_ONCE + 5) * S
    collector.advance(later)
    assert len(collector.advance(later)) == MOST_AT_ONCE
    assert len(collector.advance(later)) == 5
    assert collector.next_ms == later


@given(st.lists(st.integers(NOON - 3600 * S, NOON + 7200 * S), max_size=30))
def test_whatever_the_clock_does_every_slice_is_closed_once(times: list[int]) -> None:
    collector = a_collector()
    closed: list[Bucket] = []
    for now in times:
        closed += collector.advance(now)
    closed += collector.finish(NOON + 7200 * S)
    mine = of(closed, "errors")
    assert [b.start_ms for b in mine] == list(range(NOON, NOON + 7200 * S, WIDTH))
    assert all(0 <= b.watched_ms <= WIDTH for b in mine)
