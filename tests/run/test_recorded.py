"""A value that a step keeps and a later step compares with, through the journal of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

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
    unless,
    wanted,
)

from gonogo.judge.verdict import Finding
from gonogo.plan.kinds import Observation, Role
from gonogo.plan.model import Done, Kept, Plan, Step
from gonogo.redaction import Redactor

Staged = Callable[..., Stage]


def keeping(observation: Observation, *kept: Kept, expect: str = "ok = true") -> Step:
    work = Scripted("before", (observation,))
    return a_step("before", work, keeps=kept, expect=wanted(expect))


def asking(observation: Observation, condition: str) -> Step:
    return a_step("after", Scripted("after", (observation,)), expect=wanted(condition))


def seen(**values: object) -> Observation:
    return Observation({"ok": True, **values})


def two_phases(before: Step, after: Step) -> Plan:
    return a_plan(a_phase("pre", before), a_phase("post", after))


def findings(made: Stage) -> Mapping[str, Finding]:
    return {e.item: Finding.from_json(e.body) for e in made.events("step.finished")}


@pytest.mark.parametrize(
    ("value", "later", "condition", "status"),
    [
        ("v41", "v41", "release = recorded the one", "pass"),
        ("v41", "v42", "release = recorded the one", "fail"),
        (33_584, 33_584, "release >= recorded the one", "pass"),
        (33_584, 33_583, "release >= recorded the one", "fail"),
        (Decimal("0.10"), Decimal("0.1"), "release = recorded the one", "pass"),
        ("v41", 41, "release = recorded the one", "unknown"),
    ],
)
def test_a_later_step_is_held_to_it(
    stage: Staged, value: object, later: object, condition: str, status: str
):
    before = keeping(seen(release=value), Kept("release", "the one"))
    made = stage(plan=two_phases(before, asking(seen(release=later), condition)))
    made.answers({"post?gate": "no-go"})
    made.run()
    assert findings(made)["after"].status.value == status


def test_a_column_of_the_only_row_is_kept(stage: Staged):
    before = keeping(Observation({"ok": True}, rows=[{"documents": 7}]), Kept("documents", "docs"))
    after = asking(Observation({"ok": True}, rows=[{"documents": 6}]), "documents >= recorded docs")
    made = stage(plan=two_phases(before, after))
    made.run()
    assert findings(made)["before"].indicators == {"docs": 7}
    assert "documents 6, expected >= recorded docs (7)" in findings(made)["after"].why


@pytest.mark.parametrize(
    ("observation", "why"),
    [
        (Observation({"ok": True}, rows=[{"thing": 1}, {"thing": 2}]), "2 rows, expected one"),
        (seen(), "nothing is named `thing`"),
        (seen(thing=None), "it is empty"),
        (seen(thing=float("nan")), "it is empty"),
        (seen(thing="hunter2-secret"), "it holds a secret"),
        (seen(thing="x" * 5_000), "keep a checksum"),
    ],
)
def test_what_cannot_be_kept_whole_is_not_kept_and_says_why(
    stage: Staged, observation: Observation, why: str
):
    before = keeping(observation, Kept("thing", "that"))
    after = asking(seen(thing="x"), "thing = recorded that")
    made = stage(plan=two_phases(before, after), redact=Redactor(["hunter2-secret"]))
    made.answers({"post?gate": "no-go"})
    made.run()
    assert why in " ".join(findings(made)["before"].notes)
    assert "that" not in findings(made)["before"].indicators
    assert findings(made)["after"].status.value == "unknown"
    assert "no step of this run recorded `that`" in findings(made)["after"].why


def test_the_proof_of_a_rollback_and_an_unless_know_it(stage: Staged):
    log: list[str] = []
    live = {"release": "v1"}

    def now(_context: object) -> dict[str, object]:
        return {"ok": True, "release": live["release"]}

    def ship(_context: object) -> dict[str, object]:
        live["release"] = "v2"
        return {"ok": True}

    def back(_context: object) -> dict[str, object]:
        live["release"] = "v1"
        return {"ok": True}

    same = wanted("release = recorded previous release")
    block = unless(now).block
    before = a_step(
        "before", Scripted("before", (now,)), keeps=(Kept("release", "previous release"),)
    )
    deploy = an_action("ship", ship, log=log, unless=Done(block, wanted("release = v2")))
    bad = a_step("home", Scripted("home", ({"ok": False},)))
    proof = a_step("old", Scripted("old", (now,)), expect=same)
    way = an_action("back", back, log=log, unless=Done(block, same))
    plan = a_plan(
        a_phase("pre", before),
        a_phase("deploy", deploy, role=Role.DEPLOY),
        a_phase("smoke", bad),
        rollback=a_rollback(an_option("one", way), proof=[proof]),
    )
    made = stage(plan=plan)
    assert made.run()["exit_code"] == 4
    assert log == ["ship", "back"]
    assert findings(made)["one?proof:old"].status.value == "pass"
    assert findings(made)["before"].indicators == {"previous release": "v1"}


def test_a_rollback_to_another_release_is_no_rollback(stage: Staged):
    before = a_step(
        "before", Scripted("b", (seen(release="v1"),)), keeps=(Kept("release", "previous release"),)
    )
    proof = a_step(
        "old",
        Scripted("old", (seen(release="v2"),)),
        expect=wanted("release = recorded previous release"),
    )
    plan = a_plan(
        a_phase("pre", before),
        a_phase("deploy", an_action("ship"), role=Role.DEPLOY),
        a_phase("smoke", a_step("home", Scripted("home", ({"ok": False},)))),
        rollback=a_rollback(an_option("one", an_action("back")), proof=[proof]),
    )
    made = stage(plan=plan)
    verdict = made.run()
    assert verdict["exit_code"] == 1
    assert 'release "v2", expected = recorded previous release ("v1")' in str(verdict["why"])
