"""Quantities: exact, comparable only with their like, printed so that they read back the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.units import (
    UNITS,
    Dimension,
    Quantity,
    comparable,
    compare,
    nearest_unit,
    parse_quantity,
    unit_of,
)


def quantity(text: str) -> Quantity:
    found = parse_quantity(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "number", "unit", "dimension", "si"),
    [
        ("500ms", "500", "ms", Dimension.TIME, "0.5"),
        ("1.2 s", "1.2", "s", Dimension.TIME, "1.2"),
        ("5 minutes", "5", "min", Dimension.TIME, "300"),
        ("2h", "2", "h", Dimension.TIME, "7200"),
        ("3 days", "3", "d", Dimension.TIME, "259200"),
        ("250µs", "250", "us", Dimension.TIME, "0.00025"),
        ("8 GB", "8", "GB", Dimension.SIZE, "8000000000"),
        ("8 GiB", "8", "GiB", Dimension.SIZE, "8589934592"),
        ("512 kb", "512", "KB", Dimension.SIZE, "512000"),
        ("99.9 %", "99.9", "%", Dimension.RATIO, "0.999"),
        ("95 percent", "95", "%", Dimension.RATIO, "0.95"),
        ("100 jobs/min", "100", "jobs/min", Dimension.RATE, "1.666666666666666666666666667"),
        ("10 requests per second", "10", "requests/s", Dimension.RATE, "10"),
        ("10 rps", "10", "requests/s", Dimension.RATE, "10"),
        ("20 MB/s", "20", "MB/s", Dimension.RATE, "20000000"),
        ("1 Gbps", "1", "Gbit/s", Dimension.RATE, "125000000"),
        ("$1,500.50", "1500.50", "$", Dimension.MONEY, "1500.50"),
        ("33,584", "33584", "", Dimension.NUMBER, "33584"),
        ("-5", "-5", "", Dimension.NUMBER, "-5"),
        ("20 connections", "20", "connections", Dimension.COUNT, "20"),
    ],
)
def test_a_quantity_is_read(
    text: str, number: str, unit: str, dimension: Dimension, si: str
) -> None:
    found = quantity(text)
    assert (found.number, found.unit, found.dimension) == (Decimal(number), unit, dimension)
    assert found.si == Decimal(si)


@pytest.mark.parametrize(
    "text", ["", "fast", "5 Mb", "5 5", "1,5", "500 m z", "v2.4", "9" * 41, "5m5"]
)
def test_a_text_that_is_no_quantity_is_none(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("1.2s", "1200ms", 0),
        ("1.2000000000000000000000000000000001 s", "1200 ms", 1),
        ("5 min", "301 s", -1),
        ("1 GiB", "1 GB", 1),
        ("100 jobs/min", "6000 jobs/h", 0),
        ("1 job/min", "0.0166666666666666666666666667 jobs/s", -1),
        ("8 Mbps", "1 MB/s", 0),
        ("10 r/s", "600 requests/min", 0),
        ("7 rows", "7", 0),
        ("100.00 %", "100 %", 0),
    ],
)
def test_comparison_is_exact(left: str, right: str, order: int) -> None:
    assert comparable(quantity(left), quantity(right))
    assert compare(quantity(left), quantity(right)) == order
    assert compare(quantity(right), quantity(left)) == -order


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1 %", "0.01"),
        ("5 s", "5"),
        ("5 s", "5 MB"),
        ("5 jobs/s", "5 rows/s"),
        ("$5", "€5"),
        ("5 %", "5 x"),
    ],
)
def test_unlike_quantities_are_not_comparable(left: str, right: str) -> None:
    assert not comparable(quantity(left), quantity(right))


def test_two_factors_are_comparable() -> None:
    assert compare(quantity("5 x"), quantity("4 x")) == 1


@pytest.mark.parametrize(
    ("word", "unit"), [("mz", "ms"), ("secnds", "s"), ("Mb", "MB"), ("minuts", "min")]
)
def test_the_nearest_unit_is_offered(word: str, unit: str) -> None:
    assert unit_of(word) is None
    assert nearest_unit(word) == unit


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4
    ),
    st.sampled_from([*sorted(set(UNITS.values())), "$", "", "jobs/min", "connections"]),
)
def test_what_is_printed_is_read_back(number: Decimal, unit: str) -> None:
    value = Quantity(number, unit)
    again = quantity(value.say())
    assert again == value
    assert again.dimension is value.dimension


def test_a_huge_exponent_is_compared_without_memory() -> None:
    huge = Quantity(Decimal("1E+999999"))
    assert compare(huge, Quantity(Decimal(1))) == 1
    assert len(huge.say()) < 100
