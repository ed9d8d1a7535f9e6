"""The notation of a series in a timeline: what it means, and where a misprint stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.test_streaks import table

from gonogo.judge.series import MOST_POINTS, Point, read_series


def said(points: tuple[Point | None, ...]) -> str:
    words = (
        "_" if p is None else f"{p.value}" + ("" if p.samples is None else f"@{p.samples}")
        for p in points
    )
    return " ".join(words)


@pytest.mark.parametrize(("notation", "means"), table("Timelines"))
def test_a_notation_means_what_the_table_says(notation: str, means: str) -> None:
    written = read_series(notation)
    assert (said(written.points), written.misprints, written.unit) == (means, (), None)


@pytest.mark.parametrize(
    ("text", "points", "unit"),
    [
        ("0 _ _ 1.4x3 2+1x4", "0 _ _ 1.4 1.4 1.4 1.4 2 3 4 5 6", None),
        ("-2+4x3", "-2 2 6 10", None),
        ("1-2x4", "1 -1 -3 -5 -7", None),
        ("0.1+0.1x2", "0.1 0.2 0.3", None),
        ("1+1@50x1", "1@50 2@50", None),
        ("0.4 1.5x1 %", "0.4 1.5 1.5", "%"),
        ("800 ms", "800", "ms"),
        ("5 jobs/min", "5", "jobs/min"),
        ("7x0", "7", None),
    ],
)
def test_a_series_is_read(text: str, points: str, unit: str | None) -> None:
    written = read_series(text)
    assert (said(written.points), written.unit, written.misprints) == (points, unit, ())


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("1 two 3", 2, "`two` is no value"),
        ("1 2+1", 2, "`2+1` is no value"),
        ("1,5", 0, "`1,5` is no value"),
        ("", 0, "at least one value"),
        ("%", 0, "at least one value"),
        ("_x0", 0, "repeats 0 times"),
        ("1x999999999", 0, "expected at most 20000"),
        ("_x20000 _ 1 1", 0, "at most 20000 values"),
    ],
)
def test_a_misprint_has_its_place(text: str, column: int, message: str) -> None:
    written = read_series(text)
    assert written.misprints[0].column == column
    assert message in written.misprints[0].message


@given(st.text("0123456789._x+-@ %ms", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_series_or_a_misprint(text: str) -> None:
    written = read_series(text)
    assert bool(written.points) or bool(written.misprints)
    assert len(written.points) <= MOST_POINTS
    for misprint in written.misprints:
        assert 0 <= misprint.column <= len(text)
