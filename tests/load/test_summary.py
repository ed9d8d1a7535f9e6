"""What is counted: percentiles like the naive ones, and failing never looks like being fast."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.load import NEEDED, Result, generator_fault
from gonogo.load.summary import PERCENTILES, Tally, Values

seconds = st.floats(min_value=0, max_value=100, allow_nan=False)
LIMIT_S = 10.0


def naive(values: list[float], share: Fraction) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return min(v for v in values if sum(w <= v for w in values) >= share * len(values))


def a_result(requests: list[tuple[float, bool]]) -> Result:
    """Return the result of these requests: latency, and whether the answer was good."""
    tally = Tally(LIMIT_S)
    for latency_s, good in requests:
        tally.service.add(latency_s)
        tally.own.add(0.0)
        tally.answered(200 if good else 503, latency_s)
    return tally.result(1.0, given_up=False)


@given(st.lists(seconds, min_size=1, max_size=130))
def test_percentiles_are_the_naive_ones_or_unknown(given_values: list[float]) -> None:
    values = Values()
    for value in given_values:
        values.add(value)
    found = values.stats()
    for name, share in PERCENTILES.items():
        known = len(given_values) >= NEEDED[name]
        assert found[name] == (naive(given_values, share) if known else None)
    assert found["max"] == max(given_values)
    assert found["avg"] == pytest.approx(sum(given_values) / len(given_values))


@pytest.mark.parametrize(
    ("name", "needed"), [("p50", 2), ("p90", 10), ("p95", 20), ("p99", 100), ("p99.9", 1000)]
)
def test_a_percentile_needs_enough_requests(name: str, needed: int) -> None:
    values = Values()
    for _ in range(needed - 1):
        values.add(0.1)
    assert values.stats()[name] is None
    values.add(0.1)
    assert values.stats()[name] == 0.1


def test_nothing_counted_says_nothing() -> None:
    assert set(Values().stats().values()) == {None}


@settings(max_examples=30)
@given(
    st.lists(st.floats(min_value=1e-5, max_value=100), min_size=101, max_size=120), st.integers(0)
)
def test_beyond_the_exact_ones_the_error_is_below_one_percent(
    given_values: list[float], exact: int
) -> None:
    values = Values(exact=exact % len(given_values))
    for value in given_values:
        values.add(value)
    assert not values.is_exact
    found = values.stats()
    for name in ("p50", "p90", "p95", "p99"):
        true = naive(given_values, PERCENTILES[name])
        assert found[name] == pytest.approx(true, rel=0.01)
    assert found["max"] == max(given_values)


answers = st.lists(
    st.tuples(st.floats(min_value=0, max_value=LIMIT_S), st.booleans()), min_size=20, max_size=110
)


@settings(max_examples=50)
@given(answers, st.data())
def test_a_request_that_fails_instead_never_improves_anything(
    requests: list[tuple[float, bool]], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(requests) - 1))
    quickly = data.draw(st.floats(min_value=0, max_value=LIMIT_S))
    worse = [*requests]
    worse[index] = (quickly, False)
    before, after = a_result(requests), a_result(worse)
    assert after.errors >= before.errors
    for name, value in before.latency.items():
        assert (value or 0.0) <= (after.latency[name] or 0.0) + 1e-9


@settings(max_examples=30)
@given(answers, st.randoms())
def test_the_order_of_the_answers_does_not_matter(
    requests: list[tuple[float, bool]], chance: object
) -> None:
    shuffled = [*requests]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = a_result(requests), a_result(shuffled)
    assert {k: v for k, v in one.latency.items() if k != "avg"} == {
        k: v for k, v in two.latency.items() if k != "avg"
    }
    assert one.latency["avg"] == pytest.approx(two.latency["avg"])
    assert one.statuses == two.statuses


def test_each_way_to_fail_is_counted_once() -> None:
    tally = Tally(LIMIT_S)
    tally.answered(200, 0.1)
    tally.answered(302, 0.1)
    tally.answered(429, 0.1)
    tally.answered(500, 0.1)
    tally.broken("connection refused", 0.001)
    tally.drop(10.0)
    found = tally.result(1.0, given_up=False)
    assert (found.requests, found.good, found.errors, found.dropped) == (6, 2, 4, 1)
    assert found.statuses == {"200": 1, "302": 1, "429": 1, "500": 1}
    assert sum(found.reasons.values()) == 2
    assert found.latency["max"] == LIMIT_S


@pytest.mark.parametrize(
    ("late_ms", "p95_ms", "at_fault"),
    [
        pytest.param(1, 20, False, id="in time"),
        pytest.param(50, 20, False, id="exactly at the bound"),
        pytest.param(51, 20, True, id="late beside a fast server"),
        pytest.param(90, 1000, False, id="little beside what is measured"),
        pytest.param(101, 1000, True, id="a tenth of what is measured"),
    ],
)
def test_a_late_generator_is_told(late_ms: int, p95_ms: int, at_fault: bool) -> None:
    base = a_result([(p95_ms / 1000, True)] * 200)
    own = {**base.own, "p99": late_ms / 1000}
    found = generator_fault(dataclasses.replace(base, own=own))
    assert bool(found) is at_fault
    if found:
        assert f"{late_ms} ms" in found


@pytest.mark.parametrize(("late_ms", "at_fault"), [(49, False), (51, True)])
def test_with_few_requests_a_lower_percentile_decides_about_the_generator(
    late_ms: int, at_fault: bool
) -> None:
    base = a_result([(0.02, True)] * 30)
    own = {**dict.fromkeys(base.own), "p90": 0.001, "p95": late_ms / 1000, "max": 0.2}
    assert bool(generator_fault(dataclasses.replace(base, own=own))) is at_fault
