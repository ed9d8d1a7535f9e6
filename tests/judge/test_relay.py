"""Several watches, one after the other: when each begins, which rules judge, what each comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judge.watching import FORMS, WIDTH, a_rule, load

from gonogo.judge.course import LONGER, Program, Watching
from gonogo.judge.relay import Relay, Track, calendar
from gonogo.judge.rules import Terms
from gonogo.judge.verdict import Verdict
from gonogo.plan.model import Checkpoint, Consequence, Rule
from gonogo.source import Span

GRACE = 10_000
TRIGGER = a_rule("load > 5 for 2 buckets")


def own(text: str, phase: str, consequence: Consequence = Consequence.OBJECTIVE) -> Rule:
    return replace(a_rule(text, consequence, f"{consequence}/{phase}"), phase=phase)


def a_watch(name: str, planned: int = 3, *, whole: int | None = None, **more: object) -> Watching:
    whole_ms = None if whole is None else whole * WIDTH
    return Watching(name, name.title(), planned, whole_ms, **more)  # type: ignore[arg-type]


def a_point(ends: float, begins: float = 0) -> Checkpoint:
    return Checkpoint("p", "P", Span.of_line(3), begins * 300, ends * 300, ("step",))


def a_track(*watches: Watching, rules: tuple[Rule, ...] = (TRIGGER,)) -> Track:
    return Track(rules, FORMS, Terms(WIDTH), Program(watches, GRACE))


def played(track: Track, *values: object) -> Relay:
    """Step through values, the last of which lasts until the end."""
    relay = Relay(track)
    at = 0
    while relay.watch is not None:
        relay.step(load(values[min(at, len(values) - 1)], at))
        at += 1
    return relay


@pytest.mark.parametrize(
    ("watches", "spans"),
    [
        pytest.param([a_watch("a")], [(0, 3)], id="one"),
        pytest.param([a_watch("a"), a_watch("b", 2)], [(0, 3), (4, 6)], id="its-own-length"),
        pytest.param(
            [a_watch("a", whole=3), a_watch("b", whole=9)], [(0, 3), (4, 9)], id="from-the-first"
        ),
        pytest.param(
            [a_watch("a"), a_watch("b", whole=2)], [(0, 3), (4, 5)], id="over-when-it-begins"
        ),
        pytest.param(
            [a_watch("a", checkpoints=(a_point(8.5),)), a_watch("b", 2)],
            [(0, 3), (9, 11)],
            id="a-checkpoint-behind-its-figures",
        ),
        pytest.param(
            [a_watch("a", whole=3), a_watch("b", whole=5, checkpoints=(a_point(8, 8),)),
             a_watch("c", 2)],
            [(0, 3), (4, 5), (8, 10)],
            id="a-moment-that-counts-from-the-first",
        ),
        pytest.param(
            [a_watch("a"), a_watch("b", figured=False), a_watch("c", 1)],
            [(0, 3), (3, 4), (4, 5)],
            id="without-figures-and-without-checkpoints",
        ),
        pytest.param(
            [a_watch("a", figured=False, checkpoints=(a_point(2),)), a_watch("b", whole=4)],
            [(0, 2), (2, 4)],
            id="people-first",
        ),
    ],
)  # fmt: skip
def test_when_each_watch_begins_and_ends(
    watches: list[Watching], spans: list[tuple[int, int]]
) -> None:
    found = calendar(a_track(*watches))
    assert [(p.first_slice_ms // WIDTH, -(-p.closed_ms // WIDTH)) for p in found] == spans
    assert [past.watch for past in found] == watches


def test_the_calendar_is_what_a_calm_watch_does() -> None:
    watches = (a_watch("a"), a_watch("b", whole=9), a_watch("c", 2))
    relay = played(a_track(*watches), 1)
    assert tuple(relay.past) == tuple(
        replace(past, verdict=Verdict.GO) for past in calendar(a_track(*watches))
    )


def test_a_rule_is_judged_in_its_own_watch_alone() -> None:
    rules = (own("load < 5", "a"), own("load < 3", "b"), TRIGGER)
    relay = played(a_track(a_watch("a"), a_watch("b"), rules=rules), 4)
    assert [(past.watch.id, past.verdict.value) for past in relay.past] == [
        ("a", "go"), ("b", "no-go"),
    ]  # fmt: skip
    assert [(move.rule, move.at_ms // WIDTH) for move in relay.moves] == [("objective/b", 4)]
    assert relay.verdict() is Verdict.NO_GO


def test_what_lies_between_two_watches_is_judged_by_the_rules_of_all() -> None:
    rules = (own("load < 5", "b"), TRIGGER)
    relay = played(a_track(a_watch("a"), a_watch("b"), rules=rules), 1, 1, 1, 6, 1)
    assert [(move.rule, move.at_ms // WIDTH, move.after.value) for move in relay.moves] == [
        (TRIGGER.id, 3, "pending"), (TRIGGER.id, 4, "inactive"),
    ]  # fmt: skip
    assert relay.verdict() is Verdict.GO


def test_a_trigger_ends_it_and_what_was_not_reached_is_known() -> None:
    relay = played(a_track(a_watch("a"), a_watch("b"), a_watch("c")), 6)
    assert relay.trigger is not None
    assert [past.watch.id for past in relay.past] == ["a"]
    assert [watch.id for watch in relay.left] == ["b", "c"]
    assert (relay.past[0].slices, relay.verdict()) == (2, Verdict.NO_GO)


def test_a_streak_goes_over_into_the_next_watch() -> None:
    call = a_rule("load > 5 for 2 of 3 buckets", Consequence.PAGE)
    track = a_track(a_watch("a", whole=3), a_watch("b", whole=8), rules=(call,))
    relay = played(track, 1, 1, 6, 1, 1, 1, 1)
    assert relay.past[0].longer == 3  # until the breach has left the window
    assert [past.verdict.value for past in relay.past] == ["go", "go"]
    fired = played(track, 1, 6, 6, 6, 6, 1)
    assert [past.verdict.value for past in fired.past] == ["hold", "hold"]
    assert [m.after.value for m in fired.past[1].moves] == ["resolved"]


def test_a_watch_that_never_settles_gives_way_to_the_next() -> None:
    call = a_rule("load > 5 for 40 buckets", Consequence.PAGE)
    relay = played(a_track(a_watch("a"), a_watch("b"), rules=(call,)), 6)
    assert (relay.past[0].slices, relay.past[0].longer) == (3 + LONGER, LONGER)
    assert relay.past[0].verdict is Verdict.HOLD


def test_a_watch_none_of_whose_rules_is_played_decides_nothing() -> None:
    rules = (own("load < 5", "a"),)
    relay = played(a_track(a_watch("a"), a_watch("b"), rules=rules), 1)
    assert [past.verdict.value for past in relay.past] == ["go", "hold"]
    assert relay.verdict() is Verdict.GO
