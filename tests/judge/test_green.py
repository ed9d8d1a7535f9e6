"""Green buckets after going back: what one says, how many in a row, and what a row comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import FORMS, WIDTH, a_machine, a_rule, failures, load

from gonogo.judge.buckets import Bucket
from gonogo.judge.course import Program, Watching, Way
from gonogo.judge.green import (
    PATIENCE,
    Calls,
    Look,
    Outcome,
    Recovered,
    Row,
    Seen,
    must_be_green,
    patience,
    recover,
)
from gonogo.judge.moves import Move
from gonogo.judge.relay import Track
from gonogo.judge.rules import Terms
from gonogo.judge.streaks import Event, State
from gonogo.plan.model import Consequence, Recovery
from gonogo.source import Span

GOAL = a_rule("load < 5", Consequence.OBJECTIVE)
TRIGGER = a_rule("load > 8 for 2 buckets")
CALL = a_rule("load > 0", Consequence.PAGE)
VALUES: Mapping[Look, object] = {Look.GREEN: 1, Look.BAD: 6, Look.UNKNOWN: None}


def a_row(need: int = 1, **more: object) -> Row:
    return Row(a_machine(GOAL, TRIGGER), need, **more)  # type: ignore[arg-type]


def seen(row: Row, *values: object) -> list[tuple[str, int]]:
    found = [row.see(at * WIDTH, load(value, at)) for at, value in enumerate(values)]
    return [(one.look.value, one.count) for one in found if one is not None]


def test_alerts_do_not_say_whether_the_service_is_well() -> None:
    assert must_be_green([GOAL, CALL, TRIGGER]) == (GOAL, TRIGGER)


@pytest.mark.parametrize(
    ("value", "look", "says"),
    [
        pytest.param(1, "green", "all objectives green", id="good"),
        pytest.param(9, "bad", "load 9, expected < 5; load 9, expected <= 8", id="both"),
        pytest.param(6, "bad", "load 6, expected < 5", id="the-objective-alone"),
        pytest.param(None, "unknown", "load unknown: no data, expected < 5;", id="silent"),
    ],
)
def test_what_one_bucket_says(value: object, look: str, says: str) -> None:
    one = a_row().see(0, load(value))
    assert one is not None
    assert (one.look.value, one.says[: len(says)]) == (look, says)


def test_a_window_of_a_trigger_does_not_count_after_going_back() -> None:
    """Its second bad bucket would fire it; here the first is bad already."""
    row = Row(a_machine(TRIGGER), 1)
    assert seen(row, 9, 1) == [("bad", 0), ("green", 1)]


def test_a_bucket_that_had_begun_before_is_not_looked_at() -> None:
    row = a_row(begun_ms=WIDTH + 1)
    assert seen(row, 1, 1) == []
    assert (row.outcome, row.said) == (Outcome.ASKED, "no whole bucket was seen")
    assert row.see(2 * WIDTH, load(1, 2)) is not None
    assert row.outcome is Outcome.GREEN


def test_a_bucket_in_which_nobody_ran_says_nothing() -> None:
    row = a_row(2)
    assert row.see(0, load(1)) is not None
    one = row.see(WIDTH, load(1, 1), "nobody watched")
    assert one is not None
    assert (one.look, one.count, one.says) == (Look.UNKNOWN, 1, "nobody watched (1 of 2)")


def test_the_first_growth_of_a_counter_is_not_held_against_the_old_release() -> None:
    row = a_row(counters=frozenset(["load"]))
    assert seen(row, 6, 6) == [("unknown", 0), ("bad", 0)]


@given(looks=st.lists(st.sampled_from(list(Look)), max_size=12), need=st.integers(1, 4))
def test_a_row_is_what_a_plain_count_says(looks: list[Look], need: int) -> None:
    row = a_row(need)
    seen(row, *(VALUES[look] for look in looks))
    known = [look for look in looks if look is not Look.UNKNOWN]
    tail = 0
    for look in reversed(known):
        if look is Look.BAD:
            break
        tail += 1
    assert (row.count, row.is_full) == (tail, tail >= need)
    bad = looks[-1:] == [Look.BAD]
    assert row.outcome is (
        Outcome.GREEN if tail >= need else Outcome.NEVER if bad else Outcome.ASKED
    )


@pytest.mark.parametrize(
    ("recovery", "buckets"),
    [
        pytest.param(Recovery(), PATIENCE, id="as-always"),
        pytest.param(Recovery(4), PATIENCE + 3, id="room-for-a-longer-row"),
        pytest.param(Recovery(2, within_s=900), 3, id="as-long-as-it-is-said"),
        pytest.param(Recovery(3, within_s=60), 3, id="never-less-than-the-row"),
    ],
)
def test_how_many_buckets_the_figures_have(recovery: Recovery, buckets: int) -> None:
    assert patience(recovery, WIDTH) == buckets


# The alerts, which go on.

LOUD = a_rule("load > 4 for 2 buckets", Consequence.PAGE)
GROWN = a_rule("failures > 5 for 2 buckets", Consequence.WARN)
RULES = (GOAL, TRIGGER, LOUD, GROWN)


def calls(*, counters: Sequence[str] = ()) -> Calls:
    """Return the alerts after two bad buckets, 0 and 1, in which both fired."""
    before = a_machine(*RULES)
    for at in (0, 1):
        before.step(at * WIDTH, load(9, at) | failures(9, at))
    return Calls(before, a_machine(*RULES), frozenset(counters))


def looked(at: int, *, is_judged: bool = True) -> Seen:
    return Seen(at * WIDTH, Look.GREEN, "", 1, 1, is_judged=is_judged)


def both(value: object, amount: int, at: int) -> dict[str, Bucket]:
    return load(value, at) | failures(amount, at)


def said(moves: Sequence[Move]) -> list[tuple[str, str]]:
    return [(move.rule, move.after.value) for move in moves]


def test_alerts_are_resolved_when_they_were_good_for_long_enough() -> None:
    one = calls()
    assert one.firing == (LOUD.id, GROWN.id)
    assert said(one.see(looked(5), both(1, 9, 5))) == []
    assert said(one.see(looked(6), both(1, 1, 6))) == [(LOUD.id, "resolved")]
    assert one.firing == (GROWN.id,)


def test_what_is_good_in_the_last_bucket_is_resolved_at_the_end() -> None:
    one = calls()
    one.see(looked(5), both(1, 9, 5))
    assert said(one.settle()) == [(LOUD.id, "resolved")]


def test_silence_settles_nothing() -> None:
    one = calls()
    one.see(looked(5), both(1, 1, 5))
    assert one.see(looked(6, is_judged=False), both(1, 1, 6)) == []
    assert one.settle() == []
    assert said(one.see(looked(7), {})) == [
        ("no-data/load", "firing"),
        ("blind/load", "pending"),
        ("no-data/failures", "firing"),
        ("blind/failures", "pending"),
    ]
    assert one.settle() == []


def test_what_a_counter_holds_from_before_neither_fires_nor_resolves_an_alert() -> None:
    one = calls(counters=["failures"])
    one.machine.streaks[GROWN.id].good = 1
    one.see(looked(5), both(1, 900, 5))
    assert one.machine.streaks[GROWN.id].good == 1
    assert said(one.see(looked(6), both(1, 1, 6))) == [
        (LOUD.id, "resolved"),
        (GROWN.id, "resolved"),
    ]


def test_an_alert_that_turns_bad_again_fires_again() -> None:
    one = calls()
    found = [
        one.see(looked(at), both(value, 1, at)) for at, value in ((5, 1), (6, 1), (7, 9), (8, 9))
    ]
    moves = [move for some in found for move in said(some) if move[0] == LOUD.id]
    assert moves == [(LOUD.id, "resolved"), (LOUD.id, "pending"), (LOUD.id, "firing")]


# Played as a rehearsal.


def played(
    values: Sequence[object], *, need: int = 1, acts_s: float = 0, begun: Sequence[str] = ("",)
) -> Recovered:
    """Play what follows a trigger that fires at the close of bucket 2, counted from 1."""
    machine = a_machine(TRIGGER)
    moves = [move for at in (0, 1) for move in machine.step(at * WIDTH, load(9, at))]
    fired = next(move for move in moves if move.after is State.FIRING)
    assert fired.event is Event.BREACH
    program = Program((Watching(planned=9),), 10_000, Way("back", acts_s), Recovery(need))
    track = Track((GOAL, TRIGGER, LATER, BASED), FORMS, Terms(WIDTH), program)

    def bucket_at(at_ms: int) -> Mapping[str, Bucket]:
        at = at_ms // WIDTH
        return load(values[min(at, len(values) - 1)], at)

    return recover(track, fired, begun, bucket_at)


BASED = a_rule("load < 1.2x baseline", Consequence.OBJECTIVE)  # that no rehearsal has
LATER = a_rule("load < 1", Consequence.OBJECTIVE, "objective/later")
LATER = type(LATER)(LATER.id, LATER.condition, LATER.consequence, Span.of_line(9), phase="later")


@pytest.mark.parametrize(
    ("values", "need", "acts_s", "outcome", "closes"),
    [
        pytest.param([9, 9, 9, 1], 1, 0, "green", 4, id="the-open-bucket-is-left-out"),
        pytest.param([9, 9, 9, 1], 3, 0, "green", 6, id="three-in-a-row"),
        pytest.param([9, 9, 9, 9, 9, 1], 1, 900, "green", 7, id="as-long-as-the-way-is-stated"),
        pytest.param([9, 9, 9, 9, 1], 1, 290, "green", 5, id="gone-when-a-bucket-begins"),
        pytest.param([9], 1, 0, "never", 9, id="bad-to-the-end"),
        pytest.param([9, 9, 9, None], 1, 0, "asked", 9, id="silent-to-the-end"),
        pytest.param([9, 9, 9, 1, 9, 1, 9, 1, 9, 1], 2, 0, "asked", 10, id="green-too-late"),
    ],
)
def test_what_follows_a_trigger(
    values: list[object], need: int, acts_s: float, outcome: str, closes: int
) -> None:
    found = played(values, need=need, acts_s=acts_s)
    assert (found.outcome.value, found.at_ms / WIDTH) == (outcome, closes)
    assert found.begun_ms == 2 * WIDTH + 10_000 + acts_s * 1000
    assert found.took_ms == closes * WIDTH + 10_000  # bad since the first bucket


@pytest.mark.parametrize(("begun", "outcome"), [(["", "later"], "never"), ([""], "green")])
def test_rules_of_a_watch_that_was_not_reached_are_not_asked(
    begun: list[str], outcome: str
) -> None:
    assert played([Decimal(3)], begun=begun).outcome.value == outcome
