"""A step whose block gonogo refuses is asked with the block and the reason beside it."""

from __future__ import annotations

import json

import pytest
from tests.support.works import a_manual, wanted

from gonogo.judge.verdict import Finding, Status
from gonogo.redaction import MASK, Redactor
from gonogo.run.perform import perform

WHY = "By hand only: `pnpm` never ends by itself here"
SECRET = "first-half\nsecond-half"


def a_refused(block: str, **more):
    return a_manual("back", notes=(WHY, f"Block: {block}"), **more)


def asked(stage, step, **more) -> tuple[str, Finding]:
    made = stage(step, **more)
    made.answers({"back": "yes"})
    finding = Finding.from_json(perform(made.scene, step))
    (question,) = made.events("question.asked")
    return str(question.body["detail"]), finding


def test_the_reason_and_the_block_stand_beside_the_question(stage):
    detail, finding = asked(stage, a_refused("pkill next\npnpm dev"))
    assert detail == "not run by gonogo: `pnpm` never ends by itself here\npkill next\npnpm dev"
    assert finding.status is Status.PASS
    assert finding.notes == ("not run by gonogo: `pnpm` never ends by itself here",)
    assert finding.text == "pkill next\npnpm dev"


def test_they_stand_behind_what_is_expected(stage):
    detail, _ = asked(stage, a_refused("pnpm dev", expect=wanted("ok = true")))
    assert detail.split("\n")[0] == "ok = true"
    assert detail.endswith("\npnpm dev")


@pytest.mark.parametrize(("lines", "more"), [(16, 0), (17, 1), (400, 384)])
def test_a_long_block_is_cut_to_a_screenful(stage, lines: int, more: int):
    detail, _ = asked(stage, a_refused("\n".join(f"line {n}" for n in range(lines))))
    shown = detail.split("\n")[1:]
    assert shown[15] == "line 15"
    assert shown[16:] == ([f"… {more} more of its lines stand in the runbook"] if more else [])


def test_no_half_of_a_secret_is_left_by_the_cut(stage):
    block = "\n".join(["true"] * 15) + f"\ncurl -H 'X: {SECRET}'"
    step = a_refused(block)
    made = stage(step, redact=Redactor([SECRET]))
    made.answers({"back": "no"})
    perform(made.scene, step)
    journaled = json.dumps([event.body for event in made.events()], ensure_ascii=False)
    assert MASK in journaled
    assert "-half" not in journaled


def test_a_step_without_a_block_is_asked_as_before(stage):
    step = a_manual("back", notes=("Note: by phone",))
    assert asked(stage, step)[0] == ""
