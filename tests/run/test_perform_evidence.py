"""What is journaled of a step: redacted, in folders of its own, whatever a kind gives back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.support.scenes import RUN
from tests.support.works import (
    Scripted,
    a_block,
    a_manual,
    a_step,
    wanted,
)

from gonogo.errors import WorkError
from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Context, Destruction, Observation
from gonogo.plan.model import Retry
from gonogo.redaction import MASK, Redactor
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


def test_what_cannot_be_judged_is_a_finding_too(stage):
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    block = a_block(Scripted("home", (Observation({"value": deep}),)))
    step = replace(a_step("home"), block=block)
    assert "bug in judging `scripted`: RecursionError" in found(stage(step), step).why


class TestLastWords:
    """What a failed command said last stands beside what does not hold, and nowhere else."""

    def test_they_stand_behind_what_does_not_hold(self, stage):
        step = a_step("home", None, Observation(BAD, said="connection refused"))
        seen = found(stage(step), step)
        assert seen.status is Status.FAIL
        assert seen.actual.endswith("expected true: connection refused")
        assert (seen.why, seen.sentences) == (seen.actual, (seen.actual,))

    def test_they_stand_behind_the_first_of_several(self, stage):
        expect = wanted("left = 1", "ok = true", "left = 3")
        seen = Observation({"ok": False, "left": 1}, said="no route")
        step = a_step("home", None, seen, expect=expect)
        made = found(stage(step), step)
        assert [sentence.endswith(": no route") for sentence in made.sentences] == [
            False,
            True,
            False,
        ]

    @pytest.mark.parametrize("said", ["", "ignored"])
    def test_what_holds_has_none(self, stage, said):
        step = a_step("home", None, Observation(OK, said=said))
        assert "ignored" not in found(stage(step), step).actual

    def test_they_are_not_said_twice(self, stage):
        expect = wanted('note = "fine"')
        step = a_step("home", None, Observation({"note": "refused"}, said="refused"), expect=expect)
        assert found(stage(step), step).actual.count("refused") == 1

    def test_they_are_redacted(self, stage):
        step = a_step("home", None, Observation(BAD, said="refused hunter2-correct-horse"))
        made = stage(step, redact=Redactor(["hunter2-correct-horse"]))
        assert found(made, step).actual.endswith(f"refused {MASK}")
