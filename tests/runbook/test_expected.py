"""What is expected of a step: its words, its comments or the default, and what nobody judges."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, SHELL, a_plan, codes
from tests.runbook.conftest import Reader

from gonogo.errors import Severity


def test_a_block_without_an_expectation_gets_the_printed_default(understood: Reader) -> None:
    found = understood(EXPLICIT + "## Deploy\n- [ ] Go\n" + SHELL)
    assert found.plan is not None
    (expectation,) = next(found.plan.steps()).expect
    assert expectation.default
    assert any(m.what == "default" and "exit code = 0" in m.detail for m in found.meanings)


def test_an_expectation_in_a_comment_is_never_dropped(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  ./go  # Expected: 403\n  ```\n"
    assert codes(understood, EXPLICIT + body) == ["GN335"]
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expected: 403",)
    assert [(e.condition.say(), e.default) for e in step.expect] == [("exit code = 0", True)]


def test_words_that_are_no_condition_do_not_replace_the_default(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  ./go\n  ```\n\n  - Expect: it looks right\n"
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expect: it looks right",)
    assert [(e.condition.say(), e.default) for e in step.expect] == [("exit code = 0", True)]


def test_a_kind_without_a_default_leaves_the_prose_to_a_person(understood: Reader) -> None:
    body = "## Smoke tests\n- [ ] Go\n\n  ```sql\n  SELECT 1 -- Expected: one row\n  ```\n"
    step = next(a_plan(understood, body).steps())
    assert step.notes == ("Expected: one row",)
    assert step.expect == ()
    assert codes(understood, body) == ["GN335"]


ASKING = "## Smoke tests\n- [ ] Go\n\n  ```bash\n  true\n  ./ask\n  ```\n"


@pytest.mark.parametrize("front", [EXPLICIT, ""], ids=["explicit", "assisted"])
@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ("", ["GN509"]),
        ("\n  - Expect: exit code = 0\n", ["GN509"]),
        ("\n  - Expect: duration < 5s\n", ["GN509"]),
        ('\n  - Expect: output = "t"\n', []),
        ("\n  - Expect: exit code = 0\n  - Expect: lines > 1\n", []),
        ("\n  - Record: output as answer\n", []),
    ],
)
def test_an_answer_that_is_only_printed_is_worth_a_warning_unless_somebody_judges_it(
    understood: Reader, front: str, more: str, warned: list[str]
) -> None:
    found = understood(front + ASKING + more)
    assert [d.code for d in found.diagnostics] == warned
    if warned:
        assert found.diagnostics[0].span.line == front.count("\n") + 6
        assert found.diagnostics[0].severity is Severity.WARNING


def test_prose_that_a_person_judges_is_enough_for_an_answer_that_is_only_printed(
    understood: Reader,
) -> None:
    assert codes(understood, ASKING.replace("./ask", "./ask  # Expected: t")) == ["GN335"]


@pytest.mark.parametrize("block", ["`./ask`", "\n\n     ```bash\n     ./ask\n     ```"])
def test_an_unless_whose_answer_nobody_judges_is_worth_a_warning(
    understood: Reader, block: str
) -> None:
    text = "## Deploy\n1. Go\n\n   ```bash\n   ./go\n   ```\n\n   - Unless: "
    assert codes(understood, EXPLICIT + text + block + "\n") == ["GN509"]


def test_bounds_in_the_comments_of_a_block_are_never_dropped(understood: Reader) -> None:
    body = "## Load tests\n\n```bash\n./load\n# - P95 < 500ms\n```\n"
    assert codes(understood, EXPLICIT + body) == ["GN335"]


def test_a_list_after_expected_belongs_to_the_block_before(understood: Reader) -> None:
    body = "## Smoke tests\n```bash\n./go\n```\n\nExpected results:\n\n- Home: 200\n- Admin: 403\n"
    assert next(a_plan(understood, body).steps()).notes == (
        "Expected: Home: 200",
        "Expected: Admin: 403",
    )
    assert codes(understood, EXPLICIT + body) == ["GN335", "GN335"]
