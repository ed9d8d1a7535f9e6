"""How long a phase takes and what it hangs on, with steps in the background."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.works import a_phase, a_plan, a_step

from gonogo.plan.model import Step
from gonogo.plan.route import critical_path, estimated_s


def step(name: str, estimate_s: float | None, **more: Any) -> Step:
    return replace(a_step(name), estimate_s=estimate_s, **more)


@pytest.mark.parametrize(
    ("steps", "seconds", "path"),
    [
        pytest.param([step("a", 10), step("b", 5)], 15, "ab", id="one-after-another"),
        pytest.param(
            [step("a", 10, background=True), step("b", 30)], 30, "b", id="outlasted-by-the-rest"
        ),
        pytest.param(
            [step("a", 60, background=True), step("b", 30)], 60, "ab", id="the-gate-waits-for-it"
        ),
        pytest.param(
            [step("a", 20, background=True), step("b", 5), step("c", 5, needs=("a",))],
            25,
            "abc",
            id="a-later-step-needs-it",
        ),
        pytest.param([step("a", None), step("b", None)], None, "", id="nothing-is-stated"),
    ],
)
def test_what_a_phase_takes(steps: list[Step], seconds: float | None, path: str) -> None:
    phase = a_phase("deploy", *steps)
    assert estimated_s(phase) == seconds
    assert "".join(s.id for s in critical_path(a_plan(phase))) == path
