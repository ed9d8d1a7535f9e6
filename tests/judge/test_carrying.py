"""From one watch into the next: where a rule stands stays, what was counted begins anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import a_machine, a_rule

from gonogo.judge.streaks import Event, Pattern, State, Streak

EVENTS = st.lists(st.sampled_from(list(Event)), max_size=30)
PATTERNS = st.sampled_from([Pattern(), Pattern(2, 2, 2), Pattern(2, 3, 1), Pattern(3, 5, 2)])


def fed(streak: Streak, events: list[Event], start: int = 0) -> list[State]:
    return [streak.feed(event, start + n) for n, event in enumerate(events)]


@given(PATTERNS, EVENTS, EVENTS)
def test_beginning_anew_changes_no_state_that_follows(pattern, before, after):
    whole, parted = Streak(pattern), Streak(pattern)
    fed(whole, before)
    fed(parted, before)
    parted.anew()
    assert fed(whole, after, 100) == fed(parted, after, 100)
    assert whole.starts == parted.starts


@given(PATTERNS, EVENTS, EVENTS)
def test_a_new_watch_counts_its_own_slices(pattern, before, after):
    streak = Streak(pattern)
    fed(streak, before)
    firing = streak.state is State.FIRING
    streak.anew()
    states = fed(streak, after, 100)
    assert streak.known + streak.silent == len(after)
    turns = zip([State.FIRING if firing else State.INACTIVE, *states], states, strict=False)
    fires = sum(a is not State.FIRING and b is State.FIRING for a, b in turns)
    assert streak.fired == fires + firing


@given(PATTERNS, EVENTS)
def test_silence_before_the_watch_is_no_doubt_in_it(pattern, before):
    streak = Streak(pattern)
    fed(streak, [*before, *[Event.NO_DATA] * 6])
    streak.anew()
    fed(streak, [Event.GOOD] * pattern.of, 100)
    assert not streak.in_doubt


def test_a_machine_follows_only_one_on_the_same_terms():
    rule = a_rule("error rate > 1 % for 2 buckets")
    other = a_machine(rule, clear=7)
    with pytest.raises(ValueError, match="other terms"):
        a_machine(rule).follow(other)
