"""What only prose expects is judged by a person: an exit code of 0 proves nothing of it."""

from __future__ import annotations

import dataclasses

import pytest
from tests.support.works import a_manual, a_step, an_action, wanted

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.model import Expectation
from gonogo.run.perform import perform

NOTE = ("Expected: no uncommitted changes",)


def found(stage, step) -> Finding:
    return Finding.from_json(perform(stage.scene, step))


@pytest.mark.parametrize(
    ("answer", "status"),
    [("yes", Status.PASS), ("no", Status.FAIL), ("skip", Status.WAIVED)],
)
def test_a_person_says_whether_the_output_is_what_the_page_expects(stage, answer, status):
    step = a_step("git", expect=(), notes=NOTE)
    made = stage(step)
    made.answers({"git?shown": answer}, who="ben")
    assert (found(made, step).status, found(made, step).by) == (status, "ben")
    asked = made.events("question.asked")
    assert len(asked) == 1
    assert "no uncommitted changes" in asked[0].body["question"]


def test_what_failed_by_itself_is_asked_nobody(stage):
    step = an_action("deploy", {"ok": False}, notes=NOTE)
    made = stage(step)
    assert found(made, step).status is Status.FAIL
    assert made.events("question.asked") == []


def test_a_written_condition_needs_nobody(stage):
    step = a_step("git", expect=wanted("ok = true"), notes=NOTE)
    made = stage(step)
    assert found(made, step).status is Status.PASS
    assert made.events("question.asked") == []


def test_a_trigger_without_a_figure_is_asked_so_that_yes_is_good(stage):
    step = a_manual("corruption", notes=("Must not be: data corruption (rollback)",))
    made = stage(step)
    made.answers({"corruption": "no"})
    assert found(made, step).status is Status.FAIL
    assert made.events("question.asked")[0].body["question"].startswith("nothing of this kind")


def by_default(text: str) -> tuple[Expectation, ...]:
    return tuple(dataclasses.replace(one, default=True) for one in wanted(text))


def test_a_yes_cannot_turn_a_failed_exit_code_into_a_pass(stage):
    step = a_step("k6", None, {"ok": False}, expect=by_default("ok = true"), notes=NOTE)
    made = stage(step)
    made.answers({"k6?shown": "yes"})
    assert found(made, step).status is Status.FAIL
    assert made.events("question.asked") == []


def test_a_yes_cannot_turn_a_missing_exit_code_into_a_pass(stage):
    step = a_step("k6", None, {"other": 1}, expect=by_default("ok = true"), notes=NOTE)
    made = stage(step)
    assert found(made, step).status is Status.UNKNOWN
    assert made.events("question.asked") == []


@pytest.mark.parametrize(("answer", "status"), [("yes", Status.PASS), ("no", Status.FAIL)])
def test_the_prose_is_judged_on_top_of_the_default(stage, answer, status):
    step = a_step("k6", expect=by_default("ok = true"), notes=NOTE)
    made = stage(step)
    made.answers({"k6?shown": answer}, who="ben")
    assert (found(made, step).status, found(made, step).by) == (status, "ben")


@pytest.mark.parametrize("expect", [by_default("ok = true"), wanted("ok = true")])
def test_an_expect_that_is_no_condition_is_judged_by_a_person_whatever_else_holds(stage, expect):
    step = an_action("deploy", expect=expect, notes=("Expect: looks right",))
    made = stage(step)
    made.answers({"deploy?shown": "no"})
    assert found(made, step).status is Status.FAIL
    assert "looks right" in made.events("question.asked")[0].body["question"]
