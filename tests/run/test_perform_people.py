"""What people do to a step: confirm, answer, allow, abort, waive."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from tests.support.works import (
    a_manual,
    a_phase,
    a_plan,
    a_step,
    an_action,
    unless,
    wanted,
)

from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Context, Destruction, Observation
from gonogo.plan.model import Mode, Retry
from gonogo.run.findings import has_passed
from gonogo.run.perform import perform
from gonogo.source import Span

OK = {"ok": True}
BAD = {"ok": False}
LOSS = Destruction("DROP TABLE users", "users", Span.of_line(3))


def found(stage, step, **more) -> Finding:
    return Finding.from_json(perform(stage.scene, step, **more))


def begun(stage, step, attempt: int = 1) -> None:
    """Leave the journal as a process leaves it that died in the middle of the step."""
    stage.scene.write("step.started", step.id, body={"title": step.title}, attempt=attempt)


class TestTypedConfirmation:
    def test_the_name_of_what_is_lost_must_be_typed(self, stage):
        step = an_action("wipe", OK, destroys=(LOSS,))
        made = stage(step)
        made.answers({"wipe?typed0": "users"})
        assert found(made, step).status is Status.PASS
        asked = made.events("question.asked")[0].body
        assert asked["choices"] == ["users", "no"]
        assert asked["line"] == 3

    def test_no_fails_the_step_and_runs_nothing(self, stage):
        step = an_action("wipe", OK, destroys=(LOSS,))
        made = stage(step)
        made.answers({"wipe?typed0": "no"})
        finding = found(made, step)
        assert (finding.status, finding.by) == (Status.FAIL, "ana")
        assert step.block.work.log == []
        assert not made.events("step.started")

    def test_each_loss_is_typed(self, stage):
        other = replace(LOSS, target="orders")
        step = an_action("wipe", OK, destroys=(LOSS, other))
        made = stage(step)
        made.answers({"wipe?typed0": "users", "wipe?typed1": "no"})
        assert found(made, step).status is Status.FAIL

    def test_a_yes_is_not_enough(self, stage):
        step = an_action("wipe", OK, destroys=(LOSS,))
        made = stage(step)
        made.put("wipe?typed0", "yes")
        made.clock.at(5, lambda: made.put("wipe?typed0", "no"))
        assert found(made, step).status is Status.FAIL
        assert [e.kind for e in made.events() if "answer" in e.kind] == [
            "answer.refused",
            "answer.given",
        ]


class TestManual:
    @pytest.mark.parametrize(
        ("answer", "status"),
        [("yes", Status.PASS), ("no", Status.FAIL), ("skip", Status.WAIVED)],
    )
    def test_the_answer_is_the_finding(self, stage, answer, status):
        step = a_manual("told", expect=wanted("p95 < 500 ms"))
        made = stage(step)
        made.answers({"told": answer}, who="ben", reason="said so")
        finding = found(made, step)
        assert (finding.status, finding.by, finding.reason) == (status, "ben", "said so")
        assert made.events("question.asked")[0].body["detail"] == "p95 < 500 ms"

    def test_it_took_from_the_question_to_the_answer_also_over_a_restart(self, stage):
        step = a_manual("told")
        made = stage(step)
        begun(made, step)
        made.scene.write("question.asked", step.id, body={"form": "manual"})
        made.clock.wait(300)
        made.put("told", "yes")
        finding = found(made, step)
        assert finding.duration_s == 300
        assert finding.started == made.events("step.started")[0].at
        assert len(made.events("question.asked")) == 1


class TestAssisted:
    def plan(self, *steps):
        return a_plan(a_phase("deploy", *steps), mode=Mode.ASSISTED)

    @pytest.mark.parametrize(
        ("answer", "status", "runs"),
        [
            ("run", Status.PASS, 1),
            ("by hand", Status.PASS, 0),
            ("skip", Status.WAIVED, 0),
            ("no", Status.FAIL, 0),
        ],
    )
    def test_nothing_runs_without_a_yes_for_that_block(self, stage, answer, status, runs):
        step = an_action("migrate", OK)
        made = stage(plan=self.plan(step))
        made.answers({"migrate?block": answer})
        assert found(made, step).status is status
        assert len(step.block.work.log) == runs

    def test_unless_is_a_block_too_and_waits_for_the_yes(self, stage):
        log: list[str] = []
        step = an_action("migrate", OK, unless=unless(OK, log=log))
        made = stage(plan=self.plan(step))
        made.answers({"migrate?block": "skip"})
        found(made, step)
        assert log == []

    def test_a_check_is_asked_for_too(self, stage):
        step = a_step("home", None, OK)
        made = stage(plan=self.plan(step))
        made.answers({"home?block": "run"})
        assert found(made, step).status is Status.PASS
        assert made.events("question.asked")[0].body["detail"] == "do home"

    def test_a_yes_holds_over_a_restart_and_for_every_attempt(self, stage):
        step = a_step("home", None, BAD, OK, retry=Retry(2, 1))
        made = stage(plan=self.plan(step))
        made.answers({"home?block": "run"})
        found(made, step)
        assert len(made.events("question.asked")) == 1


class TestAbort:
    def test_nothing_begins_after_it(self, stage):
        step = an_action("migrate", OK, unless=unless(OK), destroys=(LOSS,))
        made = stage(step)
        made.abort()
        finding = found(made, step)
        assert (finding.status, finding.why) == (Status.UNKNOWN, "stopped: the run was aborted")
        assert made.kinds() == ["step.finished"]

    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(a_manual("told"), id="manual"),
            pytest.param(an_action("told", destroys=(LOSS,)), id="typed"),
        ],
    )
    def test_a_question_is_let_go_of(self, stage, step):
        made = stage(step)
        made.clock.at(7, made.abort)
        assert found(made, step).status is Status.UNKNOWN
        assert made.clock.monotonic() < 8
        assert not made.events("answer.given")

    def test_nobody_is_asked_after_it(self, stage):
        step = a_manual("told")
        made = stage(step)
        made.abort()
        found(made, step)
        assert not made.events("question.asked")

    def test_an_answer_that_came_first_counts(self, stage):
        step = a_manual("told")
        made = stage(step)
        begun(made, step)
        made.scene.write("question.asked", step.id)
        made.put("told", "yes")
        made.clock.at(0, made.abort)
        made.scene.write("answer.given", step.id, who="ana", body={"answer": "yes"})
        assert found(made, step).status is Status.PASS

    def test_the_pause_before_a_retry_ends(self, stage):
        step = a_step("home", None, BAD, retry=Retry(5, 600))
        made = stage(step)
        made.clock.at(30, made.abort)
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.UNKNOWN, 1)
        assert made.clock.monotonic() < 31
        assert made.events("step.tried")[0].body["status"] == "fail"

    def test_no_further_attempt_begins(self, stage):
        def bad(context: Context) -> Observation:
            made.abort()
            return Observation(BAD)

        step = a_step("home", None, bad, retry=Retry(5, 600))
        made = stage(step)
        finding = found(made, step)
        assert finding.attempts == 1
        assert step.block.work.log == ["home"]

    def test_what_was_seen_of_a_stopped_step_is_kept(self, stage):
        def bad(context: Context) -> Observation:
            made.abort()
            made.clock.wait(1)
            return Observation(BAD, text="half of it")

        step = a_step("home", None, bad)
        made = stage(step)
        finding = found(made, step)
        assert finding.status is Status.UNKNOWN
        assert finding.why.startswith("stopped: the run was aborted; ")
        assert finding.text == "half of it"

    def test_a_rollback_is_deaf_to_it(self, stage):
        step = an_action("switch back", lambda c: OK if not c.should_stop() else BAD)
        made = stage(step)
        made.abort()
        assert found(made, step, deaf=True).status is Status.PASS


@pytest.mark.parametrize(("expires", "until"), [("", "the end of this run"), ("2099-01-31",) * 2])
def test_a_step_that_a_person_left_out_is_waived_until_when(stage, expires, until):
    step = a_manual("tell")
    made = stage(step)
    made.put("tell", "skip", "eve", reason="nobody is affected", expires=expires)
    finding = found(made, step)
    assert (finding.status, finding.expires) == (Status.WAIVED, until)


class TestWaivers:
    def given(self, expires: str = "") -> dict[str, dict[str, str]]:
        return {"home": {"who": "eve", "reason": "known fault", "expires": expires}}

    @pytest.mark.parametrize("result", [BAD, {}, WorkError("no route")])
    def test_a_finding_is_accepted_with_name_and_reason(self, stage, result):
        step = a_step("home", None, result)
        finding = found(stage(step, waivers=self.given("2026-12-31")), step)
        assert finding.status is Status.WAIVED
        assert (finding.by, finding.reason, finding.expires) == ("eve", "known fault", "2026-12-31")
        assert finding.why.startswith(("fail: ", "unknown: ", "error: "))

    def test_one_without_an_expiry_ends_with_its_run(self, stage):
        step = a_step("home", None, BAD)
        finding = found(stage(step, waivers=self.given()), step)
        assert (finding.status, finding.expires) == (Status.WAIVED, "the end of this run")

    def test_a_pass_needs_none(self, stage):
        step = a_step("home", None, OK)
        assert found(stage(step, waivers=self.given()), step).status is Status.PASS

    def test_an_expired_one_does_not_hold_and_is_named(self, stage):
        step = a_step("home", None, BAD)
        finding = found(stage(step, waivers=self.given("2026-02-28")), step)
        assert (finding.status, finding.notes) == (Status.FAIL, ("waiver expired 2026-02-28",))

    @pytest.mark.parametrize(
        ("expires", "over"),
        [
            pytest.param("", False, id="none"),
            pytest.param("the end of this run", False, id="this run is not over"),
            pytest.param("2026-03-01", False, id="a date lasts to its end"),
            pytest.param("2026-02-28", True, id="the day before"),
            pytest.param("2026-03-01T14:00:00.000Z", True, id="that very moment"),
            pytest.param("2026-03-01T15:00:01+01:00", False, id="another zone"),
            pytest.param("2026-03-01T13:59", True, id="without a zone it is UTC"),
            pytest.param("9999-12-31", False, id="the last day of all"),
            pytest.param("9999-12-31T23:59:59-23:59", False, id="a moment beyond all"),
            pytest.param("0001-01-01T00:00+23:59", True, id="a moment before all"),
            pytest.param("next tuesday", True, id="unreadable never holds"),
        ],
    )
    def test_when_it_is_over(self, expires, over):
        assert has_passed(expires, datetime.fromisoformat("2026-03-01T14:00:00+00:00")) is over
