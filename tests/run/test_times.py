"""The time of going back beside what the runbook allows and states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.scenes import Stage
from tests.support.works import (
    Scripted,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    an_option,
)

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Role
from gonogo.plan.model import Limit, Plan, Recovery
from gonogo.report.evidence import Outcome, collect
from gonogo.report.json_form import as_json
from gonogo.report.page import Page
from gonogo.report.terminal import rollback_lines
from gonogo.run.times import spoken
from gonogo.source import Span

Staged = Callable[..., Stage]
LINE = Span.of_line(40)


def released(
    made: list[Stage], takes_s: float, *limits: Limit, stated_s: float | None = None
) -> Plan:
    """Return a release that goes back by an action which takes some time."""

    def slow(_context: object) -> dict[str, bool]:
        made[0].clock.wait(takes_s)
        return {"ok": True}

    option = replace(an_option("one", an_action("back", slow)), stated_s=stated_s)
    back = a_rollback(option, proof=[a_step("old")])
    return a_plan(
        a_phase("deploy", an_action("ship"), role=Role.DEPLOY),
        a_phase("smoke", a_step("home", Scripted("home", ({"ok": False},)))),
        rollback=back,
        recovery=Recovery(limits=limits),
    )


def gone_back(
    stage: Staged, takes_s: float, *limits: Limit, stated_s: float | None = None
) -> Stage:
    made: list[Stage] = []
    made.append(stage(plan=released(made, takes_s, *limits, stated_s=stated_s)))
    assert made[0].run()["exit_code"] == 4
    return made[0]


def held(made: Stage) -> dict[str, object]:
    found = made.events("verdict.given")[0].body["recovery"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("takes_s", "strict", "status", "says"),
    [
        pytest.param(960, False, "fail", "recovery took 16 min, at most 15 min", id="too long"),
        pytest.param(900, False, "pass", "recovery took 15 min, at most 15 min", id="just in time"),
        pytest.param(900, True, "fail", "recovery took 15 min, less than 15 min", id="strict"),
        pytest.param(899, True, "pass", "recovery took 14 min 59 s, less than 15 min", id="below"),
    ],
)
def test_a_bound_is_a_finding_and_the_run_is_rolled_back_all_the_same(
    stage: Staged, takes_s: float, strict: bool, status: str, says: str
):
    made = gone_back(stage, takes_s, Limit(900, strict, LINE))
    (event,) = made.events("recovery.judged")
    finding = Finding.from_json(event.body)
    assert (finding.status.value, finding.actual, finding.line) == (status, says, 40)
    assert (held(made)["status"], held(made)["says"]) == (status, says)
    assert (held(made)["took_s"], held(made)["limit_s"]) == (takes_s, 900)
    evidence = collect(made.events())
    assert evidence.outcome is Outcome.ROLLED_BACK


def test_of_several_bounds_the_tightest_counts(stage: Staged):
    made = gone_back(stage, 400, Limit(900, False, LINE), Limit(300, False, Span.of_line(7)))
    assert held(made)["says"] == "recovery took 6 min 40 s, at most 5 min"
    assert held(made)["line"] == 7


def test_without_a_bound_there_is_no_finding(stage: Staged):
    made = gone_back(stage, 960)
    assert made.events("recovery.judged") == []
    assert held(made) == {"took_s": 960.0, "warnings": []}


@pytest.mark.parametrize(
    ("takes_s", "warnings"), [(120, []), (130, ["One: took 2 min 10 s, stated 2 min"])]
)
def test_a_stated_time_that_is_exceeded_is_a_warning(
    stage: Staged, takes_s: float, warnings: list[str]
):
    made = gone_back(stage, takes_s, stated_s=120)
    assert held(made)["warnings"] == warnings
    assert made.events("recovery.judged") == []


def test_every_report_shows_it(stage: Staged):
    made = gone_back(stage, 960, Limit(900, False, LINE), stated_s=120)
    evidence = collect(made.events())
    back = evidence.rollback
    assert back is not None
    told = "\n".join(rollback_lines(back, Page.of(evidence, 80), frozenset()))
    assert "fail  recovery took 16 min, at most 15 min" in told
    assert "warn  One: took 16 min, stated 2 min" in told
    assert [step.status for step in back.time] == [Status.FAIL]
    said = as_json(evidence)["rollback"]
    assert isinstance(said, dict)
    assert said["held"]["says"] == "recovery took 16 min, at most 15 min"
    assert [title for title, _ in evidence.sections()][-1] == "Recovery time"


def test_a_death_between_the_finding_and_the_verdict_writes_it_once(stage: Staged):
    made = gone_back(stage, 960, Limit(900, False, LINE))
    made.fresh()
    made.run()
    assert len(made.events("recovery.judged")) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (38, "38 s"), (960, "16 min"), (3_905, "1 h 5 min 5 s"), (86_400, "1 d")],
)
def test_times_in_words(seconds: float, words: str):
    assert spoken(seconds) == words
