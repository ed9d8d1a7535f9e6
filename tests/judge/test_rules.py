"""The rules of a watch: what a slice says, which rule moves when, and what a whole watch proves."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.test_streaks import table
from tests.judge.watching import (
    FORMS,
    HERE,
    WIDTH,
    a_bucket,
    a_condition,
    a_machine,
    a_rule,
    a_sketch,
    errors,
    failures,
    load,
)

from gonogo.judge.buckets import Amount, Body, Bucket, Figure, Form, Given, Grid, Shape, Share
from gonogo.judge.collector import Collector
from gonogo.judge.evaluate import Truth
from gonogo.judge.measures import in_unit, least_samples, limits_of, misfit, percentile, scale
from gonogo.judge.moves import Move, times
from gonogo.judge.questions import Question, faithful, usable
from gonogo.judge.rules import Machine, Terms, check
from gonogo.judge.streaks import Event, State
from gonogo.judge.verdict import Status, Verdict
from gonogo.judge.watch import findings, open_streaks, verdict
from gonogo.plan.condition import Condition
from gonogo.plan.model import Consequence
from gonogo.plan.units import Quantity

OBJECTIVE, PAGE, ROLLBACK = Consequence.OBJECTIVE, Consequence.PAGE, Consequence.ROLLBACK


def event_of(text: str, buckets: Mapping[str, Bucket], kind: Consequence = ROLLBACK) -> Event:
    return a_machine(a_rule(text, kind, "r")).event("r", buckets)


def said_of(text: str, buckets: Mapping[str, Bucket], kind: Consequence = ROLLBACK) -> str:
    return a_machine(a_rule(text, kind, "r")).say("r", buckets)


def latency(values: list[object], *limits: str, watched_ms: int = WIDTH) -> dict[str, Bucket]:
    body = a_sketch(values, limits)
    return {"response time": a_bucket("response time", body, watched_ms=watched_ms)}


SLOW_1 = [100] * 990 + [1300] * 10
SLOW_11 = [100] * 989 + [1300] * 11


@pytest.mark.parametrize(
    ("text", "buckets", "event"),
    [
        ("error rate > 1%", errors(100, 10_000), Event.GOOD),
        ("error rate > 1%", errors(101, 10_000), Event.BREACH),
        ("error rate >= 1%", errors(100, 10_000), Event.BREACH),
        ("error rate > 0.1%", errors(1, 1_000), Event.INSUFFICIENT),
        ("error rate > 0.1%", errors(1, 1_001), Event.GOOD),
        ("error rate > 0.1%", errors(2, 1_001), Event.BREACH),
        ("error rate < 20%", errors(200, 1_000), Event.GOOD),
        ("error rate < 20%", errors(199, 1_000), Event.BREACH),
        ("error rate > 33.3333%", errors(1, 3), Event.INSUFFICIENT),
        ("error rate > 33.3333%", errors(10, 30), Event.BREACH),
        ("error rate = 0%", errors(0, 1), Event.BREACH),
        ("error rate != 0%", errors(0, 1), Event.GOOD),
        ("error rate between 1% and 2%", errors(15, 1_000), Event.BREACH),
        ("error rate between 1% and 2%", errors(21, 1_000), Event.GOOD),
        ("error rate > 1%", errors(0, 0), Event.NO_DATA),
        ("error rate > 1%", {}, Event.NO_DATA),
        ("response time p99 > 1.2s", latency(SLOW_1, "1200"), Event.GOOD),
        ("response time p99 > 1.2s", latency(SLOW_11, "1200"), Event.BREACH),
        ("response time p99 > 1.3s", latency(SLOW_11, "1300"), Event.GOOD),
        ("response time p99 >= 1.3s", latency(SLOW_11, "1300"), Event.BREACH),
        ("response time p99 > 1.2s", latency([9000] * 99, "1200"), Event.INSUFFICIENT),
        ("response time p99 > 1.2s", latency([9000] * 100, "1200"), Event.BREACH),
        ("response time p95 > 1.2s", latency([9000] * 19, "1200"), Event.INSUFFICIENT),
        ("response time p95 > 1.2s", latency([9000] * 20, "1200"), Event.BREACH),
        ("response time median > 1s", latency([1001, 1], "1000"), Event.GOOD),
        ("response time avg > 1s", latency([1000, 1000]), Event.GOOD),
        ("response time avg > 1s", latency([1000, 1000.001]), Event.BREACH),
        ("response time > 1s", latency([1000, 1001]), Event.BREACH),
        ("response time max > 1s", latency([1, 1001]), Event.BREACH),
        ("response time min > 1s", latency([1, 1001]), Event.GOOD),
        # without its counter a limit inside the bin of the percentile cannot be told
        ("response time p50 > 1.2s", latency([1190, 1199, 1210]), Event.INSUFFICIENT),
        ("response time p50 > 1.1s", latency([1190, 1199, 1210]), Event.BREACH),
        ("response time max > 1s", latency([2000], watched_ms=149_999), Event.INSUFFICIENT),
        ("response time max > 1s", latency([2000], watched_ms=150_000), Event.BREACH),
        ("failures > 2", failures(2), Event.GOOD),
        ("failures > 2", failures(3), Event.BREACH),
        ("failures > 1 failures/min", failures(5), Event.GOOD),
        ("failures > 1 failures/min", failures(6), Event.BREACH),
        ("failures < 2 failures/h", failures(0), Event.BREACH),
        ("load > 2", load(2), Event.GOOD),
        ("load in 1/2", load(2), Event.BREACH),
        ("load in 1/2", load(3), Event.GOOD),
        ("load in 1/2", {}, Event.NO_DATA),
        ("response time p50 between 900ms and 1s", latency([950, 950]), Event.BREACH),
        ("response time p50 between 1190ms and 1.2s", latency([1195, 1210]), Event.INSUFFICIENT),
        ("load > 2", load("2.0000000001"), Event.BREACH),
        ("load p95 > 2", load(3), Event.INSUFFICIENT),  # the source gave no p95
        ("error rate > 1% or load > 2", errors(0, 0) | load(3), Event.BREACH),
        ("error rate > 1% or load > 2", errors(0, 0) | load(1), Event.NO_DATA),
        ("error rate > 1% and load > 2", errors(5, 10) | load(1), Event.GOOD),
        ("error rate > 1% and load > 2", errors(5, 10) | load(3), Event.INSUFFICIENT),
        ("load > 1.2x baseline", load(100), Event.INSUFFICIENT),  # none was recorded
    ],
)
def test_what_a_slice_says_about_an_alert(
    text: str, buckets: dict[str, Bucket], event: Event
) -> None:
    assert event_of(text, buckets) is event
    turned = {Event.BREACH: Event.GOOD, Event.GOOD: Event.BREACH}
    assert event_of(text, buckets, OBJECTIVE) is turned.get(event, event)


@pytest.mark.parametrize(
    ("text", "buckets", "sentence"),
    [
        ("error rate > 1%", errors(101, 10_000), "error rate 1.01 %, expected <= 1 %"),
        ("error rate > 1%", errors(10_001, 1_000_000), "error rate 1.0001 %, expected <= 1 %"),
        ("error rate > 1%", errors(1, 3_000), "error rate 0.0333 %"),
        (
            "response time p99 > 1.2s", latency(SLOW_11, "1200"),
            "response time p99 1.3 s, expected <= 1.2 s",
        ),
        ("response time p99 > 1.2s", latency([100.0] * 1000, "1200"), "response time p99 0.1 s"),
        ("response time p50 > 1.2s", latency([1.0, 1200.01], "1200"), "response time p50 0.001 s"),
        (
            "failures > 1 failures/min", failures(6),
            "failures 1.2 failures/min, expected <= 1 failures/min",
        ),
        ("error rate > 1%", {}, "error rate unknown: no data, expected <= 1 %"),
        (
            "error rate > 1%", errors(5, 50),
            "error rate unknown: 50 samples, at least 101 are needed, expected <= 1 %",
        ),
        (
            "response time max > 1s", latency([2], watched_ms=75_000),
            "response time max unknown: only 25 % of the slice was watched, expected <= 1 s",
        ),
        ("load p95 > 2", load(3), "load p95 unknown: the source gave no p95, expected <= 2"),
        ("error rate > 1% or load > 2", errors(0, 1000) | load(3), "load 3, expected <= 2"),
        ("load between 1 and 2", load(1.5), "load 1.5"),
        (
            "response time p50 > 1.2s", latency([1190, 1199, 1210]),
            "response time p50 unknown: what was kept does not tell on which side of the limit "
            "it is, expected <= 1.2 s",
        ),
        ("response time p50 > 1.2s", latency([1200, 1200.5], "1200"), "response time p50 1.2 s"),
        (
            "response time p50 > 1.2s", latency([1190, 1201, 1201], "1200"),
            "response time p50 1.2005 s, expected <= 1.2 s",
        ),
        (
            "response time p50 > 1.2s", latency([1190, 1199, 1214], "1200"),
            "response time p50 1.198 s",
        ),
        (
            "response time p50 between 900ms and 1s", latency([950, 950]),
            "response time p50 950 ms",
        ),
        (
            "load > 1.2x baseline", load(100),
            "load unknown: no baseline was recorded, expected <= 1.2x baseline",
        ),
    ],
)  # fmt: skip
def test_a_slice_is_told_in_a_sentence(
    text: str, buckets: dict[str, Bucket], sentence: str
) -> None:
    assert said_of(text, buckets) == sentence


def test_the_reason_of_silence_is_told() -> None:
    bucket = Bucket("error rate", 0, WIDTH, Share(), 0, bad={"null": 3}, reasons=("query refused",))
    assert said_of("error rate > 1%", {"error rate": bucket}) == (
        "error rate unknown: no data (3 null; query refused), expected <= 1 %"
    )


@pytest.mark.parametrize(("comparison", "least"), table("Least samples"))
def test_the_least_samples_are_those_of_the_table(comparison: str, least: str) -> None:
    words = comparison.replace(" %", "%").split()
    if comparison.startswith("a share"):
        found = least_samples(
            a_condition(f"error rate > {words[-1]}").predicates[0], FORMS["error rate"]
        )
    elif comparison == "an amount":
        found = least_samples(a_condition("failures > 2").predicates[0], FORMS["failures"])
    else:
        predicate = a_condition(f"response time {words[0]} > 1 s").predicates[0]
        found = least_samples(predicate, FORMS["response time"])
    assert found == int(least)


def test_a_figure_without_its_number_of_samples_is_not_trusted() -> None:
    form = {"p": Form(Shape.GIVEN, "ms")}
    machine = Machine([a_rule("p p99 > 1 s", PAGE, "r")], form)

    def slice_of(samples: int | None) -> dict[str, Bucket]:
        return {"p": a_bucket("p", Given({"p99": Figure(0, Decimal(1300), samples)}))}

    assert [machine.event("r", slice_of(n)) for n in (None, 99, 100)] == [
        Event.INSUFFICIENT, Event.INSUFFICIENT, Event.BREACH,
    ]  # fmt: skip
    assert "does not say from how many samples" in machine.say("r", slice_of(None))


def test_without_a_statistic_the_one_that_the_source_gives_is_meant() -> None:
    form = {"table": Form(Shape.GIVEN, "ms", stat="p95")}
    machine = Machine([a_rule("table > 1 s", PAGE, "r")], form)

    def slice_of(samples: int) -> dict[str, Bucket]:
        return {"table": a_bucket("table", Given({"p95": Figure(0, Decimal(1300), samples)}))}

    assert [machine.event("r", slice_of(n)) for n in (19, 20)] == [
        Event.INSUFFICIENT, Event.BREACH,
    ]  # fmt: skip
    assert "table 1.3 s" in machine.say("r", slice_of(20))


def test_a_metric_may_state_its_own_minimum() -> None:
    forms = {"error rate": Form(Shape.SHARE, "%", least=500)}
    machine = Machine([a_rule("error rate > 1%", PAGE, "r")], forms)
    assert machine.event("r", errors(499, 499)) is Event.INSUFFICIENT
    assert machine.event("r", errors(500, 500)) is Event.BREACH


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("error rate > 1s", "`error rate` is in `%`, compared with 1 s"),
        ("response time p99 > 5", "`response time p99` is in `ms`, compared with 5"),
        ("error rate p99 > 5%", "`error rate p99`: there is no p99 of a share"),
        ("failures max > 5", "`failures max`: there is no max of an amount"),
        ("latency > 5s", "no metric is bound to `latency`"),
        ("load > 1 in every row", "`load > 1 in every row` speaks of rows, and a bucket has none"),
        ('load = "high"', '`load = "high"` is no comparison with a number'),
        (
            "load > 1 for 2 consecutive 1-minute buckets",
            "the rule counts buckets of 60 s, the watch has buckets of 300 s",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_is_found_before_the_watch(text: str, message: str) -> None:
    rule = a_rule(text, PAGE, "r")
    assert [p.message for p in check([rule], FORMS, Terms(WIDTH))] == [message]
    with pytest.raises(ValueError, match="r: "):
        a_machine(rule)


def test_a_baseline_is_worked_out_once() -> None:
    rule = a_rule("response time p95 > 1.2x baseline", PAGE, "r")
    baseline = {"response time p95": Quantity(Decimal(500), "ms")}
    machine = Machine([rule], FORMS, Terms(WIDTH), baseline)
    assert machine.limits() == {"response time": {Decimal(600)}}
    assert machine.event("r", latency([600] * 20, "600")) is Event.GOOD
    assert machine.event("r", latency([601] * 20, "600")) is Event.BREACH


def test_a_baseline_in_a_wrong_unit_is_refused() -> None:
    rule = a_rule("response time p95 > 1.2x baseline", PAGE, "r")
    baseline = {"response time p95": Quantity(Decimal(5), "%")}
    with pytest.raises(ValueError, match="the baseline does not fit"):
        Machine([rule], FORMS, Terms(WIDTH), baseline)


@pytest.mark.parametrize(
    ("limit", "unit", "number"),
    [
        (Quantity(Decimal("1.2"), "s"), "ms", "1.2E+3"),
        (Quantity(Decimal(500), "ms"), "s", "0.5"),
        (Quantity(Decimal(2), "GiB"), "MB", "2147.483648"),
        (Quantity(Decimal(120), "jobs/min"), "jobs/s", "2"),
        (Quantity(Decimal(3), "MB/min"), "B/s", "5E+4"),
        (Quantity(Decimal(8), "Mbit/s"), "MB/s", "1"),
        (Quantity(Decimal(1), "min"), "h", "0.01" + 48 * "6" + "7"),
    ],
    ids=lambda part: part.say() if isinstance(part, Quantity) else part,
)  # fmt: skip
def test_a_limit_in_another_unit(limit: Quantity, unit: str, number: str) -> None:
    assert str(in_unit(limit, unit)) == number
    assert scale(unit) > 0


@pytest.mark.parametrize(
    ("stat", "share"),
    [
        ("p99", "0.99"), ("p99.9", "0.999"), ("median", "0.5"), ("p100", "1"), ("avg", None),
        ("p", None), ("p101", None),
    ],
)  # fmt: skip
def test_a_percentile_is_a_share(stat: str, share: str | None) -> None:
    assert percentile(stat) == (None if share is None else Decimal(share))


def test_limits_are_counted_for_samples_only() -> None:
    conditions = [a_condition(t) for t in ("response time p99 > 1.2s", "error rate > 1%")]
    conditions.append(a_condition("response time p99 > 5%"))  # a mistake that `check` reports
    assert limits_of(conditions, FORMS) == {"response time": {Decimal(1200)}}
    assert misfit(conditions[0].predicates[0], FORMS["response time"]) == ""


BODIES: dict[str, st.SearchStrategy[Body]] = {
    "response time": st.lists(
        st.integers(1, 40) | st.floats(9.5, 10.5), min_size=1, max_size=30
    ).map(lambda values: a_sketch(values, ["10"])),
    "error rate": st.builds(
        lambda hits, more: Share(hits, hits + more), st.integers(0, 9), st.integers(0, 90)
    ),
    "failures": st.builds(Amount, st.integers(0, 20).map(Decimal), st.integers(1, 2)),
    "load": st.builds(lambda v: Given({"": Figure(0, v)}), st.decimals(5, 15, places=3)),
}  # fmt: skip
TEXTS = [
    "response time p90 {} 10 ms", "response time avg {} 10 ms", "response time max {} 0.01 s",
    "response time p50 between 9 ms and 10 ms", "error rate {} 10 %", "failures {} 10",
    "failures {} 2 failures/min", "load {} 10", "load {} 10 or error rate {} 10 %",
    "load {} 10 and failures {} 10",
]  # fmt: skip


@given(
    st.sampled_from(TEXTS),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
    st.fixed_dictionaries({}, optional=BODIES),
    st.integers(0, WIDTH),
)
def test_the_fast_answer_is_that_of_every_other_check(
    text: str, op: str, bodies: dict[str, Body], watched: int
) -> None:
    condition: Condition = a_condition(text.format(op, op))
    buckets = {name: a_bucket(name, body, watched_ms=watched) for name, body in bodies.items()}
    question = Question(condition, FORMS)
    truth = question.truth(usable(buckets, WIDTH // 2))
    names = {True: Truth.PASS, False: Truth.FAIL, None: Truth.UNKNOWN}
    assert question.told(buckets, WIDTH // 2, breach=False).truth is names[truth]
    if truth is not None and "between" not in text:
        opposite = question.told(buckets, WIDTH // 2, breach=True)
        assert opposite.truth is names[not truth]


@given(st.fractions(0, 10**6), st.lists(st.integers(0, 10**6), max_size=3))
def test_a_value_is_shown_on_the_true_side_of_every_limit(
    value: Fraction, limits: list[int]
) -> None:
    shown = Fraction(faithful(value, [Fraction(limit) for limit in limits]))
    for limit in limits:
        assert (shown > limit) - (shown < limit) == (value > limit) - (value < limit)


@pytest.mark.parametrize("digits", [30, 300, 3_000])
def test_a_value_a_hair_above_its_limit_is_shown_above_it(digits: int) -> None:
    value = 1 + Fraction(1, 10**digits)
    assert faithful(value, [Fraction(1)]) > 1


def play(machine: Machine, values: list[object]) -> list[Move]:
    moves: list[Move] = []
    for at, value in enumerate(values):
        moves += machine.step(at * WIDTH, load(value, at))
    return moves


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


RULES = [
    a_rule("load > 2 for 2 buckets", ROLLBACK, "roll"),
    a_rule("load < 2.5", OBJECTIVE, "goal"),
    a_rule("load > 2 for 2 of 3 buckets", PAGE, "page"),
    a_rule("load < 1 for 10 minutes", Consequence.CRITICAL, "low"),
    a_rule("load > 1.5", Consequence.WARN, "warn"),
]
VALUES = st.lists(st.sampled_from([None, 0.5, 1, 1.8, 2.2, 3]), max_size=14)


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


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="the same id"):
        a_machine(a_rule("load > 2", PAGE, "r"), a_rule("load > 3", PAGE, "r"))


ORDER = [Verdict.GO, Verdict.HOLD, Verdict.NO_GO]


def verdict_of(values: list[object], *, complete: bool = True) -> Verdict:
    machine = a_machine(*RULES)
    play(machine, values)
    return verdict(machine, complete=complete)


@given(VALUES, st.data())
def test_adding_a_breach_never_improves_a_verdict(
    values: list[object], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, max(len(values) - 1, 0)))
    worse = [*values[:at], 3, *values[at + 1 :]]
    assert ORDER.index(verdict_of(worse)) >= ORDER.index(verdict_of(values))


@given(VALUES.filter(bool), st.data())
def test_losing_a_value_never_makes_a_go(values: list[object], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    before, after = verdict_of(values), verdict_of([*values[:at], None, *values[at + 1 :]])
    assert after is not Verdict.GO or before is Verdict.GO


@given(VALUES)
def test_stopping_early_never_gives_a_go(values: list[object]) -> None:
    assert verdict_of(values, complete=False) is not Verdict.GO


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


@pytest.mark.parametrize(
    ("text", "kind", "values", "status"),
    [
        ("load < 2", OBJECTIVE, [1, 1], Status.PASS),
        ("load < 2", OBJECTIVE, [1, 2, 1], Status.FAIL),
        ("load < 2", OBJECTIVE, [1, None, 1], Status.UNKNOWN),
        ("load < 2 for 2 buckets", OBJECTIVE, [1, None, 1], Status.PASS),
        ("load > 2 for 2 buckets", ROLLBACK, [1, None, None, 1], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [1, 3], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [1, None], Status.UNKNOWN),
        ("load > 2 for 2 buckets", ROLLBACK, [3, 3, 1], Status.FAIL),
        ("load > 2", PAGE, [3, 1], Status.UNKNOWN),
        ("load > 2", PAGE, [1], Status.PASS),
        ("load > 2", PAGE, [], Status.UNKNOWN),
    ],
)
def test_what_a_watch_proves_about_a_rule(
    text: str, kind: Consequence, values: list[object], status: Status
) -> None:
    machine = a_machine(a_rule(text, kind, "r"))
    play(machine, values)
    [finding] = findings(machine, complete=True)
    assert finding.status is status
    assert bool(finding.why) is (status is not Status.PASS)


def test_an_open_streak_and_silence_are_told_apart() -> None:
    whys = []
    for values in ([1, 3], [1, None], [None], [1, None, None, 1]):
        machine = a_machine(a_rule("load > 2 for 2 buckets", ROLLBACK, "r"))
        play(machine, values)
        whys.append(findings(machine, complete=True)[0].why)
    assert whys == [
        "the watch ended in an open streak", "1 buckets said nothing and may hide a breach",
        "no bucket could be judged", "2 buckets said nothing and may hide a breach",
    ]  # fmt: skip


def test_a_warning_decides_nothing_and_nothing_is_hold() -> None:
    machine = a_machine(a_rule("load > 2", Consequence.WARN, "r"))
    play(machine, [3])
    assert findings(machine, complete=True) == []
    assert verdict(machine, complete=True) is Verdict.HOLD


def test_the_table_of_proof_is_what_the_findings_say() -> None:
    streams: list[list[object]] = [[3, 3, 1], [1, None, None, 1], [1, 3], [], [1, 1]]
    for kind, *cells in table("What a watch proves"):
        found = []
        for values in streams:
            text = "load < 2.5 for 2 buckets" if kind == "objective" else "load > 2 for 2 buckets"
            machine = a_machine(a_rule(text, Consequence(kind), "r"))
            play(machine, values)
            found.append(findings(machine, complete=True)[0].status.value)
        assert found == cells


def test_a_watch_goes_on_while_a_streak_is_open() -> None:
    machine = a_machine(*RULES)
    play(machine, [1, 1, 2.2])
    assert open_streaks(machine) == ("roll", "page")
    machine.step(3 * WIDTH, load(1, 3))
    assert open_streaks(machine) == ("page",)
    machine.step(4 * WIDTH, load(1, 4))
    machine.step(5 * WIDTH, load(1, 5))
    assert open_streaks(machine) == ()


def test_a_finding_says_what_was_seen() -> None:
    machine = a_machine(a_rule("load > 2 for 2 buckets", ROLLBACK, "r"))
    play(machine, [3, None, 3])
    [finding] = findings(machine, complete=True)
    assert (finding.expected, finding.actual, finding.why, finding.notes, finding.line) == (
        "load > 2 for 2 buckets does not hold", "2 of 2 judged buckets were bad",
        "it was bad for 2 consecutive buckets",
        ("1 buckets said nothing", "firing since 00:10"), HERE.line,
    )  # fmt: skip


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
