"""The table in the docstring of `gonogo.run.perform`, row by row, and what surrounds it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from tests.support.scenes import RUN
from tests.support.works import (
    Scripted,
    Shelled,
    a_block,
    a_manual,
    a_phase,
    a_plan,
    a_step,
    an_action,
    unless,
    wanted,
)

from gonogo import shim
from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Context, Destruction, Effect, Observation
from gonogo.plan.model import Interrupted, Mode, Retry
from gonogo.process import Command, Trace, trace
from gonogo.process import run as run_command
from gonogo.redaction import MASK, Redactor
from gonogo.run.perform import has_passed, perform
from gonogo.source import Span

OK = {"ok": True}
BAD = {"ok": False}
LOSS = Destruction("DROP TABLE users", "users", Span.of_line(3))


def found(stage, step, **more) -> Finding:
    return Finding.from_json(perform(stage.scene, step, **more))


def begun(stage, step, attempt: int = 1) -> None:
    """Leave the journal as a process leaves it that died in the middle of the step."""
    stage.scene.write("step.started", step.id, body={"title": step.title}, attempt=attempt)


class TestNeverStarted:
    def test_a_check_looks_once_and_its_finding_is_journaled(self, stage):
        step = a_step("home", None, OK)
        made = stage(step)
        finding = found(made, step)
        assert (finding.status, finding.attempts, finding.line) == (Status.PASS, 1, 10)
        assert made.kinds() == ["step.started", "step.finished"]
        assert Finding.from_json(made.events("step.finished")[0].body) == finding

    @pytest.mark.parametrize(
        ("result", "effect", "status"),
        [
            pytest.param(BAD, Effect.CHECK, Status.FAIL, id="a bad value fails"),
            pytest.param({"ok": None}, Effect.CHECK, Status.UNKNOWN, id="null is unknown"),
            pytest.param({}, Effect.CHECK, Status.UNKNOWN, id="no value is unknown"),
            pytest.param(
                WorkError("no route"), Effect.CHECK, Status.ERROR, id="could not look is an error"
            ),
            pytest.param(
                WorkError("exit 3", failed=True), Effect.CHECK, Status.FAIL, id="went wrong fails"
            ),
            pytest.param(
                WorkError("no route"), Effect.ACTION, Status.FAIL, id="an action not done fails"
            ),
            pytest.param(
                ZeroDivisionError("x"), Effect.CHECK, Status.ERROR, id="a bug of a kind is an error"
            ),
        ],
    )
    def test_what_was_seen_becomes_a_status(self, stage, result, effect, status):
        step = a_step("home", None, result, effect=effect)
        finding = found(stage(step), step)
        assert finding.status is status
        assert finding.why

    def test_a_check_without_expectation_proves_nothing(self, stage):
        step = a_step("home", None, OK, expect=())
        assert found(stage(step), step).status is Status.UNKNOWN

    def test_an_action_without_expectation_is_done_when_it_returns(self, stage):
        step = an_action("migrate", OK, expect=())
        assert found(stage(step), step).status is Status.PASS

    def test_the_worst_of_several_expectations_decides(self, stage):
        step = a_step("home", None, {"ok": True, "rows": 3}, expect=wanted("ok = true", "rows > 5"))
        finding = found(stage(step), step)
        assert finding.status is Status.FAIL
        assert len(finding.sentences) == 2
        assert "rows" in finding.why
        assert "ok" not in finding.why

    def test_the_start_of_an_action_is_flushed_and_that_of_a_check_is_not(self, stage):
        flushed = []
        check, action = a_step("look"), an_action("act")
        made = stage(check, action)
        append = made.journal.append

        class Watching(type(made.journal)):
            def append(self, run, kind, item="", *, durable=False, **more):
                flushed.append((kind, item, durable))
                return append(run, kind, item, durable=durable, **more)

        made.journal.__class__ = Watching
        perform(made.scene, check)
        perform(made.scene, action)
        assert ("step.started", "look", False) in flushed
        assert ("step.started", "act", True) in flushed

    def test_records_keep_the_named_indicators_only(self, stage):
        step = a_step("home", None, {"ok": True, "Rows": 3, "more": 1}, records=("rows",))
        assert found(stage(step), step).indicators == {"Rows": 3}


class TestFinished:
    @pytest.mark.parametrize("effect", [Effect.CHECK, Effect.ACTION])
    def test_the_finding_stands_and_nothing_runs_again(self, stage, effect):
        step = a_step("home", None, OK, BAD, effect=effect)
        made = stage(step)
        first = perform(made.scene, step)
        made.fresh()
        assert perform(made.scene, step) == first
        assert step.block.work.log == ["home"]
        assert len(made.events()) == 2


class TestCutOff:
    def test_a_check_is_looked_at_again_as_the_next_attempt(self, stage):
        step = a_step("home", None, OK)
        made = stage(step)
        begun(made, step)
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.PASS, 2)
        assert finding.notes == ("looked again after a restart",)
        assert [e.attempt for e in made.events("step.started")] == [1, 2]

    def test_an_action_that_nobody_can_know_asks_a_person(self, stage):
        step = an_action("migrate", OK)
        made = stage(step)
        begun(made, step)
        made.answers({"migrate?interrupted1": "done"})
        finding = found(made, step)
        assert (finding.status, finding.by, step.block.work.log) == (Status.PASS, "ana", [])

    def test_again_carries_it_out_once_more(self, stage):
        step = an_action("migrate", OK)
        made = stage(step)
        begun(made, step)
        made.answers({"migrate?interrupted1": "again"}, who="ben")
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.PASS, 2)
        assert finding.notes == ("ran again after a restart: ben said so",)
        assert step.block.work.log == ["migrate"]

    def test_failed_is_a_finding(self, stage):
        step = an_action("migrate", OK)
        made = stage(step)
        begun(made, step)
        made.answers({"migrate?interrupted1": "failed"})
        assert found(made, step).status is Status.FAIL
        assert step.block.work.log == []

    def test_cut_off_a_second_time_asks_about_the_second_attempt(self, stage):
        step = an_action("migrate", OK)
        made = stage(step)
        begun(made, step)
        begun(made, step, attempt=2)
        made.answers({"migrate?interrupted2": "again"})
        assert found(made, step).attempts == 3

    def test_a_declared_idempotent_action_runs_again(self, stage):
        step = an_action("migrate", OK, interrupted=Interrupted.RERUN)
        made = stage(step)
        begun(made, step)
        assert found(made, step).notes == ("ran again after a restart: declared idempotent",)
        assert step.block.work.log == ["migrate"]
        assert not made.events("question.asked")

    @pytest.mark.parametrize(
        ("seen", "runs"), [pytest.param(OK, 0, id="done"), pytest.param(BAD, 1, id="not done")]
    )
    def test_unless_comes_before_the_rule(self, stage, seen, runs):
        step = an_action("migrate", OK, interrupted=Interrupted.RERUN, unless=unless(seen))
        made = stage(step)
        begun(made, step)
        assert found(made, step).status is Status.PASS
        assert len(step.block.work.log) == runs

    def test_between_two_attempts_the_next_one_begins_after_the_rest_of_the_pause(self, stage):
        step = an_action("migrate", OK, retry=Retry(3, 60))
        made = stage(step)
        begun(made, step)
        made.scene.write("step.tried", step.id, body={"status": "fail"}, attempt=1)
        made.clock.wait(45)
        finding = found(made, step)
        assert (finding.attempts, finding.notes) == (2, ())
        assert made.clock.monotonic() == pytest.approx(60, abs=0.5)

    def test_a_clock_that_was_set_back_does_not_lengthen_the_pause(self, stage):
        step = a_step("home", None, OK, retry=Retry(3, 60))
        made = stage(step)
        begun(made, step)
        made.clock.wait(1_000)
        made.scene.write("step.tried", step.id, body={"status": "fail"}, attempt=1)
        made.clock._start = made.clock._start.replace(year=2025)
        found(made, step)
        assert made.clock.monotonic() == pytest.approx(1_060, abs=0.5)


class TestCommands:
    """The rows of the table that rest on the trace of a real command."""

    def left(self, made, step, command: str) -> None:
        """Leave a command that has ended, as one that outlived its gonogo."""
        begun(made, step)
        run_command(
            Command(("/bin/sh", "-c", command), made.folder, {"PATH": "/usr/bin:/bin"}, 300.0),
            made.scene.attempt_folder(step.id, 1),
        )

    def shelled(self, command: str, effect: Effect, **more):
        return a_step("act", Shelled("act", command=command), effect=effect, **more)

    @pytest.mark.parametrize("effect", [Effect.CHECK, Effect.ACTION])
    def test_an_ended_command_is_read_and_not_run_again(self, stage, effect):
        command = "echo once >>effects"
        step = self.shelled(command, effect)
        made = stage(step)
        self.left(made, step, command)
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.PASS, 1)
        assert finding.notes == ("re-attached after a restart",)
        assert (made.folder / "effects").read_text() == "once\n"

    def test_a_running_command_is_waited_for(self, stage, tmp_path):
        command = "echo once >>effects; while ! [ -e go ]; do sleep 0.01; done; exit 3"
        step = self.shelled(command, Effect.ACTION)
        made = stage(step)
        begun(made, step)

        def stop() -> bool:
            if (tmp_path / "effects").exists():
                raise InterruptedError
            return False

        with pytest.raises(InterruptedError):
            run_command(
                Command(("/bin/sh", "-c", command), tmp_path, {"PATH": "/usr/bin:/bin"}, 300.0),
                made.scene.attempt_folder(step.id, 1),
                should_stop=stop,
            )
        assert trace(made.scene.attempt_folder(step.id, 1)) is Trace.RUNNING
        (tmp_path / "go").touch()
        finding = found(made, step)
        assert finding.status is Status.FAIL
        assert (tmp_path / "effects").read_text() == "once\n"

    @pytest.mark.parametrize("effect", [Effect.CHECK, Effect.ACTION])
    def test_a_command_that_never_began_begins_as_the_same_attempt(self, stage, effect):
        step = self.shelled("echo once >>effects", effect)
        made = stage(step)
        begun(made, step)
        finding = found(made, step)
        assert (finding.status, finding.attempts, finding.notes) == (Status.PASS, 1, ())
        assert (made.folder / "effects").read_text() == "once\n"
        assert len(made.events("step.started")) == 1

    def lost(self, made, step) -> None:
        """Leave what a power cut leaves: a command that was written down, and another boot."""
        begun(made, step)
        folder = made.scene.attempt_folder(step.id, 1)
        folder.mkdir(parents=True)
        (folder / shim.COMMAND).write_text(json.dumps({"format": 1, "boot_id": "another"}))
        assert trace(folder) is Trace.LOST

    def test_a_lost_check_is_looked_at_again(self, stage):
        step = self.shelled("true", Effect.CHECK)
        made = stage(step)
        self.lost(made, step)
        assert found(made, step).attempts == 2

    def test_a_lost_action_asks_a_person(self, stage):
        step = self.shelled("echo once >>effects", Effect.ACTION)
        made = stage(step)
        self.lost(made, step)
        made.answers({"act?interrupted1": "again"})
        assert found(made, step).attempts == 2
        assert (made.folder / "effects").read_text() == "once\n"


class TestRetry:
    def test_it_stops_at_the_first_pass(self, stage):
        step = a_step("home", None, BAD, WorkError("refused"), OK, retry=Retry(5, 10))
        made = stage(step)
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.PASS, 3)
        assert [e.body["status"] for e in made.events("step.tried")] == ["fail", "error"]
        assert made.clock.monotonic() == pytest.approx(20, abs=0.5)

    def test_the_last_attempt_decides(self, stage):
        step = a_step("home", None, BAD, retry=Retry(3, 1))
        made = stage(step)
        assert (found(made, step).status, len(step.block.work.log)) == (Status.FAIL, 3)
        assert len(made.events("step.tried")) == 2

    def test_an_attempt_that_was_cut_off_is_not_one_that_failed(self, stage):
        step = a_step("home", None, BAD, OK, retry=Retry(2, 1))
        made = stage(step)
        begun(made, step)
        finding = found(made, step)
        assert (finding.status, finding.attempts) == (Status.PASS, 3)

    def test_without_retry_there_is_one_attempt(self, stage):
        step = a_step("home", None, BAD, OK)
        assert found(stage(step), step).status is Status.FAIL

    def test_unless_and_the_typed_word_are_asked_once_for_all_attempts(self, stage):
        log: list[str] = []
        step = an_action(
            "wipe", BAD, OK, unless=unless(BAD, log=log), destroys=(LOSS,), retry=Retry(2, 1)
        )
        made = stage(step)
        made.answers({"wipe?typed0": "users"})
        assert found(made, step).status is Status.PASS
        assert log == ["unless"]
        assert len(made.events("question.asked")) == 1


class TestUnless:
    def test_done_already_is_a_pass_that_says_so(self, stage):
        step = an_action("migrate", OK, unless=unless(OK))
        made = stage(step)
        finding = found(made, step)
        assert (finding.status, finding.notes) == (Status.PASS, ("already done",))
        assert step.block.work.log == []
        assert made.kinds() == ["step.looked", "step.finished"]

    @pytest.mark.parametrize(
        "seen",
        [
            pytest.param(BAD, id="not done"),
            pytest.param({"ok": None}, id="unknown"),
            pytest.param(WorkError("refused"), id="could not look"),
        ],
    )
    def test_anything_but_a_pass_lets_it_run(self, stage, seen):
        step = an_action("migrate", OK, unless=unless(seen))
        assert found(stage(step), step).status is Status.PASS
        assert step.block.work.log == ["migrate"]

    def test_each_look_has_a_folder_of_its_own(self, stage):
        folders = []

        def look(context: Context) -> Observation:
            folders.append(context.folder)
            return Observation(BAD)

        step = an_action("migrate", OK, unless=unless(look))
        made = stage(step)
        made.scene.write("step.looked", step.id, attempt=1)
        found(made, step)
        assert folders[0].name == "2"


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
            pytest.param("2026-03-01", False, id="a date lasts to its end"),
            pytest.param("2026-02-28", True, id="the day before"),
            pytest.param("2026-03-01T14:00:00.000Z", True, id="that very moment"),
            pytest.param("2026-03-01T15:00:01+01:00", False, id="another zone"),
            pytest.param("2026-03-01T13:59", True, id="without a zone it is UTC"),
            pytest.param("next tuesday", True, id="unreadable never holds"),
        ],
    )
    def test_when_it_is_over(self, expires, over):
        assert has_passed(expires, datetime.fromisoformat("2026-03-01T14:00:00+00:00")) is over


class TestRedaction:
    SECRET = "hunter2-correct-horse"

    def test_nothing_that_is_journaled_holds_a_secret(self, stage, tmp_path):
        def leaky(context: Context) -> Observation:
            return Observation(
                {"ok": False, "note": self.SECRET, "list": [{"deep": self.SECRET}]},
                text=f"connecting with {self.SECRET}",
            )

        work = Scripted(self.SECRET, (leaky, WorkError(f"refused {self.SECRET}", hint=self.SECRET)))
        step = a_step("home", work, retry=Retry(2, 1), records=("note", "list"))
        told = a_manual("told", notes=(self.SECRET,))
        made = stage(step, told, redact=Redactor([self.SECRET]))
        perform(made.scene, step)
        made.answers({"told": "no"}, reason=f"it is {self.SECRET}")
        perform(made.scene, told)
        journaled = json.dumps([e.body for e in made.events()])
        assert self.SECRET not in journaled
        assert MASK.encode("unicode-escape").decode() in journaled

    def test_an_exception_of_a_kind_is_redacted_too(self, stage):
        step = a_step("home", None, RuntimeError(self.SECRET))
        made = stage(step, redact=Redactor([self.SECRET]))
        assert self.SECRET not in json.dumps(perform(made.scene, step))

    @pytest.mark.parametrize("password", ["pass", "status", "check", "home", "title"])
    def test_a_password_that_is_a_word_of_ours_does_not_break_the_run(self, stage, password):
        step = a_step("home", None, OK)
        made = stage(step, redact=Redactor([password]))
        assert found(made, step).status is Status.PASS
        assert found(made, step).item == "home"


class TestFolders:
    def test_two_steps_never_share_one(self, stage):
        long = "x" * 300
        names = [f"{long}/a", f"{long}/b", "a/b", "a~b", "A/B", "ä" * 200, "", "..", "a/../b"]
        made = stage(a_step("home"))
        folders = {made.scene.attempt_folder(name, 1) for name in names}
        assert len(folders) == len(names)
        for folder in folders:
            folder.mkdir(parents=True)
            assert made.folder in folder.resolve().parents


def test_odd_values_of_kinds_are_journaled_and_break_nothing(stage):
    class Odd:
        def __str__(self) -> str:
            return "odd"

    odd = {"ok": True, "n": float("nan"), "o": Odd(), "deep": [{"x": float("inf"), 3: None}]}
    step = a_step("home", None, odd, records=("n", "o", "deep"))
    made = stage(step)
    finding = found(made, step)
    assert finding.indicators == {"n": "nan", "o": "odd", "deep": [{"x": "inf", "3": None}]}
    assert Finding.from_json(json.loads(json.dumps(finding.as_json()))) == finding


def test_text_that_is_not_unicode_is_journaled(stage):
    step = a_step("home", None, Observation(OK, text="broken \udcff byte"))
    made = stage(step)
    assert "broken" in found(made, step).text


def test_a_long_output_keeps_its_head_and_its_tail(stage):
    step = a_step("home", None, Observation(OK, text="a" * 9_000 + "END"))
    text = found(stage(step), step).text
    assert text.startswith("aaa")
    assert text.endswith("END")
    assert "characters left out" in text


def test_live_output_carries_the_name_of_its_step(stage):
    said = []

    def talk(context: Context) -> Observation:
        context.on_output("stdout", "hello")
        return Observation(OK)

    step = a_step("home", None, talk)
    found(stage(step, on_output=lambda *a: said.append(a)), step)
    assert said == [("home", "stdout", "hello")]


def test_the_run_is_the_one_of_the_scene(stage):
    step = a_step("home")
    made = stage(step)
    perform(made.scene, step)
    assert {e.run for e in made.events()} == {RUN}
    assert made.journal.runs() == (RUN,)


def test_an_unexpected_block_is_named_by_its_kind(stage):
    step = a_step("home", Scripted("home", (KeyError("x"),)), block=None)
    step = replace(step, block=a_block(Scripted("home", (KeyError("x"),))))
    assert "bug in kind `scripted`: KeyError" in found(stage(step), step).why
