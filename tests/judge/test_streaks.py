"""The state of one rule: every move of the table in the docs, and no other."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.judge.watching import a_condition

from gonogo.judge.streaks import Event, Pattern, State, Streak, pattern_of

PAGE = (Path(__file__).parents[2] / "docs" / "watch-semantics.md").read_text(encoding="utf-8")
PATTERNS = [
    Pattern(1, 1, 1),
    Pattern(2, 2, 2),
    Pattern(3, 3, 1),
    Pattern(2, 3, 2),
    Pattern(1, 3, 1),
]


def table(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading of the page."""
    body = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_table_of_states_is_what_the_machine_does() -> None:
    seen: set[tuple[str, str, str]] = set()
    for pattern in PATTERNS:
        for events in product(Event, repeat=6):
            streak = Streak(pattern)
            for at, event in enumerate(events):
                before = streak.state
                seen.add((before.value, event.value, streak.feed(event, at).value))
    written = {(state, event, after) for state, event, after, _ in table("States")}
    assert seen == written


@pytest.mark.parametrize(("written", "means"), table("Windows"))
def test_a_window_means_what_the_table_says(written: str, means: str) -> None:
    window = None if written == "nothing" else a_condition(f"p99 > 1 s {written}").window
    assert pattern_of(window, 300_000).say() == means


def test_a_window_on_other_buckets_is_refused() -> None:
    window = a_condition("p99 > 1 s for 2 consecutive 5-minute buckets").window
    with pytest.raises(ValueError, match="counts buckets of 300 s, the watch has buckets of 60 s"):
        pattern_of(window, 60_000)


@pytest.mark.parametrize(
    ("text", "clear", "found"),
    [
        ("for 3 buckets", None, Pattern(3, 3, 3)),
        ("for 2 of 5 buckets", None, Pattern(2, 5, 2)),
        ("for 3 buckets", 1, Pattern(3, 3, 1)),
        ("for 1 second", None, Pattern(1, 1, 1)),
        ("for 301 seconds", None, Pattern(2, 2, 2)),
        ("for 0.5 hours", None, Pattern(6, 6, 6)),
    ],
)
def test_a_rule_resolves_after_as_many_as_it_took(
    text: str, clear: int | None, found: Pattern
) -> None:
    assert pattern_of(a_condition(f"p99 > 1 s {text}").window, 300_000, clear) == found


@pytest.mark.parametrize("numbers", [(0, 1, 1), (3, 2, 1), (1, 1, 0)])
def test_a_pattern_that_cannot_be_filled_is_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be counted"):
        Pattern(*numbers)


def naive(events: list[Event], pattern: Pattern) -> State:
    """Say the state by the definition, from the whole history at once."""
    known = [event is Event.BREACH for event in events if event in {Event.BREACH, Event.GOOD}]
    begin, state, at = 0, State.INACTIVE, 0
    while at < len(known):
        window = known[max(begin, at - pattern.of + 1) : at + 1]
        if sum(window) < pattern.need:
            at += 1
            continue
        state = State.FIRING
        ends = (
            j
            for j in range(at + pattern.clear, len(known))
            if not any(known[j - pattern.clear + 1 : j + 1])
        )
        over = next(ends, None)
        if over is None:
            return state
        begin, at, state = over + 1, over + 1, State.RESOLVED
    window = known[max(begin, len(known) - pattern.of) :]
    if pattern.need == pattern.of:
        window = window[-1:]
    if any(window):
        return State.PENDING
    return State.INACTIVE if any(known[begin:]) else state


EVENTS = st.lists(st.sampled_from(Event), max_size=25)
ANY_PATTERN = st.builds(
    lambda need, more, clear: Pattern(need, need + more, clear),
    st.integers(1, 4), st.integers(0, 3), st.integers(1, 3),
)  # fmt: skip


class AgainstTheDefinition(RuleBasedStateMachine):
    """Feed slice after slice, store and take up the state anywhere, compare with the definition."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.pattern = Pattern()
        self.streak = Streak(self.pattern)

    @initialize(pattern=ANY_PATTERN)
    def begin(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self.streak = Streak(pattern)

    @rule(event=st.sampled_from(Event))
    def feed(self, event: Event) -> None:
        self.events.append(event)
        self.streak.feed(event, len(self.events))

    @rule()
    def crash(self) -> None:
        self.streak = Streak.from_json(self.streak.as_json())

    @invariant()
    def agrees(self) -> None:
        assert self.streak.state is naive(self.events, self.pattern)
        assert len(self.streak.starts) <= self.pattern.of


TestAgainstTheDefinition = AgainstTheDefinition.TestCase
TestAgainstTheDefinition.settings = settings(max_examples=60, stateful_step_count=30)


def fed(events: list[Event], pattern: Pattern) -> Streak:
    streak = Streak(pattern)
    for at, event in enumerate(events):
        streak.feed(event, at)
    return streak


@given(EVENTS, ANY_PATTERN)
def test_what_fires_would_also_fill_the_window_of_doubt(
    events: list[Event], pattern: Pattern
) -> None:
    streak = fed(events, pattern)
    assert streak.doubt or not streak.fired
    assert streak.in_doubt or not streak.open


@given(EVENTS, ANY_PATTERN)
def test_only_judged_slices_move_a_state(events: list[Event], pattern: Pattern) -> None:
    known = [event for event in events if event in {Event.BREACH, Event.GOOD}]
    assert fed(events, pattern).state is fed(known, pattern).state
