"""Which rule of a watch moves when and why, and that a watch that was stored goes on the same."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.watching import (
    FORMS,
    PAGE,
    ROLLBACK,
    RULES,
    VALUES,
    WIDTH,
    a_machine,
    a_rule,
    errors,
    failures,
    load,
    play,
)

from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.collector import Collector
from gonogo.judge.moves import Move, times
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.streaks import State
from gonogo.plan.model import Consequence


def written(moves: list[Move]) -> list[tuple[int, str, str]]:
    return [
        (move.at_ms // WIDTH, move.rule, move.after.value) for move in moves if "/" not in move.rule
    ]


def test_every_move_is_told_with_its_slices_and_values() -> None:
    machine = a_machine(a_rule("load > 2 for 2 buckets", PAGE, "r"))
    moves = [move for move in play(machine, [1, 3, None, 4, 1, 1]) if move.rule == "r"]
    assert [(m.before.value, m.after.value, m.reason) for m in moves] == [
        ("inactive", "pending", "load 3, expected <= 2 (1 of 2 buckets: 00:05)"),
        ("pending", "firing", "load 4, expected <= 2 (2 of 2 buckets: 00:05, 00:15)"),
        ("firing", "resolved", "load 1 (good for 2 buckets)"),
    ]
    assert moves[1].as_json() == {
        "rule": "r", "consequence": "page", "at_ms": 3 * WIDTH, "closed_ms": 4 * WIDTH,
        "before": "pending", "after": "firing", "event": "breach",
        "reason": "load 4, expected <= 2 (2 of 2 buckets: 00:05, 00:15)",
        "slices": [WIDTH, 3 * WIDTH], "values": {"load": "4"},
    }  # fmt: skip


def test_rules_that_fire_together_move_in_the_written_order() -> None:
    rules = [a_rule(f"load > {n}", ROLLBACK, name) for name, n in (("b", 1), ("a", 2), ("c", 0))]
    assert written(play(a_machine(*rules), [5])) == [
        (0, "b", "firing"), (0, "a", "firing"), (0, "c", "firing"),
    ]  # fmt: skip


def test_a_window_holds_for_the_whole_line() -> None:
    machine = a_machine(a_rule("load > 2 or error rate > 1% for 2 buckets", PAGE, "r"))
    machine.step(0, load(3) | errors(0, 1000))
    moves = machine.step(WIDTH, load(1, 1) | errors(20, 1000, 1))
    assert [m.reason for m in moves] == [
        "error rate 2 %, expected <= 1 % (2 of 2 buckets: 00:00, 00:05)"
    ]


def test_what_fires_and_is_good_is_settled_where_no_more_slices_come() -> None:
    rules = [a_rule("load > 2 for 2 buckets", PAGE, name) for name in ("long", "made up")] + [
        a_rule("load > 0", PAGE, "bad"),
        a_rule("load > 9", PAGE, "calm"),
    ]
    machine = a_machine(*rules)
    play(machine, [3, 3, 1])
    machine.make_up("made up")
    moves = machine.settle(load(1, 2), "it is over")
    assert [(m.at_ms, m.rule, m.before.value, m.after.value, m.reason) for m in moves] == [
        (2 * WIDTH, "long", "firing", "resolved", "load 1 (good for 1 bucket); it is over")
    ]
    assert machine.settle(load(1, 2), "it is over") == []


def test_what_was_skipped_moves_nothing() -> None:
    machine = a_machine(a_rule("load > 2 for 2 buckets", PAGE, "r"))
    machine.step(0, load(3))
    machine.skip_to(5 * WIDTH)
    moves = machine.step(5 * WIDTH, load(3, 5))
    assert [(m.rule, m.after.value, m.reason) for m in moves] == [
        ("r", "firing", "load 3, expected <= 2 (2 of 2 buckets: 00:00, 00:25)")
    ]


def test_silence_is_told_at_once_and_pages_after_its_time() -> None:
    machine = a_machine(a_rule("load > 2", PAGE, "r"))
    moves = play(machine, [1, None, None, None, 1])
    assert [(m.at_ms // WIDTH, m.rule, m.after.value, m.reason) for m in moves] == [
        (1, "no-data/load", "firing", "no data since 00:05"),
        (1, "blind/load", "pending", "no data since 00:05"),
        (2, "blind/load", "firing", "no data since 00:05"),
        (4, "no-data/load", "resolved", "data again"),
        (4, "blind/load", "resolved", "data again"),
    ]
    assert {m.rule: m.consequence for m in moves} == {
        "no-data/load": Consequence.WARN, "blind/load": PAGE,
    }  # fmt: skip


def test_too_few_samples_are_not_silence() -> None:
    machine = a_machine(a_rule("error rate > 1%", PAGE, "r"))
    assert machine.step(0, errors(1, 50)) == []
    assert machine.streaks["r"].silent == 1


def test_a_slice_that_was_left_out_is_a_slice_without_data() -> None:
    rule = a_rule("load > 2 for 2 buckets", PAGE, "r")
    gap, none = a_machine(rule), a_machine(rule)
    gap.step(0, load(3))
    left_out = gap.step(3 * WIDTH, load(3, 3))
    assert left_out == play(none, [3, None, None, 3])[1:]
    assert gap.as_json() == none.as_json()


@pytest.mark.parametrize(
    ("start", "message"),
    [(0, "was judged already"), (-WIDTH, "was judged already"), (WIDTH + 1, "not the start")],
)
def test_a_slice_is_judged_once_and_on_the_grid(start: int, message: str) -> None:
    machine = a_machine(a_rule("load > 2", PAGE, "r"))
    machine.step(0, load(1))
    with pytest.raises(ValueError, match=message):
        machine.step(start, load(1))


def test_a_long_streak_names_its_first_and_last_slices() -> None:
    starts = [at * WIDTH for at in range(285, 295)]
    assert times(starts, WIDTH, starts[-1]) == (
        "23:45 1 d before, 23:50 1 d before, 23:55 1 d before, 00:00, 00:05, …, 00:30"
    )
    assert times([61_000], 1_000, 61_000) == "00:01:01"


@given(VALUES, st.integers(0, 14))
def test_going_on_from_a_stored_state_is_the_same_as_replaying(
    values: list[object], cut: int
) -> None:
    whole = a_machine(*RULES)
    moves = play(whole, values)
    first = a_machine(*RULES)
    found = play(first, values[:cut])
    stored = json.loads(json.dumps(first.as_json()))
    second = a_machine(*RULES)
    second.resume(stored)
    for at, value in enumerate(values[cut:], start=cut):
        found += second.step(at * WIDTH, load(value, at))
    assert found == moves
    assert second.as_json() == whole.as_json()


@pytest.mark.parametrize("change", ["rules", "width", "clear"])
def test_a_state_of_another_watch_is_refused(change: str) -> None:
    machine = a_machine(a_rule("load > 2 for 2 buckets", PAGE, "r"))
    text = "load > 3 for 2 buckets" if change == "rules" else "load > 2 for 2 buckets"
    terms = {"rules": Terms(WIDTH), "width": Terms(60_000), "clear": Terms(WIDTH, clear=1)}[change]
    other = Machine([a_rule(text, PAGE, "r")], FORMS, terms)
    with pytest.raises(ValueError, match="belongs to"):
        other.resume(machine.as_json())


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_metrics_in_a_slice_does_not_matter(
    values: list[object], dice: random.Random
) -> None:
    rules = [
        a_rule("load > 2 or error rate > 1%", ROLLBACK, "a"),
        a_rule("failures > 2", PAGE, "b"),
    ]
    one, two = a_machine(*rules), a_machine(*rules)
    for at, value in enumerate(values):
        found = load(value, at) | errors(at, 1000, at) | failures(at, at)
        names = sorted(found)
        dice.shuffle(names)
        assert one.step(at * WIDTH, found) == two.step(at * WIDTH, {n: found[n] for n in names})
    assert one.as_json() == two.as_json()


def test_the_state_of_each_rule_can_be_read() -> None:
    machine = a_machine(*RULES)
    play(machine, [2.2])
    states = {name: streak.state for name, streak in machine.streaks.items()}
    assert states == {
        "roll": State.PENDING, "goal": State.INACTIVE, "page": State.PENDING,
        "low": State.INACTIVE, "warn": State.FIRING,
        "no-data/load": State.INACTIVE, "blind/load": State.INACTIVE,
    }  # fmt: skip


MINUTE = 60_000
STORY = [
    a_rule("response time p99 > 1.2s for 2 buckets", PAGE, "slow"),
    a_rule("error rate > 1% for 2 consecutive 5-minute buckets", ROLLBACK, "errors"),
]


@pytest.mark.parametrize("began", range(5 * MINUTE, 10 * MINUTE, MINUTE))
def test_a_fault_is_found_five_to_fifteen_minutes_after_it_began(began: int) -> None:
    """Feed requests one by one, 5 a second, every fiftieth bad from `began` on."""
    forms = {name: FORMS[name] for name in ("response time", "error rate")}
    machine = Machine(STORY, forms, Terms(WIDTH))
    collector = Collector(Grid(300, 10), forms, 0, limits=machine.limits())
    moves: list[Move] = []
    slices: dict[int, dict[str, Bucket]] = {}
    for now in range(0, 25 * MINUTE, 200):
        bad = now >= began and now // 200 % 50 == 0
        collector.value("response time", now, 2000 if bad else 300)
        collector.share("error rate", now, int(bad))
        for bucket in collector.advance(now):
            slices.setdefault(bucket.start_ms, {})[bucket.metric] = bucket
            if len(slices[bucket.start_ms]) == len(forms):
                moves += machine.step(bucket.start_ms, slices[bucket.start_ms])
    fired = {move.rule: move.closed_ms - began for move in moves if move.after is State.FIRING}
    assert set(fired) == {"slow", "errors"}
    assert all(5 * MINUTE <= after <= 15 * MINUTE for after in fired.values())
    told = [move.reason for move in moves if move.rule == "errors" and move.after is State.FIRING]
    assert told[0].startswith("error rate ")
    assert "2 of 2 buckets: 00:" in told[0]
