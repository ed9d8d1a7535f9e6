"""What lint foretells of a rule: when it fires, how often by chance, and whether it can at all."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import FORMS, WIDTH, a_machine, a_rule, errors, load

from gonogo.judge.buckets import Form, Shape
from gonogo.judge.candidates import answers
from gonogo.judge.firing import RATES, chance, fires_between, lasting, ordinal, percent
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.streaks import Event, Pattern, State, Streak, pattern_of
from gonogo.plan.model import Consequence, Rule

WINDOWS = ["", " for 2 buckets", " for 3 consecutive buckets", " for 2 of 3 buckets",
           " for 3 of 5 buckets", " for 12 minutes"]  # fmt: skip


# When a rule fires.


def fires_after(rule: Rule, offset_ms: int, *, at_once: bool) -> int:
    """Play a fault that begins inside bucket 2; the bucket in which it begins breaches or not."""
    machine = a_machine(rule)
    begins = WIDTH + offset_ms
    for at in range(20):
        whole = at * WIDTH >= begins
        partly = at == begins // WIDTH and not whole
        bad = whole or (partly and at_once)
        for move in machine.step(at * WIDTH, load(9 if bad else 1, at, 10)):
            if move.rule == rule.id and move.after is State.FIRING:
                return move.closed_ms - begins
    raise AssertionError("it never fired")


@pytest.mark.parametrize("window", WINDOWS)
def test_no_fault_is_told_before_or_after_the_foretold_moments(window: str) -> None:
    rule = a_rule(f"load > 5{window}")
    low, high = fires_between(pattern_of(rule.condition.window, WIDTH), WIDTH)
    seen = {
        fires_after(rule, offset, at_once=at_once)
        for offset in (1, WIDTH // 2, WIDTH - 1)
        for at_once in (True, False)
    } | {fires_after(rule, 0, at_once=True)}
    assert (min(seen), max(seen)) == (low + 1, high - 1)


def test_two_buckets_of_five_minutes_fire_between_5_and_15_minutes() -> None:
    assert fires_between(Pattern(2, 2), 300_000) == (300_000, 900_000)


# How often a rule fires by chance.


def enumerated(pattern: Pattern, share: Decimal, planned: int, longer: int) -> float:
    """Try every course of good and bad buckets on the real streak."""
    total = Decimal(0)
    for course in product((True, False), repeat=planned + longer):
        streak = Streak(pattern)
        for number, bad in enumerate(course):
            if number >= planned and not streak.open:
                break
            streak.feed(Event.BREACH if bad else Event.GOOD, number)
            if streak.fired:
                break
        if streak.fired:
            bads = sum(course)
            total += share**bads * (1 - share) ** (len(course) - bads)
    return float(total)


@pytest.mark.parametrize("longer", [0, 3])
@pytest.mark.parametrize("planned", [1, 2, 6])
@pytest.mark.parametrize(("need", "of"), [(1, 1), (2, 2), (3, 3), (2, 3), (2, 4), (3, 5)], ids=str)
def test_the_chance_of_firing_is_that_of_all_courses(
    need: int, of: int, planned: int, longer: int
) -> None:
    for share in (Decimal("0.3"), *RATES):
        expected = enumerated(Pattern(need, of), share, planned, longer)
        assert chance(Pattern(need, of), share, planned, longer) == pytest.approx(expected)


def test_the_chance_over_a_day_is_known_for_long_windows_and_not_for_huge_ones() -> None:
    assert chance(Pattern(1, 1), Decimal("0.01"), 288) == pytest.approx(1 - 0.99**288)
    assert chance(Pattern(24, 24), Decimal("0.5"), 288) is not None
    assert chance(Pattern(20, 60), Decimal("0.5"), 288) is None


@pytest.mark.parametrize(
    ("number", "said"),
    [(0.0, "0 %"), (1.0, "99.9 % or more"), (0.9447, "94 %"), (0.02813, "2.8 %"),
     (0.000287, "0.029 %"), (1e-9, "0.0000001 %")],
)  # fmt: skip
def test_a_chance_is_said_with_the_digits_that_count(number: float, said: str) -> None:
    assert percent(number) == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0, "0 min"), (300_000, "5 min"), (5_400_000, "1 h 30 min"), (45_000, "45 s"),
     (86_400_000, "1 d"), (1_500, "1500 ms")],
)  # fmt: skip
def test_a_length_of_time_is_said_in_words(ms: int, said: str) -> None:
    assert lasting(ms) == said


def test_ordinals() -> None:
    said = [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert said == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]


# Whether a rule can fire at all.

LIMITS = st.decimals(0, 130, places=0)
OPS = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])


@given(op=OPS, limit=LIMITS, kind=st.sampled_from(list(Consequence)))
def test_what_a_share_can_ever_say_is_what_some_count_says(
    op: str, limit: Decimal, kind: Consequence
) -> None:
    rule = a_rule(f"error rate {op} {limit} %", kind)
    forms = {"error rate": Form(Shape.SHARE, "%", least=0)}
    machine = Machine([rule], forms, Terms(WIDTH))
    events = {machine.event(rule.id, errors(hits, 1000)) for hits in range(0, 1001, 5)}
    assert answers(rule, forms) == {event is Event.BREACH for event in events}


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        pytest.param("error rate > 100 %", Consequence.ROLLBACK, {False}, id="above-everything"),
        pytest.param("error rate >= 100 %", Consequence.ROLLBACK, {True, False}, id="all-of-them"),
        pytest.param("error rate >= 0 %", Consequence.PAGE, {True}, id="always"),
        pytest.param("load < 0", Consequence.PAGE, {False}, id="below-zero"),
        pytest.param("load >= 0", Consequence.OBJECTIVE, {False}, id="objective-always-met"),
        pytest.param("error rate > 100 %", Consequence.OBJECTIVE, {True}, id="never-met"),
        pytest.param("error rate > 100 % or load > 3", Consequence.PAGE, {True, False}, id="or"),
        pytest.param("load > 120", Consequence.PAGE, {True, False}, id="a-gauge-has-no-end"),
        pytest.param("load between 3 and 4", Consequence.PAGE, {True, False}, id="range"),
        pytest.param("load > 1.2x baseline", Consequence.PAGE, set(), id="nobody-knows-yet"),
    ],
)
def test_what_a_rule_can_ever_say(text: str, kind: Consequence, says: set[bool]) -> None:
    assert answers(a_rule(text, kind), FORMS) == says


# What the page says.

PAGE = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page, without its first two lines."""
    text = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize(("written", "after"), rows("When a rule fires"))
def test_the_page_says_when_a_rule_fires(written: str, after: str) -> None:
    window = re.findall("`(.*?)`", written)[0]
    pattern = pattern_of(a_rule(f"load > 5 {window}").condition.window, WIDTH)
    first, last = fires_between(pattern, WIDTH)
    assert after == (
        f"{lasting(first)} to {lasting(last)}" if first else f"at most {lasting(last)}"
    )


@pytest.mark.parametrize(("written", "often", "seldom"), rows("Rolled back by chance"))
def test_the_page_says_how_often_a_trigger_fires_by_chance(
    written: str, often: str, seldom: str
) -> None:
    pattern = pattern_of(a_rule(f"load > 5 for {written}").condition.window, WIDTH)
    likely = [chance(pattern, share, 288) for share in RATES]
    assert [percent(each or 0.0) for each in likely] == [often, seldom]
