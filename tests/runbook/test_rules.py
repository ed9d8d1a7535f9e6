"""What a line about a figure becomes: an objective, an alert, a trigger, or a question."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, METRICS, a_plan
from tests.runbook.conftest import Reader

from gonogo.errors import Severity
from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence


def test_critical_in_front_of_a_bound_is_a_severity_and_not_a_directive(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- **Critical**: error rate > 5% for 1 bucket\n"
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is Consequence.CRITICAL


@pytest.mark.parametrize(
    ("heading", "line", "consequence"),
    [
        pytest.param("Objectives", "- Error rate < 1%", Consequence.OBJECTIVE, id="objective"),
        pytest.param("Alerts", "- Warn: error rate > 1%", Consequence.WARN, id="warn"),
        pytest.param("Alerts", "- error rate > 1%", Consequence.PAGE, id="alert-without-word"),
        pytest.param("Red flags", "- error rate > 1%", Consequence.PAGE, id="red-flag"),
        pytest.param("Rollback triggers", "- error rate > 1%", Consequence.ROLLBACK, id="trigger"),
        pytest.param(
            "Rollback triggers", "- [ ] Page: error rate > 1%", Consequence.ROLLBACK, id="as-box"
        ),
        pytest.param(
            "Success criteria", "- Error rate < 1%", Consequence.OBJECTIVE, id="criterion"
        ),
        pytest.param("Alerts", "> error rate > 1%", None, id="quotation-is-an-example"),
    ],
)
def test_polarity_comes_from_the_section(
    understood: Reader, heading: str, line: str, consequence: Consequence | None
) -> None:
    text = f"{METRICS}## Deploy\n- [ ] x\n## Monitoring\n### {heading}\n\n{line}\n"
    rules = a_plan(understood, text).rules
    assert [r.consequence for r in rules] == ([consequence] if consequence else [])


def test_a_lead_in_gives_its_window_and_polarity_to_its_list(understood: Reader) -> None:
    text = (
        METRICS + "## Deploy\n- [ ] x\n## Monitoring\n"
        "Roll back if any of these holds for 10 minutes:\n\n- error rate > 5%\n"
    )
    (rule,) = a_plan(understood, text).rules
    assert rule.consequence is Consequence.ROLLBACK
    assert rule.condition.window is not None
    assert rule.condition.window.seconds == 600
    assert not rule.defaulted


def test_a_rule_without_a_window_says_so(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- error rate > 5%\n"
    found = understood(text)
    assert found.plan is not None
    assert found.plan.rules[0].defaulted
    assert [d.code for d in found.diagnostics] == ["GN334"]


def test_a_statistic_alone_means_the_only_metric_with_a_distribution(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Alerts\n- P99 > 2s for 2 buckets\n"
    assert a_plan(understood, text).rules[0].condition.predicates[0].metric == "response time"


def test_an_unbound_metric_is_an_error_with_the_nearest_name_or_a_question(
    understood: Reader,
) -> None:
    body = "## Deploy\n- [ ] x\n## Alerts\n- eror rate > 5% for 2 buckets\n"
    (found,) = understood(METRICS + body).diagnostics
    assert (found.code, found.severity) == ("GN340", Severity.ERROR)
    assert "`error rate`" in found.hint
    plan = a_plan(understood, body)
    assert plan.phases[-1].steps[-1].notes == ("Must not be: eror rate > 5% for 2 buckets (page)",)


@pytest.mark.parametrize("front", [EXPLICIT, ""], ids=["explicit", "assisted"])
@pytest.mark.parametrize("second", ["Watch for 4 hours", "Monitoring for 2 hours"])
def test_a_trigger_without_a_figure_is_asked_in_every_watch(
    understood: Reader, front: str, second: str
) -> None:
    text = (
        "## Deploy\n- [ ] x\n## Watch for 1 hour\n- [ ] y\n"
        f"## Smoke tests\n- [ ] z\n## {second}\n- [ ] w\n"
        "## Rollback\n### Triggers\n- Data loss\n- Data leak\n### Back\n- [ ] v\n"
    )
    found = understood(front + text)
    assert [d for d in found.diagnostics if d.code in ("GN323", "GN338")] == []
    plan = a_plan(understood, front + text)
    asked = [[s.title for s in p.steps if s.notes] for p in plan.phases]
    assert asked == [[], ["Data loss", "Data leak"], [], ["Data loss", "Data leak"]]
    names = [s.id for s in plan.steps()]
    assert len(set(names)) == len(names)
    assert "rollback/triggers/data-loss" in names  # as in a runbook with one watch


def test_a_trigger_without_a_figure_is_asked_of_a_person(understood: Reader) -> None:
    text = (
        METRICS
        + "## Deploy\n- [ ] x\n## Monitoring\n- [ ] y\n## Rollback\n### Triggers\n- Data loss\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[-1].role is Role.WATCH
    assert plan.phases[-1].steps[-1].notes == ("Must not be: Data loss (rollback)",)
    assert plan.rollback is None


def test_a_sign_off_box_with_a_figure_is_a_rule_and_a_question(understood: Reader) -> None:
    text = METRICS + "## Deploy\n- [ ] x\n## Sign-off\n- [ ] Error rate < 0.1%\n"
    plan = a_plan(understood, text)
    assert [r.consequence for r in plan.rules] == [Consequence.OBJECTIVE]
    assert plan.phases[-1].steps[0].expect[0].condition.text == "Error rate < 0.1%"


def test_a_question_about_something_bad_expects_nothing(understood: Reader) -> None:
    plan = a_plan(understood, "## Deploy\n- [ ] x\n## Red flags\n- Error rate > 5%\n")
    question = plan.phases[-1].steps[-1]
    assert (question.expect, question.notes) == ((), ("Must not be: Error rate > 5% (page)",))
