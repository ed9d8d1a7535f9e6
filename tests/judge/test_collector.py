"""What was measured becomes slices, closed once, honest about what was late, bad or not seen."""

from __future__ import annotations

import json
import random
import sys
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.judge.collecting import FORMS, GRID, MIN, NOON, S, a_collector, of, pass_time
from tests.judge.watching import WIDTH, a_sketch

from gonogo.judge.buckets import Amount, Figure, Given, Shape, Share
from gonogo.judge.collector import Collector, length_within, without
from gonogo.judge.sketch import Refusal


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
