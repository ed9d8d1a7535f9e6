"""Slices of time: on the UTC grid, closed once, whole in JSON, honest about what was not seen."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import WIDTH, a_bucket, a_sketch

from gonogo.judge.buckets import Amount, Bucket, Figure, Form, Given, Grid, Shape, Share
from gonogo.judge.collector import MOST_AT_ONCE, Collector, length_within, without
from gonogo.judge.sketch import Refusal

S = 1000
MIN = 60 * S
FORMS = {
    "latency": Form(Shape.SAMPLES, "ms"),
    "errors": Form(Shape.SHARE, "%"),
    "jobs": Form(Shape.AMOUNT, "jobs"),
    "table": Form(Shape.GIVEN, "ms"),
}
GRID = Grid(300, 10)


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


NOON = at("2026-03-01T12:00:00+00:00")


def a_collector(started: int = NOON, **more: object) -> Collector:
    return Collector(GRID, FORMS, started, **more)  # type: ignore[arg-type]


def pass_time(collector: Collector, since: int, until: int, step: int = 30 * S) -> list[Bucket]:
    closed: list[Bucket] = []
    for now in range(since + step, until + 1, step):
        closed += collector.advance(now)
    return closed


def of(buckets: list[Bucket] | tuple[Bucket, ...], metric: str) -> list[Bucket]:
    return [bucket for bucket in buckets if bucket.metric == metric]


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:04:59.999+00:00", "2026-03-01T12:00:00+00:00"),
        ("2026-03-29T03:02:00+02:00", "2026-03-29T01:00:00+00:00"),  # just after summer time began
        ("2016-12-31T23:59:59+00:00", "2016-12-31T23:55:00+00:00"),  # a leap second follows
        ("2017-01-01T00:00:00+00:00", "2017-01-01T00:00:00+00:00"),
        ("1969-12-31T23:58:00+00:00", "1969-12-31T23:55:00+00:00"),
    ],
)
def test_a_moment_belongs_to_one_slice_in_utc(moment: str, start: str) -> None:
    assert GRID.start_of(at(moment)) == at(start)


@pytest.mark.parametrize(("width", "grace"), [(0, 0), (-300, 0), (300, -1)])
def test_a_grid_without_slices_is_refused(width: int, grace: int) -> None:
    with pytest.raises(ValueError, match=r"has no width|is none"):
        Grid(width, grace)


def test_a_day_has_288_slices_also_when_clocks_are_changed() -> None:
    start, end = at("2026-10-25T00:00:00+00:00"), at("2026-10-26T00:00:00+00:00")
    collector = a_collector(start)
    closed = of(pass_time(collector, start, end + 10 * S, 10 * S), "errors")
    assert [b.start_ms for b in closed] == list(range(start, end, WIDTH))
    assert {b.watched_ms for b in closed} == {WIDTH}


def test_a_slice_closes_when_its_grace_is_over() -> None:
    collector = a_collector()
    assert pass_time(collector, NOON, NOON + 300 * S) == []
    assert collector.advance(NOON + 309_999) == ()
    assert [b.metric for b in collector.advance(NOON + 310 * S)] == list(FORMS)


def test_each_shape_is_kept_as_it_is() -> None:
    collector = a_collector(limits={"latency": [Decimal(100)]})
    for value in (80, 120.5, Decimal("99.9")):
        collector.value("latency", NOON, value)
    collector.share("errors", NOON, 1, 10)
    collector.share("errors", NOON + 1, 0)
    collector.value("jobs", NOON, 3)
    collector.value("jobs", NOON, 0.5)
    collector.figure("table", NOON + 5, "p99", 900, 50)
    collector.figure("table", NOON + 1, "p99", 700, 40)
    collector.figure("table", NOON, "", 1)
    bodies = {b.metric: b.body for b in collector.finish(NOON + 30 * S)}
    assert bodies == {
        "latency": a_sketch([80, 120.5, Decimal("99.9")], ["100"]),
        "errors": Share(1, 11),
        "jobs": Amount(Decimal("3.5"), 2),
        "table": Given({"p99": Figure(NOON + 5, Decimal(900), 50), "": Figure(NOON, Decimal(1))}),
    }


def test_late_samples_are_counted_and_not_fed() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 330 * S)
    collector.share("errors", NOON + 299 * S, 1)
    collector.share("errors", NOON + 301 * S, 1)
    closed = of(pass_time(collector, NOON + 330 * S, NOON + 630 * S), "errors")
    assert [(b.body, b.late) for b in closed] == [(Share(1, 1), 1)]


def test_within_the_grace_a_sample_of_the_old_slice_is_fed() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 300 * S)
    collector.advance(NOON + 309 * S)
    collector.share("errors", NOON + 299 * S, 1)
    closed = of(collector.advance(NOON + 310 * S), "errors")
    assert [(b.body, b.late) for b in closed] == [(Share(1, 1), 0)]


def test_bad_samples_are_counted_by_reason() -> None:
    collector = a_collector()
    for value in (None, "slow", float("nan"), -1, -2):
        collector.value("latency", NOON, value)
    collector.share("errors", NOON, 3, 2)
    collector.share("errors", NOON, -1, 2)
    collector.figure("table", NOON, "p99", None)
    collector.value("latency", NOON - 1, 5)  # before the watch
    collector.value("latency", NOON + 3600 * S, 5)  # an hour ahead
    bad = {b.metric: dict(b.bad) for b in collector.finish(NOON + S)}
    assert bad == {
        "latency": {
            "null": 1, "not a number": 1, "NaN or infinity": 1, "negative": 2,
            "from before the watch": 1, "from the future": 1,
        },
        "errors": {Refusal.IMPOSSIBLE.value: 1, "negative": 1},
        "jobs": {},
        "table": {"null": 1},
    }  # fmt: skip


def test_the_first_slice_says_how_little_of_it_was_watched() -> None:
    start = NOON + 240 * S
    collector = a_collector(start)
    closed = of(pass_time(collector, start, NOON + 620 * S, 10 * S), "errors")
    assert [(b.start_ms, b.watched_ms) for b in closed] == [(NOON, 60 * S), (NOON + WIDTH, WIDTH)]
    assert closed[0].coverage == 0.2


def test_a_source_that_was_blind_covers_less_and_says_why() -> None:
    collector = a_collector()
    collector.blind("errors", NOON + 100 * S, NOON + 200 * S, "query refused")
    collector.blind("errors", NOON + 150 * S, NOON + 250 * S, "timeout")
    closed = pass_time(collector, NOON, NOON + 330 * S)
    assert [(b.watched_ms, b.reasons) for b in of(closed, "errors")] == [
        (150 * S, ("query refused", "timeout"))
    ]
    assert [b.watched_ms for b in of(closed, "jobs")] == [WIDTH]


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


def test_workers_together_watched_as_long_as_the_worse_of_them() -> None:
    one = a_bucket("errors", Share(1, 10), watched_ms=100 * S)
    two = a_bucket("errors", Share(2, 20), watched_ms=WIDTH)
    merged = one.merge(two)
    assert (merged.body, merged.watched_ms) == (Share(3, 30), 100 * S)


def test_a_jump_of_years_is_closed_in_pieces() -> None:
    collector = Collector(Grid(1, 0), {"errors": FORMS["errors"]}, NOON)
    later = NOON + (MOST_AT_ONCE + 5) * S
    collector.advance(later)
    assert len(collector.advance(later)) == MOST_AT_ONCE
    assert len(collector.advance(later)) == 5
    assert collector.next_ms == later


def test_a_collector_goes_on_where_the_last_bucket_ended() -> None:
    resumed = a_collector(NOON, resume_ms=NOON + WIDTH)
    now = NOON + 7 * MIN
    resumed.advance(now)
    resumed.share("errors", NOON + 6 * MIN, 1)
    resumed.share("errors", NOON + MIN, 1)  # its bucket is on record
    closed = of(pass_time(resumed, now, NOON + 11 * MIN, 10 * S), "errors")
    assert [(b.start_ms, b.body, b.late) for b in closed] == [(NOON + WIDTH, Share(1, 1), 1)]
    assert closed[0].watched_ms == 3 * MIN  # nobody looked before


def test_the_end_of_a_watch_closes_what_has_begun() -> None:
    collector = a_collector()
    pass_time(collector, NOON, NOON + 360 * S)
    last = of(collector.finish(NOON + 375 * S), "errors")
    assert [(b.start_ms, b.watched_ms) for b in last] == [(NOON + WIDTH, 75 * S)]


OBSERVATIONS = st.lists(
    st.tuples(
        st.sampled_from(sorted(FORMS)),
        st.integers(0, 599),
        st.integers(0, 3),
        st.decimals(-5, 1000, places=2) | st.floats(0, 1000) | st.none(),
    ),
    max_size=30,
)


def feed(collector: Collector, observations: list[tuple[str, int, int, object]]) -> list[str]:
    for metric, second, small, value in observations:
        moment = NOON + second * S
        match FORMS[metric].shape:
            case Shape.SHARE:
                collector.share(metric, moment, small, 2)
            case Shape.GIVEN:
                collector.figure(metric, moment, "p99", value, small)
            case _:
                collector.value(metric, moment, value)
    closed = pass_time(collector, NOON, NOON + 620 * S)
    return [json.dumps(bucket.as_json()) for bucket in closed]


@given(OBSERVATIONS, st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter(
    observations: list[tuple[str, int, int, object]], dice: random.Random
) -> None:
    other = list(observations)
    dice.shuffle(other)
    limits = {"latency": [Decimal(500)]}
    assert feed(a_collector(limits=limits), observations) == feed(a_collector(limits=limits), other)


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


def test_a_week_keeps_only_the_open_slices() -> None:
    collector = Collector(GRID, {"latency": FORMS["latency"]}, NOON)
    dice = random.Random(3)

    def hours(first: int, last: int) -> int:
        kept = 0
        for second in range(first * 3600, last * 3600, 10):
            now = NOON + second * S
            collector.value("latency", now, dice.lognormvariate(5, 1))
            collector.advance(now)
            collector.blind("latency", now, now + 1, "slow")
            collector.covered("latency", now + 2, now + 3)
            if second % 50 == 0:
                kept = max(kept, size(collector))
        return kept

    first = hours(0, 3)  # in this order: the clock runs on
    assert hours(3, 8) <= 1.2 * first


def size(thing: object, seen: set[int] | None = None) -> int:
    """Return the bytes of an object and all that it holds."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    total = sys.getsizeof(thing)
    if isinstance(thing, dict):
        return total + sum(size(k, seen) + size(v, seen) for k, v in thing.items())
    if isinstance(thing, list | tuple | set):
        return total + sum(size(item, seen) for item in thing)
    names = [*getattr(thing, "__slots__", ()), *getattr(thing, "__dict__", ())]
    return total + sum(size(getattr(thing, name), seen) for name in names if hasattr(thing, name))


