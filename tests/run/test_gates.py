"""The gate after a phase: go, hold, no-go, and what a person makes of a hold."""

from __future__ import annotations

import pytest
from tests.support.works import (
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    an_option,
)

from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Role
from gonogo.run import gates
from gonogo.run.findings import blank

STEPS = (a_step("home"), a_step("admin"))


@pytest.fixture
def closed(stage):
    """Close the gate over findings of these statuses; return the stage and the decision."""

    def close(*statuses: str, phase=None, skipped=None, before=None, plan=None):
        phase = phase or a_phase("smoke", *STEPS[: len(statuses) + len(skipped or {})])
        made = stage(plan=plan or a_plan(phase))
        if before:
            before(made)
        findings = [
            blank(step, Status(status), "" if status == "pass" else f"it is {status}")
            for step, status in zip(phase.steps, statuses, strict=False)
        ]
        return made, gates.close(made.scene, phase, findings, skipped or {})

    return close


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["pass", "pass"], "go"),
        (["pass", "waived"], "go"),
        (["pass", "fail"], "no-go"),
        (["fail", "unknown"], "no-go"),
    ],
)
def test_the_worst_finding_decides(closed, statuses, verdict):
    made, decided = closed(*statuses)
    assert decided["verdict"] == verdict
    assert decided == made.events("gate.decided")[0].body
    assert not made.events("question.asked")


@pytest.mark.parametrize("status", ["unknown", "error"])
@pytest.mark.parametrize("answer", ["go", "no-go"])
def test_a_hold_is_decided_by_a_person(closed, status, answer):
    made, decided = closed(
        "pass", status, before=lambda m: m.answers({"smoke?gate": answer}, "eve", "known")
    )
    assert decided["verdict"] == answer
    assert (decided["by"], decided["reason"]) == ("eve", "known")
    assert decided["held"] == ["admin"]
    asked = made.events("question.asked")[0].body
    assert asked["form"] == "hold"
    assert f"{status}: admin it: it is {status}" in asked["detail"]


@pytest.mark.parametrize(
    ("answer", "expires", "until"),
    [
        ("go", "", "the end of this run"),
        ("go", "2026-12-31", "2026-12-31"),
        ("no-go", "", ""),
    ],
)
def test_a_go_against_a_hold_has_an_expiry(closed, answer, expires, until):
    def before(made):
        made.put("smoke?gate", answer, "eve", reason="known", expires=expires)

    _, decided = closed("unknown", before=before)
    assert (decided["verdict"], decided["expires"]) == (answer, until)


def test_a_go_that_has_expired_is_asked_for_again(closed):
    def before(made):
        made.put("smoke?gate", "go", "eve", reason="known", expires="2026-02-28")
        made.clock.at(5, lambda: made.put("smoke?gate", "no-go"))

    made, decided = closed("unknown", before=before)
    assert decided["verdict"] == "no-go"
    assert made.events("answer.refused")[0].body["why"] == "it expired 2026-02-28"


def test_a_go_against_a_hold_needs_a_reason(closed):
    def before(made):
        made.put("smoke?gate", "go")
        made.clock.at(5, lambda: made.put("smoke?gate", "no-go"))

    made, decided = closed("unknown", before=before)
    assert decided["verdict"] == "no-go"
    assert made.events("answer.refused")[0].body["why"] == "`go` needs a reason"


def test_no_findings_at_all_hold(closed):
    made, decided = closed(before=lambda m: m.answers({"smoke?gate": "no-go"}))
    assert decided["verdict"] == "no-go"
    assert "nothing was checked" in made.events("question.asked")[0].body["question"]


def test_what_was_not_run_counts_as_unknown_and_is_journaled_once(closed):
    made, decided = closed("fail", skipped={"admin": "not run: `home it` (line 10) did not pass"})
    finding = Finding.from_json(made.events("step.finished")[0].body)
    assert (finding.item, finding.status, finding.started) == ("admin", Status.UNKNOWN, "")
    assert decided["counts"] == {"fail": 1, "unknown": 1}
    assert not made.events("step.started")


