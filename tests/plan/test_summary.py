from __future__ import annotations

import json

from gonogo.plan.kinds import Destruction, Effect, Role
from gonogo.plan.model import Mode, Option, Phase, Plan, Rollback, Step
from gonogo.plan.summary import plan_summary
from gonogo.source import Source, Span


def a_step(name: str, line: int, **more: object) -> Step:
    return Step(name, name.title(), Span.of_line(line), ("Top",), Effect.CHECK, **more)


def a_plan(*phases: Phase, rollback: Rollback | None = None) -> Plan:
    source = Source("deploy.md", "")
    return Plan("T", "s", Mode.EXPLICIT, source, phases, rollback, (), (), (), {}, (), (), ())


def a_phase(*steps: Step, estimate_s: float | None = None) -> Phase:
    return Phase("smoke", "Smoke tests", Role.VERIFY, Span.of_line(9), steps, estimate_s)


def test_every_step_is_named_with_its_line():
    steps = (
        a_step("one", 10, critical=True, claimed=True, owner="ben", estimate_s=3.0),
        a_step("two", 12),
    )
    (phase,) = plan_summary(a_plan(a_phase(*steps)))["phases"]
    assert (phase["id"], phase["role"], phase["line"]) == ("smoke", "verify", 9)
    assert phase["estimate_s"] is None
    assert phase["steps"][0] == {
        "id": "one",
        "title": "One",
        "line": 10,
        "effect": "check",
        "critical": True,
        "claimed": True,
        "owner": "ben",
        "estimate_s": 3.0,
    }


def test_a_phase_without_an_estimate_has_the_sum_of_its_steps():
    steps = (a_step("one", 1, estimate_s=3.0), a_step("two", 2, estimate_s=4.0))
    (phase,) = plan_summary(a_plan(a_phase(*steps)))["phases"]
    assert phase["estimate_s"] == 7.0
    (phase,) = plan_summary(a_plan(a_phase(*steps, estimate_s=20.0)))["phases"]
    assert phase["estimate_s"] == 20.0


def test_the_ways_back_are_named_and_what_they_destroy():
    loss = Destruction("DROP TABLE x", "x", Span.of_line(4))
    option = Option("o", "Option", Span.of_line(3), (a_step("r", 4, destroys=(loss,)),), 60.0)
    back = Rollback("rollback", Span.of_line(2), (option,), (a_step("p", 6),), stated_s=90.0)
    summary = plan_summary(a_plan(rollback=back))
    assert summary["rollback"]["stated_s"] == 90.0
    assert summary["rollback"]["options"][0]["destructive"] is True
    assert summary["rollback"]["options"][0]["stated_s"] == 60.0
    assert [step["id"] for step in summary["rollback"]["proof"]] == ["p"]
    assert json.loads(json.dumps(summary)) == summary


def test_a_plan_without_a_rollback_says_so():
    assert plan_summary(a_plan())["rollback"] is None
