"""Slices of time: on the UTC grid, merged in any order, whole in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.collecting import GRID, NOON, S, at
from tests.judge.watching import WIDTH, a_bucket, a_sketch

from gonogo.judge.buckets import Amount, Bucket, Figure, Given, Grid, Share
from gonogo.judge.sketch import Refusal


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


def test_workers_together_watched_as_long_as_the_worse_of_them() -> None:
    one = a_bucket("errors", Share(1, 10), watched_ms=100 * S)
    two = a_bucket("errors", Share(2, 20), watched_ms=WIDTH)
    merged = one.merge(two)
    assert (merged.body, merged.watched_ms) == (Share(3, 30), 100 * S)


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
