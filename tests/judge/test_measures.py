"""Rules fit what is measured, in unit and statistic, or are refused before the watch begins."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.judge.watching import FORMS, PAGE, WIDTH, a_condition, a_machine, a_rule, latency

from gonogo.judge.measures import in_unit, limits_of, misfit, percentile, scale
from gonogo.judge.rules import Machine, Terms, check
from gonogo.judge.streaks import Event
from gonogo.plan.units import Quantity


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


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="the same id"):
        a_machine(a_rule("load > 2", PAGE, "r"), a_rule("load > 3", PAGE, "r"))


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
