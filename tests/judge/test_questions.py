"""What one slice says about a rule: good, bad or not known, with its value in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judge.test_streaks import table
from tests.judge.watching import (
    FORMS,
    OBJECTIVE,
    PAGE,
    ROLLBACK,
    WIDTH,
    a_bucket,
    a_condition,
    a_machine,
    a_rule,
    a_sketch,
    errors,
    failures,
    latency,
    load,
)

from gonogo.judge.buckets import Amount, Body, Bucket, Figure, Form, Given, Shape, Share
from gonogo.judge.evaluate import Truth
from gonogo.judge.measures import least_samples
from gonogo.judge.questions import Question, faithful, usable
from gonogo.judge.rules import Machine
from gonogo.judge.streaks import Event
from gonogo.plan.condition import Condition
from gonogo.plan.model import Consequence


def event_of(text: str, buckets: Mapping[str, Bucket], kind: Consequence = ROLLBACK) -> Event:
    return a_machine(a_rule(text, kind, "r")).event("r", buckets)


def said_of(text: str, buckets: Mapping[str, Bucket], kind: Consequence = ROLLBACK) -> str:
    return a_machine(a_rule(text, kind, "r")).say("r", buckets)


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
