"""What must come before what, and from where no written way leads back."""

from __future__ import annotations

import pytest
from tests.runbook.books import EXPLICIT, SHELL, a_plan, codes
from tests.runbook.conftest import Reader

from gonogo.plan.route import no_return


def _deploy(*steps: str) -> str:
    return EXPLICIT + "## Deployment\n" + "".join(steps)


def _step(name: str, *lines: str) -> str:
    return f"- [ ] {name}\n" + "".join(f"  - {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        pytest.param("Take a dump", ("pre-deployment/take-a-dump",), id="title"),
        pytest.param("`take a DUMP`.", ("pre-deployment/take-a-dump",), id="other-letters"),
        pytest.param("pre-deployment/take-a-dump", ("pre-deployment/take-a-dump",), id="identity"),
        pytest.param("awake", ("awake",), id="name"),
        pytest.param(
            "Take a dump, awake", ("pre-deployment/take-a-dump", "awake"), id="list-with-comma"
        ),
        pytest.param("awake and Take a dump", ("awake", "pre-deployment/take-a-dump"), id="and"),
        pytest.param("Lock and load", ("pre-deployment/lock-and-load",), id="title-with-and"),
        pytest.param(
            "Pre-deployment",
            ("pre-deployment/take-a-dump", "awake", "pre-deployment/lock-and-load",
             "pre-deployment/workers/one", "pre-deployment/workers/two"),
            id="phase",
        ),
        pytest.param(
            "Workers", ("pre-deployment/workers/one", "pre-deployment/workers/two"), id="group"
        ),
    ],
)  # fmt: skip
def test_needs_are_found_by_any_name(understood: Reader, said: str, ids: tuple[str, ...]) -> None:
    before = (
        _step("Take a dump")
        + _step("Ana is there", "Name: awake")
        + _step("Lock and load")
        + "- [ ] Workers\n  - [ ] One\n  - [ ] Two\n"
    )
    text = f"{EXPLICIT}## Pre-deployment\n{before}## Deployment\n" + _step("Go", f"Needs: {said}")
    assert a_plan(understood, text).phases[1].steps[0].needs == ids


def test_a_list_under_needs(understood: Reader) -> None:
    text = _deploy(_step("A"), _step("B"), _step("C", "Needs:\n    - A\n    - B"))
    assert a_plan(understood, text).phases[0].steps[2].needs == ("deployment/a", "deployment/b")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        pytest.param([_step("A", "Needs: A")], "GN403", id="itself"),
        pytest.param([_step("A", "Needs: B"), _step("B", "Needs: A")], "GN403", id="two"),
        pytest.param(
            [_step("A", "Needs: C"), _step("B", "Needs: A"), _step("C", "Needs: B")],
            "GN403",
            id="three",
        ),
        pytest.param([_step("A", "Needs: B"), _step("B")], "GN404", id="later"),
        pytest.param([_step("A", "Needs: Deployment")], "GN403", id="its-own-phase"),
    ],
)
def test_what_can_never_start(understood: Reader, steps: list[str], code: str) -> None:
    assert codes(understood, _deploy(*steps)) == [code]


def test_a_cycle_through_a_phase_names_its_lines(understood: Reader) -> None:
    text = (
        f"{EXPLICIT}## Deployment\n\n- Needs: Smoke tests\n\n{_step('A')}"
        f"## Smoke tests\n{_step('B', 'Needs: Deployment')}"
    )
    (found,) = understood(text).diagnostics
    assert found.code == "GN403"
    assert "line 5" in found.message
    assert "line 11" in found.message


def test_a_long_chain_is_no_deep_recursion(understood: Reader) -> None:
    steps = [_step("S0"), *(_step(f"S{n}", f"Needs: S{n - 1}") for n in range(1, 2000))]
    assert understood(_deploy(*steps)).plan is not None


@pytest.mark.parametrize(
    ("text", "title"),
    [
        pytest.param(_deploy(_step("A")), "A", id="done-by-hand"),
        pytest.param(_deploy("- [ ] A\n" + SHELL), "A", id="no-way-back"),
        pytest.param(_deploy("- [ ] A\n" + SHELL + "\n  - Undo: `./b`\n"), None, id="undo"),
        pytest.param(
            _deploy("- [ ] A\n" + SHELL) + "## Rollback\n- [ ] Back\n", None, id="rollback-section"
        ),
        pytest.param(
            _deploy("- [ ] A\n" + SHELL.replace("./go", "rm -rf x") + "\n  - No dump: old\n")
            + "## Rollback\n- [ ] Back\n",
            "A",
            id="destroys-something",
        ),
    ],
)
def test_the_point_of_no_return(understood: Reader, text: str, title: str | None) -> None:
    found = no_return(a_plan(understood, text))
    assert (found.step.title if found else None) == title


def test_a_ticket_that_is_required_is_not_dropped_silently(understood: Reader) -> None:
    for word in ("Requires", "Blocked by", "Depends on"):
        text = f"---\ngonogo: 1\n---\n# X\n## Deploy\n1. a\n   - {word}: TICKET-11\n"
        (wrong,) = [d for d in understood(text).diagnostics if d.code == "GN401"]
        assert "check: run" in wrong.hint
