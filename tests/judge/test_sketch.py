"""The histogram: exact where it says so, close where it says so, and the same in any order."""

from __future__ import annotations

import math
import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import a_sketch

from gonogo.judge.sketch import (
    EXACT,
    Refusal,
    Sketch,
    SketchBuilder,
    bin_of,
    middle,
    rank_of,
    upper_edge,
)

VALUES = st.just(0.0) | st.floats(1e-300, 1e12) | st.integers(0, 10**9) | st.decimals(
    0, 10**6, places=3
)  # fmt: skip
LISTS = st.lists(VALUES, max_size=40)
LIMITS = ("0", "0.5", "7", "1200", "1.2")


def exact(value: object) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)  # type: ignore[arg-type]


def test_bins_of_another_width_are_refused() -> None:
    stored = {**a_sketch([1, 2]).as_json(), "per_doubling": 32}
    with pytest.raises(ValueError, match="has 32 bins a doubling, expected 64"):
        Sketch.from_json(stored)


def test_agrees_with_the_reference_vector() -> None:
    sketch = a_sketch(
        (0.1 * (1 - (i - 0.5) / 1000) ** (-1 / 3) for i in range(1, 1001)), ("0.25", "0.5")
    )
    wide: Counter[int] = Counter()  # the vector is of 32 bins a doubling: two of ours fill one
    for index, number in sketch.bins:
        wide[-(-index // 2)] += number
    assert (wide[-106], wide[-105], max(wide), len(wide)) == (19, 62, 11, 80)
    assert (sketch.bins[0], sketch.bins[1], sketch.bins[-1][0]) == ((-212, 19), (-211, 32), 22)
    assert len(sketch.bins) == 138
    found = {
        share: (sketch.bin_at(rank_of(Decimal(share), 1000)), sketch.quantile(Decimal(share)))
        for share in ("0.5", "0.95", "0.99")
    }
    assert {share: at for share, (at, _) in found.items()} == {
        "0.5": -191,
        "0.95": -120,
        "0.99": -72,
    }
    assert [round(value or 0, 10) for _, value in found.values()] == [
        0.1256768949, 0.2711506149, 0.4560191601,
    ]  # fmt: skip
    assert (sketch.above_bin(-128), sketch.above_bin(-64)) == (64, 8)
    assert (sketch.over["0.25"].above, sketch.over["0.5"].above) == (64, 8)
    assert sketch.bin_at(976) == -98
    # the limit 25 % above that quantile is the edge of the bin in which it falls
    assert -(-bin_of(1.25 * upper_edge(-98)) // 2) == -38
    assert round(upper_edge(-76), 8) == 0.43906304


@pytest.mark.parametrize(
    ("value", "index"),
    [(1.0, 0), (2.0, 64), (0.5, -64), (1.2, 17), (1024.0, 640), (math.nextafter(1.0, 2), 1)],
    ids=str,
)
def test_a_value_is_in_its_bin(value: float, index: int) -> None:
    assert bin_of(value) == index


@given(st.floats(1e-300, 1e300))
def test_a_bin_holds_its_upper_edge_and_not_its_lower_one(value: float) -> None:
    index = bin_of(value)
    assert value <= upper_edge(index)
    assert value > upper_edge(index - 1)


@pytest.mark.parametrize("index", [-1400, -212, -1, 0, 1, 17, 63, 64, 65, 1024])
def test_an_edge_belongs_to_the_bin_below_it(index: int) -> None:
    edge = upper_edge(index)
    assert bin_of(edge) == index
    assert bin_of(math.nextafter(edge, math.inf)) == index + 1
    power = Fraction(edge) ** 64 if abs(index) < 1200 else None
    if power is not None:  # the true edge is irrational, or a power of two
        assert power <= Fraction(2) ** index


@given(st.floats(1e-300, 1e300))
def test_the_value_of_a_bin_is_within_its_error(value: float) -> None:
    assert abs(middle(bin_of(value)) / value - 1) < 0.00542


@given(LISTS.filter(bool), st.sampled_from(["0.5", "0.95", "0.99", "1"]))
def test_a_percentile_is_close_to_the_value_of_nearest_rank(
    values: list[object], share: str
) -> None:
    truth = sorted(exact(value) for value in values)[rank_of(Decimal(share), len(values)) - 1]
    found = a_sketch(values).quantile(Decimal(share))
    assert found is not None
    assert abs(Decimal(found) - truth) <= truth * Decimal("0.00542")


@given(LISTS.filter(bool), st.sampled_from(LIMITS), st.data())
def test_on_which_side_of_a_limit_a_rank_is_is_exact(
    values: list[object], limit: str, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(1, len(values)))
    sketch = a_sketch(values, LIMITS)
    truth = sorted(exact(value) for value in values)[rank - 1]
    bound = Decimal(limit)
    assert sketch.order_at(rank, bound) == (truth > bound) - (truth < bound)
    guessed = a_sketch(values).order_at(rank, bound)  # without the counter: right, or unknown
    assert guessed in {None, (truth > bound) - (truth < bound)}
    low, high = sketch.bounds(rank)
    assert low <= truth <= high


@pytest.mark.parametrize("limit", ["1200", "1200.0", "1.2E+3"])
def test_a_limit_is_found_however_it_is_spelled(limit: str) -> None:
    assert a_sketch([1190, 1200, 1210], ["1200.00"]).order_at(2, Decimal(limit)) == 0


@pytest.mark.parametrize(
    ("slow", "above"), [(10, False), (11, True)], ids=["exactly 1 %", "more than 1 %"]
)
def test_p99_is_above_a_limit_when_more_than_one_percent_is(slow: int, above: bool) -> None:
    sketch = a_sketch([1.0] * (1000 - slow) + [1.2000001] * slow, ("1.2",))
    side = sketch.order_at(rank_of(Decimal("0.99"), 1000), Decimal("1.2"))
    assert (side == 1) is above


@given(st.lists(VALUES, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_values_does_not_matter(values: list[object], dice: random.Random) -> None:
    other = list(values)
    dice.shuffle(other)
    assert a_sketch(values, LIMITS).as_json() == a_sketch(other, LIMITS).as_json()


@given(LISTS, LISTS, LISTS)
def test_merging_is_adding(one: list[object], two: list[object], three: list[object]) -> None:
    a, b, c = (a_sketch(values, LIMITS) for values in (one, two, three))
    whole = a_sketch([*one, *two, *three], LIMITS)
    assert a.merge(b).merge(c).as_json() == a.merge(b.merge(c)).as_json() == whole.as_json()
    assert a.merge(b).as_json() == b.merge(a).as_json()
    assert a.merge(Sketch()) == a


def test_a_limit_that_only_one_has_counted_is_not_exact_after_merging() -> None:
    merged = a_sketch([1.195, 1.202], ("1.2",)).merge(a_sketch([1.199]))
    assert merged.over == {}
    assert merged.order_at(3, Decimal("1.2")) is None  # inside the bin
    assert merged.order_at(3, Decimal("1.3")) == -1


@given(LISTS)
def test_the_json_form_loses_nothing(values: list[object]) -> None:
    sketch = a_sketch(values, LIMITS)
    assert Sketch.from_json(sketch.as_json()) == sketch


def test_far_apart_values_stay_small_in_json() -> None:
    stored = a_sketch([1e-300, 1e300]).as_json()
    assert len(str(stored)) < 1000


def test_a_damaged_json_form_is_refused() -> None:
    stored = a_sketch([1, 2, 3]).as_json() | {"count": 4}
    with pytest.raises(ValueError, match="do not hold its 4 values"):
        Sketch.from_json(stored)


@given(LISTS)
def test_the_sum_is_exact(values: list[object]) -> None:
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, exact(value))
    assert a_sketch(values).total == total


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, Refusal.MISSING), ("12", Refusal.TEXT), (True, Refusal.TEXT), ([], Refusal.TEXT),
        (math.nan, Refusal.NOT_FINITE), (math.inf, Refusal.NOT_FINITE),
        (-math.inf, Refusal.NOT_FINITE), (Decimal("NaN"), Refusal.NOT_FINITE),
        (Decimal("sNaN"), Refusal.NOT_FINITE), (-0.1, Refusal.NEGATIVE), (-1, Refusal.NEGATIVE),
        (Decimal(-1), Refusal.NEGATIVE), (10**5000, Refusal.EXTREME),
        (Decimal("1e9000"), Refusal.EXTREME), (Decimal("1e-9000"), Refusal.EXTREME),
        (1e-310, Refusal.EXTREME),
    ],
    ids=lambda value: str(value) if isinstance(value, Refusal) else type(value).__name__,
)  # fmt: skip
def test_what_is_no_measured_value_is_not_fed(value: object, why: Refusal) -> None:
    builder = SketchBuilder()
    assert builder.add(value) is why
    assert builder.done() == Sketch()


@pytest.mark.parametrize("value", [0, 0.0, -0.0, Decimal(0), Decimal("0E+5")], ids=repr)
def test_zero_has_a_bin_of_its_own(value: object) -> None:
    sketch = a_sketch([value])
    assert (sketch.zeros, sketch.bins, sketch.quantile(Decimal("0.5"))) == (1, (), 0.0)


@pytest.mark.parametrize("value", [1e-300, 1e300, 123456789.125])
def test_the_only_value_is_known_exactly(value: float) -> None:
    assert a_sketch([value]).bounds(1) == (exact(value), exact(value))


def test_nothing_has_no_percentile() -> None:
    assert Sketch().quantile(Decimal("0.5")) is None
    with pytest.raises(ValueError, match="rank 1 of 0 values"):
        Sketch().bin_at(1)
    with pytest.raises(ValueError, match="fewer values than were counted"):
        Sketch(count=1).bin_at(1)


def test_a_sketch_in_the_making_knows_its_count() -> None:
    builder = SketchBuilder()
    assert [builder.add(1), builder.add(None), builder.count] == [None, Refusal.MISSING, 1]
