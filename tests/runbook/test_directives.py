"""What the lines below a step and the options of its block say about it."""

from __future__ import annotations

from tests.runbook.books import EXPLICIT, SHELL, a_plan, a_step
from tests.runbook.conftest import Reader

from gonogo.plan.model import Interrupted, Retry


def test_the_directives_of_a_step_become_typed_values(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Go\n" + SHELL + "\n  - Expect: output = 3\n  - Expect: exit code = 0\n"
        "  - Retry: 4 times every 2s\n  - Timeout: 1h 30m\n  - Owner: ana\n"
        "  - Record: output, exit code\n  - Idempotent: yes\n  - **Estimated time**: 2 minutes\n"
        "  - Parallel: yes\n  - Note: ask Ben\n  - Undo: `./back`\n  - Unless: `test -e done`\n",
    )
    assert [e.condition.text for e in step.expect] == ["output = 3", "exit code = 0"]
    assert step.retry == Retry(4, 2.0)
    assert (step.timeout_s, step.estimate_s) == (5400.0, 120.0)
    assert (step.owner, step.records) == ("ana", ("output", "exit code"))
    assert step.interrupted is Interrupted.RERUN
    assert step.parallel
    assert step.notes == ("Note: ask Ben",)
    assert [b.work.describe() for b in step.undo] == ["./back"]
    assert step.unless is not None
    assert step.unless.block.work.describe() == "test -e done"
    assert step.unless.expect[0].default


def test_directives_go_to_the_block_before_them_and_owners_to_all(understood: Reader) -> None:
    text = (
        EXPLICIT + "## Deploy\n- [ ] Go\n  - Owner: ana\n" + SHELL + "\n  - Timeout: 1m\n\n"
        "  ```bash\n  ./on\n  ```\n\n  - Timeout: 2m\n"
    )
    first, second = a_plan(understood, text).steps()
    assert (first.timeout_s, second.timeout_s) == (60.0, 120.0)
    assert (first.owner, second.owner) == ("ana", "ana")


def test_options_at_the_top_of_a_block_say_the_same_as_directives(understood: Reader) -> None:
    step = a_step(
        understood,
        "- [ ] Go\n\n  ```bash\n  #| expect: output = 3\n  #| timeout: 7s\n  #| cwd: app\n"
        "  ./go\n  ```\n",
    )
    assert [e.condition.text for e in step.expect] == ["output = 3"]
    assert step.timeout_s == 7.0
    assert step.block is not None
    assert ("cwd", "app") in step.block.options


def test_a_name_is_the_identity_whatever_the_headings(understood: Reader) -> None:
    assert a_step(understood, "- [ ] Go\n  - Name: Big Switch\n").id == "big-switch"


def test_lines_with_hard_ends_are_directives_of_their_own(understood: Reader) -> None:
    text = (
        "## Deploy\n**Estimated time**: 2-4 hours  \n**Owner**: ana  \n**Colour**: red\n\n- [ ] x\n"
    )
    plan = a_plan(understood, text)
    assert plan.phases[0].estimate_s == 4 * 3600
    assert plan.phases[0].steps[0].owner == "ana"
