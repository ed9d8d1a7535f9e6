"""What a rollback section becomes: its options, what they destroy, and their proof."""

from __future__ import annotations

from tests.runbook.books import EXPLICIT, a_plan
from tests.runbook.conftest import Reader

from gonogo.plan.kinds import Role


def test_options_of_a_rollback_and_its_proof(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy\n- [ ] x\n## Rollback\n### 1. Previous release (2 min)\n```bash\n./back\n```\n"
        "### 2. Empty the disk\n```bash\nrm -rf data\n```\n- No dump: old\n"
        "### Verify\n- [ ] Old page\n"
    )
    back = a_plan(understood, text).rollback
    assert back is not None
    assert [(o.title, o.stated_s, o.destructive) for o in back.options] == [
        ("Previous release (2 min)", 120.0, False),
        ("Empty the disk", None, True),
    ]
    assert [s.title for s in back.proof] == ["Old page"]
    assert back.options[1].steps[0].destroys[0].span.line == 14


def test_a_rollback_without_sub_headings_is_one_option(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] x\n## Rollback\n1. Stop\n2. Back\n"
    back = a_plan(understood, text).rollback
    assert back is not None
    assert [[s.title for s in o.steps] for o in back.options] == [["Stop", "Back"]]


def test_rollback_plan_documented_is_only_a_question(understood: Reader) -> None:
    plan = a_plan(understood, "## Pre-deployment\n### Rollback\n- [ ] Rollback plan documented\n")
    assert plan.rollback is None
    assert plan.phases[0].role is Role.PREFLIGHT


def test_what_is_done_by_hand_is_destructive_all_the_same(understood: Reader) -> None:
    text = "## Deploy\n- [ ] x\n## Rollback\n```bash\nrm -rf data\ntail -f x\n```\n"
    back = a_plan(understood, text).rollback
    assert back is not None
    assert back.options[0].steps[0].block is None
    assert back.options[0].destructive