BODIES = {
    "latency": st.lists(st.floats(1e-3, 1e6), max_size=5).map(lambda v: a_sketch(v, ["100"])),
    "errors": st.builds(Share, st.integers(0, 5), st.integers(5, 9)),
    "jobs": st.builds(Amount, st.decimals(0, 99, places=3), st.integers(0, 9)),
    "table": st.dictionaries(
        st.sampled_from(["", "p99", "p95"]),
        st.builds(
            Figure, st.integers(0, 9), st.decimals(0, 9, places=1), st.none() | st.integers(0, 9)
        ),
    ).map(Given),
}


def buckets_of(metric: str) -> st.SearchStrategy[Bucket]:
    return st.builds(
        Bucket,
        st.just(metric),
        st.just(NOON),
        st.just(WIDTH),
        BODIES[metric],
        st.integers(0, WIDTH),
        st.dictionaries(st.sampled_from([r.value for r in Refusal]), st.integers(1, 9), max_size=3),
        st.integers(0, 9),
        st.sets(st.text("abc", min_size=1, max_size=2), max_size=9).map(
            lambda s: tuple(sorted(s)[:8])
        ),
    )


ONE_METRIC = st.sampled_from(sorted(BODIES))


@given(ONE_METRIC.flatmap(lambda metric: st.tuples(*[buckets_of(metric)] * 3)))
def test_merging_workers_is_associative_and_commutative(
    three: tuple[Bucket, Bucket, Bucket],
) -> None:
    a, b, c = three
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b) == b.merge(a)


