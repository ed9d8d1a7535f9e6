"""The table in the docstring of `gonogo.run.perform`, row by row, and what surrounds it."""

from __future__ import annotations

import json

import pytest
from tests.support.works import (
    Shelled,
    a_step,
    an_action,
    unless,
    wanted,
)

from gonogo import shim
from gonogo.clock import stamp
from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Context, Destruction, Effect, Observation
from gonogo.plan.model import Interrupted, Retry
from gonogo.process import Command, Trace, trace
from gonogo.process import run as run_command
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

    def test_it_began_when_it_began_and_lasted_as_long_as_it_ran(self, stage):
        step = self.shelled("true", Effect.ACTION)
        made = stage(step)
        self.left(made, step, "true")
        record = made.scene.attempt_folder(step.id, 1) / shim.EXIT
        record.write_text(json.dumps({**json.loads(record.read_text()), "duration_s": 6.25}))
        made.clock.wait(600)  # nobody was there
        finding = found(made, step)
        assert finding.started == made.events("step.started")[0].at
        assert finding.duration_s == 6.25

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

    def test_a_command_that_never_began_begins_when_the_run_goes_on(self, stage):
        step = self.shelled("true", Effect.ACTION)
        made = stage(step)
        begun(made, step)
        made.clock.wait(600)
        again = stamp(made.clock.now())
        assert found(made, step).started == again

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
