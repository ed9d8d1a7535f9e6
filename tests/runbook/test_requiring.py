"""What a release requires and blocks, written above its steps: needs, questions, information."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, SHELL, a_plan
from tests.runbook.conftest import Reader

from gonogo.errors import Severity
from gonogo.plan.kinds import Effect, Role
from gonogo.plan.model import Plan
from gonogo.plan.summary import plan_summary

PREFLIGHT = "## Pre-deployment\n\n- [ ] Take a dump\n\n"
DEPLOY = f"## Deployment\n\n{{above}}\n1. Switch\n{SHELL}\n"


def asked(plan: Plan) -> list[str]:
    return [s.title for s in plan.steps() if s.title.startswith("Required: ")]


@pytest.mark.parametrize(
    "said",
    [
        "- Requires: ticket SHOP-12, the user guide\n",
        "**Requires:** ticket SHOP-12; the user guide\n",
        "- Blocked by: ticket SHOP-12\n- Depends on: the user guide\n",
        "## Dependencies\n\n**Requires:**\n\n- ticket SHOP-12\n- the user guide\n",
        "## Dependencies\n\n- Requires:\n  - ticket SHOP-12\n  - the user guide\n",
        "## Whatever\n\n**Requires**:\n\n- ticket SHOP-12\n- the user guide\n\n**Blocks:** None\n",
    ],
    ids=["line", "paragraph", "two lines", "label and list", "list under it", "no known heading"],
)
@pytest.mark.parametrize("mode", [EXPLICIT, "# Search\n\n"], ids=["explicit", "assisted"])
def test_what_stands_elsewhere_is_asked_before_the_release(
    understood: Reader, mode: str, said: str
) -> None:
    plan = a_plan(understood, mode + said + "\n" + PREFLIGHT + DEPLOY.format(above=""))
    first = plan.phases[0]
    assert [s.title for s in first.steps] == [
        "Required: ticket SHOP-12",
        "Required: the user guide",
        "Take a dump",
    ]
    assert all(s.critical and s.effect is Effect.MANUAL for s in first.steps[:2])
    notes = [d for d in plan.diagnostics if d.code == "GN418"]
    assert [n.severity for n in notes] == [Severity.NOTE] * 2
    assert all("`check: run`" in n.hint for n in notes)
    assert "blocks" not in plan.settings


def test_without_a_phase_before_the_deployment_the_questions_have_one(understood: Reader) -> None:
    """In the deployment a person's yes would count as something that was changed."""
    text = DEPLOY.format(above="") + f"## Smoke tests\n\n- Requires: ticket 7\n\n1. Look\n{SHELL}\n"
    first, second, _ = a_plan(understood, EXPLICIT + text).phases
    assert (first.id, first.role, second.role) == ("dependencies", Role.PREFLIGHT, Role.DEPLOY)
    assert [step.id for step in first.steps] == ["dependencies/required-ticket-7"]


def test_the_name_of_a_step_above_a_phase_is_a_need_of_the_phase(understood: Reader) -> None:
    above = "- Requires: Take a dump, ticket 7 and the guide\n- Blocked by: Pre-deployment\n"
    plan = a_plan(understood, EXPLICIT + PREFLIGHT + DEPLOY.format(above=above))
    assert asked(plan) == ["Required: ticket 7 and the guide"]
    assert plan.phases[1].needs == ("pre-deployment/take-a-dump", "pre-deployment")


def test_two_steps_joined_by_and_are_two_needs(understood: Reader) -> None:
    before = "## Pre-deployment\n\n- [ ] Take a dump\n- [ ] Call Ana\n\n"
    above = "- Requires: Take a dump and Call Ana\n"
    plan = a_plan(understood, EXPLICIT + before + DEPLOY.format(above=above))
    assert asked(plan) == []
    assert len(plan.phases[1].needs) == 2


def test_a_misspelt_step_is_a_mistake_and_no_question(understood: Reader) -> None:
    above = "- Requires: Take a dunp\n"
    found = understood(EXPLICIT + PREFLIGHT + DEPLOY.format(above=above))
    assert [(d.code, d.hint) for d in found.diagnostics] == [
        ("GN401", "did you mean `Take a dump`?")
    ]


def test_under_a_heading_below_a_phase_it_speaks_of_its_steps(understood: Reader) -> None:
    below = f"### Later\n\n- Requires: Switch, ticket 7\n\n1. Second\n{SHELL}\n"
    plan = a_plan(understood, EXPLICIT + PREFLIGHT + DEPLOY.format(above="") + below)
    second = next(step for step in plan.steps() if step.title == "Second")
    assert second.needs == ("deployment/switch",)
    assert asked(plan) == ["Required: ticket 7"]


def test_under_a_step_it_still_names_a_step(understood: Reader) -> None:
    step = f"1. Second\n   - Requires: nothing known\n{SHELL}\n"
    found = understood(EXPLICIT + DEPLOY.format(above="") + step)
    assert [d.code for d in found.diagnostics] == ["GN401"]


def test_what_is_blocked_is_kept_for_plan_and_evidence(understood: Reader) -> None:
    text = "- Blocks: the mobile release\n\n" + DEPLOY.format(above="- Blocks: indexing\n")
    plan = a_plan(understood, EXPLICIT + text)
    assert plan.settings["blocks"] == "the mobile release; indexing"
    assert plan_summary(plan)["blocks"] == "the mobile release; indexing"
    said = [m.detail for m in plan.meanings if m.what == "blocks"]
    assert said == ["the mobile release", "indexing"]
    assert asked(plan) == []


def test_what_a_step_blocks_is_a_note_of_it(understood: Reader) -> None:
    step = f"1. Second\n   - Blocks: indexing\n{SHELL}\n"
    plan = a_plan(understood, EXPLICIT + DEPLOY.format(above="") + step)
    assert "Blocks: indexing" in [*plan.steps()][1].notes