@given(ONE_METRIC.flatmap(buckets_of))
def test_the_json_form_is_whole(bucket: Bucket) -> None:
    assert Bucket.from_json(json.loads(json.dumps(bucket.as_json()))) == bucket


@pytest.mark.parametrize(
    "change",
    [{"metric": "b"}, {"start_ms": 0}, {"width_ms": 1}, {"body": Amount()}],
    ids=lambda change: next(iter(change)),
)
def test_other_slices_do_not_merge(change: dict[str, object]) -> None:
    bucket = a_bucket("a", Share(1, 2), 1)
    assert bucket.end_ms == 2 * WIDTH
    with pytest.raises(ValueError, match="not the same slice"):
        bucket.merge(replace(bucket, **change))  # type: ignore[arg-type]


STRETCHES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair))),
    max_size=8,
)


@given(STRETCHES, STRETCHES)
def test_time_without_holes_is_what_a_list_of_moments_says(
    stretches: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> None:
    def inside(moment: int, pairs: list[tuple[int, int]]) -> bool:
        return any(since <= moment < until for since, until in pairs)

    truth = [m for m in range(50) if inside(m, stretches) and not inside(m, holes)]
    left = without(stretches, holes)
    assert [m for m in range(50) if inside(m, left)] == truth
    assert length_within(left, 0, 50) == len(truth)
    assert length_within(left, 10, 20) == len([m for m in truth if 10 <= m < 20])
