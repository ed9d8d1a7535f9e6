"""Which headings begin a phase, what its role is, and how long a watch lasts."""

from __future__ import annotations

from tests.runbook.books import EXPLICIT, SHELL, a_plan, codes
from tests.runbook.conftest import Reader

from gonogo.plan.kinds import Role


def test_a_sub_heading_of_another_role_is_a_phase_of_its_own(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deployment\n### Apply\n- [ ] a\n### Smoke tests\n- [ ] b\n### Clean up\n- [ ] c\n"
    )
    plan = a_plan(understood, text)
    assert [(p.role, p.title) for p in plan.phases] == [
        (Role.DEPLOY, "Deployment"),
        (Role.VERIFY, "Smoke tests"),
        (Role.DEPLOY, "Clean up"),
    ]
    assert [s.id for s in plan.steps()] == [
        "deployment/apply/a",
        "smoke-tests/b",
        "deployment/clean-up/c",
    ]


def test_phase_settles_what_words_cannot(understood: Reader) -> None:
    plan = a_plan(understood, EXPLICIT + "## The big day\n\n- Phase: deploy\n\n- [ ] a\n")
    assert plan.phases[0].role is Role.DEPLOY


def test_reference_sections_are_never_carried_out(understood: Reader) -> None:
    text = (
        "# Release\n## Deploy\n- [ ] a\n## Troubleshooting\n### Deploy again\n```bash\ntail -f x\n```\n"  # noqa: E501
        "- [ ] not asked\n## Quick reference\n1. b\n"
    )
    found = understood(text)
    assert found.plan is not None
    assert [s.title for s in found.plan.steps()] == ["a"]
    assert found.diagnostics == ()


def test_a_strange_heading_with_a_runnable_step_is_a_mistake(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] a\n## Fiddling\n- [ ] b\n" + SHELL
    assert codes(understood, text) == ["GN324"]


def test_a_strange_heading_with_boxes_goes_on_with_the_phase_before_when_assisted(
    understood: Reader,
) -> None:
    plan = a_plan(
        understood, "## Pre-deployment\n- [ ] a\n## Ownership\n- [ ] b\n## Rollout\n- [ ] c\n"
    )
    assert [p.role for p in plan.phases] == [Role.PREFLIGHT, Role.PREFLIGHT, Role.DEPLOY]


def test_a_watch_lasts_as_long_as_its_heading_says(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy (10 min)\n- [ ] a\n## Watch for 2 hours in 1-minute buckets\n- [ ] b\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[0].estimate_s == 600.0
    assert (plan.phases[1].span_s, plan.phases[1].estimate_s) == (7200.0, None)
    assert plan.settings["bucket"] == "60"


def test_a_numbered_command_as_heading_stays_in_its_phase(understood: Reader) -> None:
    text = EXPLICIT + "## Deployment\n### 1. Monitor the queue\n```bash\n./queue\n```\n"
    assert [p.role for p in a_plan(understood, text).phases] == [Role.DEPLOY]
