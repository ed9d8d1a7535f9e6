"""The schedule: known before the first request, complete, in order, exact."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.load import Stage, count, length_s
from gonogo.load.schedule import Mix, dues

numbers = st.fractions(min_value=0, max_value=12, max_denominator=60)
lengths = st.fractions(min_value=Fraction(1, 10), max_value=6, max_denominator=10)
stages = st.lists(st.builds(Stage, lengths, numbers, numbers), min_size=1, max_size=4)


def reached(plan: list[Stage], moment: float) -> float:
    """Return how many requests have become due at a moment: the rates, added up."""
    amount, begun = 0.0, 0.0
    for stage in plan:
        inside = min(max(moment - begun, 0.0), float(stage.seconds))
        slope = float(stage.end - stage.start) / float(stage.seconds)
        amount += float(stage.start) * inside + slope * inside * inside / 2
        begun += float(stage.seconds)
    return amount


@given(stages)
def test_as_many_are_due_as_the_rates_add_up_to(plan: list[Stage]) -> None:
    moments = list(dues(plan))
    assert len(moments) == count(plan) == math.ceil(sum(s.amount for s in plan))


@settings(max_examples=40)
@given(stages)
def test_moments_are_in_order_and_inside_the_schedule(plan: list[Stage]) -> None:
    moments = list(dues(plan))
    assert all(a <= b for a, b in pairwise(moments))
    assert all(0 <= moment <= float(length_s(plan)) + 1e-9 for moment in moments)


@settings(max_examples=40)
@given(stages)
def test_the_nth_is_due_when_the_rates_have_added_up_to_n(plan: list[Stage]) -> None:
    for number, moment in enumerate(dues(plan)):
        assert reached(plan, moment) == pytest.approx(number, abs=1e-4)


@settings(max_examples=40)
@given(numbers.filter(bool), lengths, lengths)
def test_a_stage_cut_in_two_is_the_same_schedule(
    rate: Fraction, first: Fraction, second: Fraction
) -> None:
    whole = [Stage(first + second, rate, rate)]
    parts = [Stage(first, rate, rate), Stage(second, rate, rate)]
    assert list(dues(parts)) == pytest.approx(list(dues(whole)))


@settings(max_examples=40)
@given(stages, st.fractions(min_value=0, max_value=1, max_denominator=7))
def test_counting_up_to_a_moment_agrees_with_the_moments(
    plan: list[Stage], share: Fraction
) -> None:
    moment = length_s(plan) * share
    at = float(moment)
    certain = sum(due < at - 1e-6 for due in dues(plan))
    possible = sum(due < at + 1e-6 for due in dues(plan))
    assert certain <= count(plan, before_s=moment) <= possible + 1


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        pytest.param([("1", 4, 4)], [0.0, 0.25, 0.5, 0.75], id="evenly"),
        pytest.param([("10", "1/10", "1/10")], [0.0], id="one in ten seconds, never two"),
        pytest.param([("2", 0, 2)], [0.0, math.sqrt(2)], id="a straight line up"),
        pytest.param([("1", 2, 2), ("1", 1, 1)], [0.0, 0.5, 1.0], id="two stages"),
        pytest.param([("1", 2, 2), ("1", 0, 0), ("1", 1, 1)], [0, 0.5, 2.0], id="with a pause"),
    ],
)
def test_moments(plan: list[tuple[str, object, object]], expected: list[float]) -> None:
    built = [Stage(Fraction(s), Fraction(str(a)), Fraction(str(b))) for s, a, b in plan]
    assert list(dues(built)) == pytest.approx(expected)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 200))
def test_a_mix_keeps_its_shares_at_every_moment(weights: list[int], asked: int) -> None:
    mix, picked = Mix(weights), [0] * len(weights)
    for number in range(1, asked + 1):
        picked[mix.pick()] += 1
        for index, weight in enumerate(weights):
            fair = number * weight / sum(weights)
            assert abs(picked[index] - fair) < len(weights)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_a_whole_round_of_a_mix_is_exact(weights: list[int]) -> None:
    mix, picked = Mix(weights), [0] * len(weights)
    for _ in range(sum(weights)):
        picked[mix.pick()] += 1
    assert picked == weights