def test_reasons_name_the_worst_first(closed):
    _, decided = closed("unknown", "fail")
    assert decided["reasons"] == ["admin it: it is fail", "home it: it is unknown"]


def test_an_abort_is_a_no_go_with_a_name(closed):
    made, decided = closed("pass", before=lambda m: m.abort("the shop is down"))
    assert decided["verdict"] == "no-go"
    assert (decided["aborted_by"], decided["reason"]) == ("ana", "the shop is down")
    event = made.events("abort.requested")[0]
    assert (event.who, event.body) == ("ana", {"reason": "the shop is down"})


def test_an_abort_ends_a_hold(closed):
    made, decided = closed("unknown", before=lambda m: m.clock.at(9, m.abort))
    assert decided["verdict"] == "no-go"
    assert decided["aborted_by"] == "ana"
    assert not made.events("answer.given")


def test_a_decision_stands_after_a_restart(closed):
    made, decided = closed("pass")
    made.fresh()
    again = gates.close(made.scene, made.plan.phases[0], [], {})
    assert again == decided
    assert len(made.events("gate.decided")) == 1


def test_a_hold_is_not_asked_twice_over_a_restart(closed):
    made, _ = closed("unknown", before=lambda m: m.answers({"smoke?gate": "go"}))
    made.journal._db.execute("DELETE FROM gonogo_event WHERE kind='gate.decided'")
    made.journal._own.clear()
    findings = [blank(STEPS[0], Status.UNKNOWN, "x")]
    assert gates.close(made.fresh(), made.plan.phases[0], findings, {})["verdict"] == "go"
    assert len(made.events("question.asked")) == 1


def test_an_action_that_could_not_be_done_is_a_no_go_and_a_check_that_could_not_look_a_hold(stage):
    check = a_step("home", None, WorkError("no route"))
    action = an_action("migrate", WorkError("no route"))
    for step, verdict in ((action, "no-go"), (check, "hold")):
        made = stage(plan=a_plan(a_phase(step.id, step)))
        made.answers({"home?gate": "no-go"})
        made.run()
        asked = bool(made.events("question.asked"))
        assert ("hold" if asked else made.events("gate.decided")[-1].body["verdict"]) == verdict


@pytest.mark.parametrize(("answer", "code"), [("keep", 1), ("no-go", 4), ("go", 0)])
def test_a_sign_off_that_refuses_is_no_rollback_by_itself(stage, answer, code):
    log: list[str] = []
    plan = a_plan(
        a_phase("ship", an_action("switch", log=log), role=Role.DEPLOY),
        a_phase("sign", a_step("met", None, {"ok": False}), role=Role.SIGNOFF),
        rollback=a_rollback(an_option("back", an_action("back", log=log))),
    )
    made = stage(plan=plan)
    made.answers({"sign?gate": answer})
    assert made.run()["exit_code"] == code
    assert log == (["switch", "back"] if code == 4 else ["switch"])


def test_before_the_release_runs_nothing_can_be_kept(stage):
    made = stage(plan=a_plan(a_phase("before", a_manual("told"))))
    made.answers({"told": "skip", "before?gate": "go"})
    made.run()
    asked = [e.body["choices"] for e in made.events("question.asked") if e.item == "before?gate"]
    assert all("keep" not in choices for choices in asked)


@pytest.mark.parametrize("critical", [False, True])
def test_in_a_watch_only_a_critical_step_goes_back_by_itself(stage, critical):
    log: list[str] = []
    plan = a_plan(
        a_phase("ship", an_action("switch", log=log), role=Role.DEPLOY),
        a_phase("watch", a_step("notes", None, {"ok": False}, critical=critical), role=Role.WATCH),
        rollback=a_rollback(an_option("back", an_action("back", log=log))),
    )
    made = stage(plan=plan)
    made.answers({"watch?gate": "keep"})
    assert made.run()["exit_code"] == (4 if critical else 1)
    assert log == (["switch", "back"] if critical else ["switch"])
