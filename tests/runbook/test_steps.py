"""Which shapes on a page are steps, what marks them, what their blocks are, and what is no step."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, SHELL, a_plan, a_step, codes
from tests.runbook.conftest import Reader

from gonogo.plan.kinds import Effect


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        pytest.param("- [ ] Switch it\n" + SHELL, "Switch it", id="box"),
        pytest.param("* [ ] **Switch** it\n" + SHELL, "Switch it", id="box-with-bold-words"),
        pytest.param("1. Switch it\n\n   ```bash\n   ./go\n   ```\n", "Switch it", id="number"),
        pytest.param("- Switch it\n" + SHELL, "Switch it", id="bullet-with-block"),
        pytest.param("### Step 3: Switch it\n```bash\n./go\n```\n", "Switch it", id="step-heading"),
        pytest.param("### 2.1 Switch it\n```bash\n./go\n```\n", "Switch it", id="dotted-heading"),
        pytest.param("**Switch it:**\n\n```bash\n./go\n```\n", "Switch it", id="bold-paragraph"),
        pytest.param("- [ ] Switch it\n\n```bash\n./go\n```\n", "Switch it", id="block-beside-box"),
        pytest.param("```bash\n./go\n```\n", "Deployment", id="block-alone"),
    ],
)
def test_shapes_of_steps_with_a_block(understood: Reader, shape: str, title: str) -> None:
    step = a_step(understood, shape)
    assert step.title == title
    assert step.block is not None
    assert step.block.kind == "shell"
    assert step.effect is Effect.ACTION


@pytest.mark.parametrize(
    ("shape", "claimed", "critical", "optional"),
    [
        pytest.param("- [ ] Ask Ben", False, False, False, id="open"),
        pytest.param("- [x] Ask Ben", True, False, False, id="ticked"),
        pytest.param("✅ Ask Ben", True, False, False, id="emoji"),
        pytest.param("☐ Ask Ben", False, False, False, id="open-emoji"),
        pytest.param("- [ ] ⚠️ Ask Ben", False, True, False, id="warning-sign"),
        pytest.param("- [ ] Ask Ben\n  - Critical: yes", False, True, False, id="directive"),
        pytest.param("- [ ] Ask Ben (optional)", False, False, True, id="optional"),
        pytest.param("- [ ] Ask Ben, if needed", False, False, True, id="if-needed"),
        pytest.param("- [ ] Ask Ben\n  - Optional: yes", False, False, True, id="optional-line"),
    ],
)
def test_marks_of_manual_steps(
    understood: Reader, shape: str, claimed: bool, critical: bool, optional: bool
) -> None:
    step = a_step(understood, shape)
    assert step.effect is Effect.MANUAL
    assert (step.claimed, step.critical, step.optional) == (claimed, critical, optional)


def test_a_box_with_boxes_is_a_group_and_hands_its_marks_down(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] ⚠️ Workers\n  - Owner: ana\n  - [ ] One\n  - [ ] Two\n"
    steps = list(a_plan(understood, text).steps())
    assert [s.title for s in steps] == ["One", "Two"]
    assert all(s.critical and s.owner == "ana" and s.path == ("Deploy", "Workers") for s in steps)


def test_a_box_with_boxes_and_a_block_is_a_step_too(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] Workers\n" + SHELL + "  - [ ] One\n"
    assert [s.title for s in a_plan(understood, text).steps()] == ["Workers", "One"]


def test_the_second_block_of_a_step_needs_the_first(understood: Reader) -> None:
    text = EXPLICIT + "## Deploy\n- [ ] Go\n" + SHELL + "\n" + SHELL.replace("go", "on")
    first, second = a_plan(understood, text).steps()
    assert (first.id, second.id) == ("deploy/go", "deploy/go-2")
    assert second.needs == ("deploy/go",)


def test_a_command_in_the_words_of_a_step_is_not_run(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] Tests pass (`pnpm test`)\n")
    assert found.plan is not None
    assert next(found.plan.steps()).block is None
    assert [d.code for d in found.diagnostics] == ["GN318"]


def test_rows_of_a_checklist_table_are_steps(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n\n| # | Item | Owner | Status |\n|-|-|-|-|\n"
        "| 1 | Freeze | ana | ✅ |\n| 2 | Thaw | - | |\n"
    )
    freeze, thaw = a_plan(understood, text).steps()
    assert (freeze.title, freeze.owner, freeze.claimed) == ("Freeze", "ana", True)
    assert (thaw.title, thaw.owner, thaw.claimed) == ("Thaw", None, False)


def test_boxes_inside_blocks_quotations_and_comments_are_no_steps(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n- [ ] Real\n\n```markdown\n- [ ] Sample\n```\n\n"
        "> - [ ] Quoted\n\n<!--\n- [ ] Hidden\n-->\n"
    )
    found = understood(text)
    assert found.plan is not None
    assert [s.title for s in found.plan.steps()] == ["Real"]
    assert "GN314" in [d.code for d in found.diagnostics]


def test_a_block_that_cannot_run_safely_is_by_hand_only_when_assisted(understood: Reader) -> None:
    found = understood("## Deploy\n1. Look\n\n   ```bash\n   tail -f x\n   ```\n")
    assert found.plan is not None
    step = next(found.plan.steps())
    assert (step.block, step.effect) == (None, Effect.MANUAL)
    assert step.notes == ("By hand only: `tail -f` never ends", "Block: tail -f x")


def test_a_typed_yaml_block_is_bound_to_its_kind(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Port\n\n  ```yaml\n  check: port\n  port: 5432\n  wait: 2m\n  tags: [a, b]\n"
        "  expect: open = true\n  ```\n",
    )
    assert step.block is not None
    assert (step.block.work.port, step.block.work.wait_s) == (5432, 120.0)  # type: ignore[attr-defined]
    assert step.block.work.tags == ("a", "b")  # type: ignore[attr-defined]
    assert [e.condition.text for e in step.expect] == ["open = true"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("port: many", "GN210", id="wrong-type"),
        pytest.param("prot: 1", "GN209", id="unknown-field"),
        pytest.param("wait: soon", "GN210", id="no-duration"),
        pytest.param("port: [", "GN206", id="no-yaml"),
    ],
)
def test_mistakes_in_a_typed_block(understood: Reader, line: str, code: str) -> None:
    text = f"{EXPLICIT}## Deploy\n- [ ] P\n\n  ```yaml\n  check: port\n  {line}\n  ```\n"
    assert codes(understood, text) == [code]


def test_a_step_whose_block_is_left_out_is_no_step(understood: Reader) -> None:
    text = (
        EXPLICIT
        + "## Deploy\n- [ ] a\n- [ ] b\n\n  ```bash {excludeFromRunAll=true}\n  ./b\n  ```\n"
    )
    assert [s.title for s in a_plan(understood, text).steps()] == ["a"]
