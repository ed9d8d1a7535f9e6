"""Rules from lines and tables, and what happens to bounds that stand elsewhere."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, METRICS, a_plan, codes
from tests.runbook.conftest import Reader

from gonogo.plan.model import Consequence

WATCH = METRICS + "## Deploy\n- [ ] x\n## Monitoring\n"


def _table(*rows: str) -> str:
    head, *rest = rows
    return "\n".join([head, "|".join("-" * head.count("|")).join("||"), *rest]) + "\n"


@pytest.mark.parametrize(
    ("rows", "consequences"),
    [
        pytest.param(["| Metric | Threshold | Severity |", "| Error rate | > 5% | Critical |"],
                     [Consequence.CRITICAL], id="severity-column"),
        pytest.param(["| Metric | Threshold | Action |", "| Error rate | > 5% | Roll back at once |"],  # noqa: E501
                     [Consequence.ROLLBACK], id="action-column"),
        pytest.param(["| Metric | Threshold | Severity |", "| Error rate | > 5% | P0 |",
                      "| Error rate | > 4% | P1 |", "| Error rate | > 3% | P2 (Medium) |",
                      "| Error rate | > 2% | P3 |"],
                     [Consequence.P0, Consequence.P1, Consequence.P2, Consequence.P3], id="p0-to-p3"),  # noqa: E501
        pytest.param(["| Metric | Threshold | Action |", "| Error rate | > 5% | Look |"],
                     [Consequence.WARN], id="something-is-done"),
        pytest.param(["| What | Warning | Page |", "| Error rate | > 1% | > 2% |"],
                     [Consequence.WARN, Consequence.PAGE], id="first-column-is-the-metric"),
        pytest.param(["| Metric | Target |", "| Error rate | n/a |"], [], id="nothing-in-the-cell"),
        pytest.param(["| Colour | Mood |", "| red | bad |"], [], id="no-targets"),
    ],
)  # fmt: skip
def test_columns_say_what_a_bound_is_for(
    understood: Reader, rows: list[str], consequences: list[Consequence]
) -> None:
    head, *rest = rows
    rule = "|" + "-|" * (head.count("|") - 1)
    plan = a_plan(understood, "\n".join([WATCH, head, rule, *rest, ""]))
    assert [r.consequence for r in plan.rules] == consequences


def test_a_window_column_belongs_to_the_bound(understood: Reader) -> None:
    text = f"{WATCH}\n| Metric | Page | Window |\n|-|-|-|\n| Error rate | > 1% | for 5 minutes |\n| Error rate | > 2% | - |\n"  # noqa: E501
    first, second = a_plan(understood, text).rules
    assert first.condition.window is not None
    assert first.condition.window.seconds == 300
    assert second.defaulted


def test_bounds_in_a_table_without_a_target_column_are_reported(understood: Reader) -> None:
    text = f"{WATCH}\n| Colour | Remark |\n|-|-|\n| red | error rate > 5% |\n"
    assert codes(understood, text) == ["GN331"]


def test_a_checklist_table_with_done_in_words(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n\n| Task | Done |\n|-|-|\n| a | yes |\n| b | no |\n| | |\n"
    assert [s.claimed for s in a_plan(understood, text).steps()] == [True, False]


def test_a_heading_can_name_the_metric_of_its_bounds(understood: Reader) -> None:
    text = f"{WATCH}### High error rate\n- Warn: > 1% for 2 buckets\n### Slow response time\n- Warn: > 1s for 2 buckets\n"  # noqa: E501
    rules = a_plan(understood, text).rules
    assert [r.condition.predicates[0].metric for r in rules] == ["error rate", "response time"]
    assert len({r.id for r in rules}) == 2


def test_the_same_bound_twice_is_one_rule(understood: Reader) -> None:
    text = f"{WATCH}- Error rate > 5% for 2 buckets\n- error_rate > 5 % for 2 buckets\n"
    assert codes(understood, text) == ["GN333"]
    assert len(a_plan(understood, text).rules) == 1


def test_a_line_that_says_roll_back_is_a_trigger_wherever_it_stands(understood: Reader) -> None:
    text = f"{WATCH}### Alerts\n- Error rate > 5% for 2 buckets → roll back\n"
    assert a_plan(understood, text).rules[0].consequence is Consequence.ROLLBACK


def test_a_comparison_that_markdown_takes_for_a_quotation_keeps_its_sign(
    understood: Reader,
) -> None:
    text = f"{WATCH}### High error rate\n\n- > 95 %\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.condition.predicates[0].op.value == ">"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("We look at everything.", [], id="prose"),
        pytest.param("- The team is happy", [], id="prose-item"),
        pytest.param("- no errors in logs", [], id="prose-that-reads-like-a-condition"),
        pytest.param("- Latency > 5 % for 0 buckets", ["GN106"], id="impossible"),
    ],
)
def test_lines_of_a_watch(understood: Reader, line: str, found: list[str]) -> None:
    assert codes(understood, f"{WATCH}\n{line}\n") == found


def test_a_bound_outside_a_watch_is_asked_when_assisted(understood: Reader) -> None:
    plan = a_plan(understood, "## Deploy\n- Disk usage < 80 %\n- [ ] x\n")
    assert [s.title for s in plan.steps()] == ["Disk usage < 80 %", "x"]


def test_a_bad_bound_is_asked_when_assisted(understood: Reader) -> None:
    plan = a_plan(understood, "## Monitoring\n### Alerts\n- Latency > 1,5 s for 2 buckets\n")
    assert plan.phases[0].steps[0].notes == ("Must not be: Latency > 1,5 s for 2 buckets (page)",)


def test_a_box_of_the_sign_off_that_cannot_be_read(understood: Reader) -> None:
    text = f"{METRICS}## Deploy\n- [ ] x\n## Sign-off\n- [ ] Error rate < 1,5 %\n"
    assert codes(understood, text) == ["GN103"]


def test_a_box_of_the_watch_without_a_bound_metric_stays_a_question(understood: Reader) -> None:
    plan = a_plan(understood, f"{WATCH}- [ ] Home page < 2 s\n- [ ] Error rate < 1 %\n")
    assert [r.condition.predicates[0].metric for r in plan.rules] == ["error rate"]
    assert len(plan.phases[1].steps) == 2


def test_the_questions_of_a_runbook_without_a_watch(understood: Reader) -> None:
    text = "## Rollback\n### Triggers\n- Data loss\n### Back\n- [ ] y\n"
    assert "GN338" in codes(understood, text)
    plan = a_plan(understood, "## Deploy\n- [ ] x\n" + text)
    assert plan.phases[0].steps[-1].title == "Data loss"


def test_triggers_are_compared_only_with_alerts_of_the_same_kind(understood: Reader) -> None:
    alerts = "### Alerts\n- Page: error rate > 0.9% for 2 buckets\n- Page: response time p99 > 2s for 2 buckets\n"  # noqa: E501
    triggers = "### Rollback triggers\n- response time p99 > 5% for 2 buckets\n- error rate > 1% for 2 buckets\n"  # noqa: E501
    assert codes(understood, WATCH + alerts + triggers) == []
    downwards = alerts.replace("p99 > 2s", "p99 < 2s") + triggers.replace("p99 > 5%", "p99 < 3s")
    assert codes(understood, WATCH + downwards) == ["GN345"]


def test_directives_of_a_section_go_to_its_steps(understood: Reader) -> None:
    text = (
        f"{EXPLICIT}## Pre-deployment\n- [ ] Ready\n## Deploy\n### Workers\n"
        "- Owner: ana\n- Needs: Ready\n- Estimate: 5m\n\n1. Stop\n2. Start\n"
    )
    steps = a_plan(understood, text).phases[1].steps
    assert [(s.owner, s.needs) for s in steps] == [("ana", ("pre-deployment/ready",))] * 2


def test_a_directive_before_all_steps_belongs_to_none(understood: Reader) -> None:
    assert codes(understood, f"{EXPLICIT}## Deploy\n- Expect: a = 1\n\n1. Go\n") == ["GN311"]


def test_the_beat_of_a_watch(understood: Reader) -> None:
    plan = a_plan(understood, f"{EXPLICIT}## Watch\n- For: 2h\n- Every: 1m\n\n- [ ] x\n")
    assert (plan.phases[0].span_s, plan.settings["bucket"]) == (7200.0, "60")
    odd = a_plan(understood, f"{EXPLICIT}## Watch for a day\n- For: ever\n\n- [ ] x\n")
    assert odd.phases[0].span_s == 86400.0


def test_the_stated_time_of_a_rollback(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] x\n## Rollback\n- Estimate: 15 minutes\n\n1. Back\n"
    back = a_plan(understood, text).rollback
    assert back is not None
    assert back.stated_s == 900.0


def test_a_list_under_a_plain_item_is_read_too(understood: Reader) -> None:
    text = f"{EXPLICIT}## Deploy\n- Workers\n  - [ ] Stop\n- Colour: red\n- Owenr: ana\n"
    assert codes(understood, text) == ["GN312"]


def test_paragraphs_and_quotations_of_a_phase(understood: Reader) -> None:
    text = (
        f"{EXPLICIT}## Deploy\n- [ ] x\n  text with **Owner**: ana\n\nOwner: ben\n\n> Timeout: 5m\n\n"  # noqa: E501
        "> Said somebody\n>\n> <!-- - [ ] y -->\n\nOwenr: cleo\n"
    )
    found = understood(text)
    assert [d.code for d in found.diagnostics if d.severity.value == "error"] == ["GN312"]


def test_a_lead_in_inside_a_section_that_has_words_of_its_own(understood: Reader) -> None:
    text = f"{WATCH}### High error rate\n\nAny of these for 10 minutes:\n\n- > 1%\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.condition.predicates[0].metric == "error rate"
    assert rule.condition.window is not None
    assert rule.condition.window.seconds == 600


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["- **P0**: error rate > 20%"], [(Consequence.P0, None)]),
        (["- P1 (2 h): error rate > 5%"], [(Consequence.P1, 7_200)]),
        (["- P2 - Medium: error rate > 2%"], [(Consequence.P2, None)]),
        (["- Low priority (P3): error rate > 1%"], [(Consequence.P3, None)]),
        (
            ["- P2: error rate > 2%", "- P2 (1 h): error rate > 3%", "- P2: fix within 12 hours"],
            [(Consequence.P2, 43_200), (Consequence.P2, 3_600)],
        ),
        (["- P1: fix within 1 h", "- P1: error rate > 5%"], [(Consequence.P1, 3_600)]),
    ],
    ids=["p0", "clock", "level", "level-first", "severity-clock", "severity-clock-first"],
)
def test_severities_with_numbers_and_their_clocks(
    understood: Reader, lines: list[str], expected: list[tuple[Consequence, float | None]]
) -> None:
    plan = a_plan(understood, "\n".join([WATCH, "### Alerts", *lines, ""]))
    assert [(rule.consequence, rule.within_s) for rule in plan.rules] == expected


def test_a_heading_gives_its_severity_and_its_clock(understood: Reader) -> None:
    text = f"{WATCH}### Alerts\n#### P1 (4 h)\n- error rate > 5%\n"
    (rule,) = a_plan(understood, text).rules
    assert (rule.consequence, rule.within_s) == (Consequence.P1, 14_400)


def test_a_column_gives_the_clock(understood: Reader) -> None:
    text = (
        f"{WATCH}\n| Metric | Threshold | Severity | Fix within |\n|-|-|-|-|\n"
        "| Error rate | > 5% | P1 | 3 hours |\n| Error rate | > 9% | P1 (1 h) | |\n"
    )
    assert [rule.within_s for rule in a_plan(understood, text).rules] == [10_800, 3_600]


def test_a_trigger_has_no_clock(understood: Reader) -> None:
    text = f"{WATCH}### Rollback triggers\n- P1 (4 h): error rate > 5%\n"
    (rule,) = a_plan(understood, text).rules
    assert (rule.consequence, rule.within_s) == (Consequence.ROLLBACK, None)


_TABLE = 'sql: db, rows: "SELECT b, v, n FROM t", at: b, value: v, count: n, unit: ms'
OWN_FIGURES = (
    "---\ngonogo: 1\ntargets:\n  db: postgresql://db.internal/app\n  prom: http://prom.internal\n"
    "metrics:\n"
    f"  p99: {{{_TABLE}, stat: p99}}\n"
    f"  table: {{{_TABLE}, stat: p95}}\n"
    "  p95 latency: {prometheus: prom, query: q, unit: ms}\n"
    "  response time: {log: a.jsonl, value: ms, unit: ms}\n"
    "---\n\n## Deploy\n- [ ] x\n## Monitoring\n### Alerts\n"
)


@pytest.mark.parametrize(
    ("line", "metric", "stat"),
    [
        pytest.param("P99 > 2s", "p99", None, id="named-by-its-statistic"),
        pytest.param("P95 latency > 500ms", "p95 latency", None, id="statistic-in-front-of-a-name"),
        pytest.param("latency p95 > 500ms", "p95 latency", None, id="statistic-behind-a-name"),
        pytest.param("table > 500ms", "table", None, id="the-statistic-of-the-source"),
        pytest.param("table p95 > 500ms", "table", "p95", id="the-statistic-said-again"),
        pytest.param(
            "response time p99 > 2s", "response time", "p99", id="worked-out-from-samples"
        ),
    ],
)
def test_a_figure_that_its_source_works_out_is_bound_by_its_name(
    understood: Reader, line: str, metric: str, stat: str | None
) -> None:
    (rule,) = a_plan(understood, f"{OWN_FIGURES}- Page: {line} for 2 buckets\n").rules
    predicate = rule.condition.predicates[0]
    assert (predicate.metric, predicate.stat) == (metric, stat)


def test_a_statistic_alone_means_the_only_source_that_gives_it(understood: Reader) -> None:
    text = OWN_FIGURES.replace("  response time: {log: a.jsonl, value: ms, unit: ms}\n", "")
    text = text.replace("  p95 latency: {prometheus: prom, query: q, unit: ms}\n", "")
    (rule,) = a_plan(understood, f"{text}- Page: P95 > 2s for 2 buckets\n").rules
    assert rule.condition.predicates[0].metric == "table"


def test_a_statistic_that_the_source_does_not_give_is_a_mistake(understood: Reader) -> None:
    assert "GN347" in codes(understood, f"{OWN_FIGURES}- Page: table p99 > 2s for 2 buckets\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("Page: response time p99 > 2s for 2 buckets",
                     "page if response time p99 > 2 s for 2 buckets", id="in-canonical-words"),
        pytest.param("Warn: response time > 2s for 2 buckets",
                     "warn if response time avg > 2 s for 2 buckets", id="with-its-statistic"),
        pytest.param("P1 (2 h): error rate > 2%",
                     "p1 if error rate > 2 %, for one full bucket (no window is written),"
                     " mended within 2 hours", id="with-window-and-clock"),
    ],
)  # fmt: skip
def test_a_rule_is_shown_as_it_was_understood(understood: Reader, line: str, said: str) -> None:
    read = understood(f"{WATCH}### Alerts\n- {line}\n")
    found = [meaning.detail for meaning in read.meanings if meaning.what == "rule"]
    assert found == [said]


def test_a_table_may_hold_a_whole_condition_in_each_row(understood: Reader) -> None:
    text = (
        f"{WATCH}### Alert rules\n\n| Severity | Condition | Channel |\n|-|-|-|\n"
        "| Warning | P95 > 600ms for 2 buckets | Slack |\n"
        "| Page | P99 > 1200ms or error rate > 2% for 2 buckets | PagerDuty |\n"
        "| Critical | - | PagerDuty |\n"
        "\n### Rollback triggers\n\n| Trigger | Action |\n|-|-|\n"
        "| Error rate > 1% for 2 buckets | Roll back, then page the owner |\n"
    )
    rules = a_plan(understood, text).rules
    assert [(rule.consequence, rule.condition.window.count) for rule in rules] == [  # type: ignore[union-attr]
        (Consequence.WARN, 2), (Consequence.PAGE, 2), (Consequence.ROLLBACK, 2),
    ]  # fmt: skip
    assert len(rules[1].condition.predicates) == 2


def test_a_row_of_triggers_without_a_figure_is_asked_of_a_person(understood: Reader) -> None:
    text = f"{WATCH}### Rollback triggers\n\n| Trigger | Who |\n|-|-|\n| Error rate > 1% | - |\n| Data is lost | CTO |\n"  # noqa: E501
    plan = a_plan(understood, text)
    assert len(plan.rules) == 1
    assert "Data is lost" in {step.title for step in plan.steps()}


@pytest.mark.parametrize("head", ["Metric", "What"])
def test_a_bare_limit_in_a_table_takes_the_name_beside_it(understood: Reader, head: str) -> None:
    text = f"{WATCH}### Alerts\n\n| {head} | When | Who |\n|-|-|-|\n| Error rate | > 5% for 2 buckets | ana |\n"  # noqa: E501
    (rule,) = a_plan(understood, text).rules
    assert rule.condition.predicates[0].metric == "error rate"


def test_a_measurement_window_is_a_window(understood: Reader) -> None:
    text = f"{WATCH}### SLOs\n\n| SLO | Objective | Measurement window |\n|-|-|-|\n| Error rate | < 1% | 2 buckets |\n"  # noqa: E501
    (rule,) = a_plan(understood, text).rules
    assert rule.condition.window is not None
    assert rule.condition.window.count == 2


def test_who_asks_for_a_drill_in_words_is_shown_the_block(understood: Reader) -> None:
    text = f"{EXPLICIT}## Pre-deployment\n- [ ] x\n- require drill within 30 days\n"
    found = understood(text).diagnostics
    (wrong,) = [d for d in found if d.code == "GN330"]
    assert "check: drill" in wrong.hint


@pytest.mark.parametrize(
    ("heading", "line", "consequence"),
    [
        pytest.param("Alerts", "Warn if p95 > 1s", Consequence.WARN, id="warn-if"),
        pytest.param("Alerts", "Critical when p95 > 1s", Consequence.CRITICAL, id="critical-when"),
        pytest.param("Alerts", "Notify the team if p95 > 1s", Consequence.WARN, id="notify"),
        pytest.param("Alerts", "Page on-call when p95 > 1s", Consequence.PAGE, id="page-when"),
        pytest.param("Alerts", "Roll back if p95 > 1s", Consequence.ROLLBACK, id="roll-back-if"),
        pytest.param("Alerts", "p95 > 1s → warn the team", Consequence.WARN, id="arrow"),
        pytest.param("Alerts", "p95 > 1s → call support", Consequence.PAGE, id="other-arrow"),
        pytest.param("Alerts", "SEV1: p95 > 1s", Consequence.CRITICAL, id="sev1"),
        pytest.param("Alerts", "Low: p95 > 1s", Consequence.WARN, id="low"),
        pytest.param("Alerts", "Alert if p95 > 1s", Consequence.PAGE, id="no-severity"),
        pytest.param("Objectives", "p95 < 1s → page if missed", Consequence.OBJECTIVE,
                     id="an-objective-stays-one"),
        pytest.param("Rollback triggers", "Page if p95 > 1s", Consequence.ROLLBACK,
                     id="a-trigger-stays-one"),
    ],
)  # fmt: skip
def test_what_a_line_orders_is_what_its_rule_does(
    understood: Reader, heading: str, line: str, consequence: Consequence
) -> None:
    text = f"{WATCH}### {heading}\n- {line}\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is consequence


def test_a_range_and_a_normal_value_in_a_table_are_bounds(understood: Reader) -> None:
    text = (
        f"{WATCH}### Objectives\n\n| Metric | Normal | Warning | Critical |\n|-|-|-|-|\n"
        "| Response time p95 | < 300ms | 300-600ms | > 600ms |\n"
    )
    assert [rule.condition.predicates[0].say() for rule in a_plan(understood, text).rules] == [
        "response time p95 < 300 ms",
        "response time p95 between 300 ms and 600 ms",
        "response time p95 > 600 ms",
    ]
