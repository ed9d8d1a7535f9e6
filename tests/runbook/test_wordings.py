"""Rules in the wordings of real runbooks: levels in one line, commas, times, limits of a row."""

from __future__ import annotations

import dataclasses

import pytest
from tests.runbook.books import METRICS, a_plan
from tests.runbook.conftest import Reader

from gonogo.errors import Severity
from gonogo.plan.model import Consequence

WATCH = METRICS + "## Deploy\n- [ ] x\n## Monitoring\n"


@pytest.mark.parametrize(
    ("alert", "trigger", "told"),
    [
        ("Page: error rate > 2%", "response time p95 > 2s", True),
        ("Warn: error rate > 2%", "response time p95 > 2s", True),
        ("Page: response time p99 > 2s", "response time p95 > 2s", False),
        ("Warn: response time p95 > 1s", "response time p95 > 2s", False),
        ("Page: error rate > 2%", "response time p95 > 2s or error rate > 5%", False),
        ("nobody is told", "response time p95 > 2s", False),
    ],
)
def test_a_trigger_on_a_figure_without_an_alert_is_noted(
    understood: Reader, alert: str, trigger: str, *, told: bool
) -> None:
    alerts = f"### Alerts\n- {alert} for 2 buckets\n"
    text = f"{WATCH}{alerts}### Rollback triggers\n- {trigger} for 2 buckets\n"
    notes = [d for d in understood(text).diagnostics if d.code == "GN345"]
    assert [n.severity for n in notes] == [Severity.NOTE] * told
    assert all("`response time`" in n.message for n in notes)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "Error rate: warn > 1%, page > 2% for 2 buckets",
            {"warn": "error rate > 1 % for 2 buckets", "page": "error rate > 2 % for 2 buckets"},
        ),
        (
            "P95 response time - warn above 600 ms; critical above 1.2 s",
            {"warn": "response time p95 > 600 ms", "critical": "response time p95 > 1.2 s"},
        ),
        ("Error rate: page > 2%", {"page": "error rate > 2 %"}),
        (
            "Error rate: WARNING if > 1% for 3 buckets, CRITICAL if > 5% for 1 bucket",
            {"warn": "error rate > 1 % for 3 buckets", "critical": "error rate > 5 % for 1 bucket"},
        ),
    ],
)
def test_a_line_with_a_limit_for_each_level_is_a_rule_for_each(
    understood: Reader, line: str, found: dict[str, str]
) -> None:
    read = understood(f"{WATCH}### Alerts\n- {line}\n")
    assert read.plan is not None, read.diagnostics
    rules = {r.consequence: r.condition for r in read.plan.rules}
    said = {level: dataclasses.replace(c, severity=None).say() for level, c in rules.items()}
    assert said == found
    for level, condition in rules.items():
        (place,) = {(p.span.line, p.span.column) for p in condition.predicates}
        assert place[0] == read.plan.rules[0].span.line, level


def test_levels_without_a_figure_are_one_question(understood: Reader) -> None:
    text = "## Deploy\n- [ ] x\n## Monitoring\n### Alerts\n- Queue: warn > 10, page > 20\n"
    plan = a_plan(understood, text)
    asked = [step.title for phase in plan.phases for step in phase.steps]
    assert asked == ["x", "Queue: warn > 10, page > 20"]


def test_a_time_is_shown_as_every_bucket_of_it(understood: Reader) -> None:
    read = understood(f"{WATCH}### Alerts\n- Page: error rate > 2% over 1 hour\n")
    (rule,) = [m.detail for m in read.meanings if m.what == "rule"]
    assert rule == "page if error rate > 2 % for 1 hour, in every bucket of it"
    assert [d.code for d in read.diagnostics] == ["GN124"]


def test_an_emoji_in_letters_is_no_severity(understood: Reader) -> None:
    text = f"{WATCH}### Alerts\n- :warning: Roll back if error rate > 5% for 2 buckets\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is Consequence.ROLLBACK


def test_a_statistic_of_a_row_holds_for_its_bare_limits(understood: Reader) -> None:
    """`p95 < 500 ms | > 600 ms` is one figure, not a p95 and an average."""
    rows = (
        "| Metric | Target | Warning | Critical |\n|---|---|---|---|\n"
        "| Response time | p95 < 500 ms | > 600 ms | above 1 s |\n"
        "| Error rate | < 1 % | > 2 % | above 5 % |\n"
    )
    rules = a_plan(understood, f"{WATCH}### Objectives\n\n{rows}").rules
    figures = [r.condition.predicates[0].subject() for r in rules]
    assert figures == ["response time p95"] * 3 + ["error rate"] * 3


@pytest.mark.parametrize(
    ("heading", "line", "said"),
    [
        ("Alerts", "Response time: P95 > 1 s, P99 > 2 s",
         "response time p95 > 1 s or response time p99 > 2 s"),
        ("Alerts", "P95 > 1 s and error rate > 2 %",
         "response time p95 > 1 s and error rate > 2 %"),
        ("Objectives", "Response time: P95 < 1 s, P99 < 2 s",
         "response time p95 < 1 s and response time p99 < 2 s"),
    ],
)  # fmt: skip
def test_commas_between_limits_that_must_not_be_passed_mean_or(
    understood: Reader, heading: str, line: str, said: str
) -> None:
    read = understood(f"{WATCH}### {heading}\n- {line} for 2 buckets\n")
    assert read.plan is not None, read.diagnostics
    (rule,) = read.plan.rules
    assert rule.condition.say() == f"{said} for 2 buckets"
    noted = [d.code for d in read.diagnostics if d.code == "GN389"]
    assert noted == ["GN389"] * (" or " in said)


def test_a_rate_of_something_that_is_bound_needs_no_other_name(understood: Reader) -> None:
    front = METRICS.replace("metrics:", "metrics:\n  errors: {log: a.jsonl, count: true}")
    text = f"{front}## Deploy\n- [ ] x\n## Monitoring\n### Alerts\n"
    (rule,) = a_plan(understood, f"{text}- Page: more than 5 errors per minute\n").rules
    assert rule.condition.predicates[0].metric == "errors"


def test_what_is_free_of_a_thing_is_found_in_either_order(understood: Reader) -> None:
    front = METRICS.replace("metrics:", "metrics:\n  free disk: {host: disk free}")
    text = f"{front}## Deploy\n- [ ] x\n## Monitoring\n### Alerts\n"
    (rule,) = a_plan(understood, f"{text}- Page: disk < 10 GB free\n").rules
    assert rule.condition.predicates[0].metric == "free disk"


def test_a_name_that_ends_in_the_word_of_a_level_stays_whole(understood: Reader) -> None:
    text = WATCH.replace("response time:", "home page:", 1) + "### Alerts\n- Home page > 2 s\n"
    plan = a_plan(understood, text)
    assert [rule.condition.predicates[0].metric for rule in plan.rules] == ["home page"]
