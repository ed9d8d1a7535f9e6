"""What a step prints and answers is journaled without the secrets that nobody gave to the run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.support.leaks import BEGIN, END, documents, shapes
from tests.support.works import Scripted, a_step, wanted

from gonogo.plan.kinds import Context, Observation, Printed
from gonogo.plan.model import Kept
from gonogo.redaction import Redactor
from gonogo.run.perform import perform


class TestJournal:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
    @given(document=documents, shape=shapes)
    def test_no_byte_of_a_secret_is_in_its_file(
        self, stage, tmp_path, document: Any, shape: dict[str, Any]
    ) -> None:
        text = json.dumps(document, **shape)

        def answering(_context: Context) -> Observation:
            found = {
                "ok": False,
                "output": Printed(text),
                "body": document,
                "log": json.dumps(text),
            }
            return Observation(found, text=f"answered\n{text}", said=text)

        work = Scripted("ask", (answering,))
        step = a_step("ask", work, records=("body", "output"))
        made = stage(step)
        perform(made.scene, step)
        kept = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
        assert b"step.finished" in kept
        assert BEGIN.encode() not in kept
        assert END.encode() not in kept
        made.journal.close()
        for file in tmp_path.glob("journal.db*"):
            file.unlink()

    @pytest.mark.parametrize(
        "condition",
        [
            *('body.access_token = "x"', "body.access_token > 5", "body.access_token exists"),
            'body.headers.authorization contains "y"',
            'token = "x" in every row',
            "token < 1.2s in every row",
            "id = 5 in every row",
        ],
    )
    def test_a_sentence_does_not_say_it(self, stage, condition: str) -> None:
        secret = "hunter2x" * 20  # longer than a sentence shows: it would be cut before it is known
        body = {"access_token": secret, "headers": {"authorization": f"Bearer {secret}"}}
        rows = [{"id": 1, "token": secret}, {"id": 2, "token": secret}]
        found = Observation({"body": body}, rows)
        step = a_step("ask", Scripted("ask", (lambda _context: found,)), expect=wanted(condition))
        made = stage(step)
        finding = perform(made.scene, step)
        assert "hunter2x" not in json.dumps(finding)
        assert "hunter2x" not in json.dumps([event.body for event in made.events()])

    @pytest.mark.parametrize(
        "body",
        [
            {"reason": "because of {0}"},
            {"command": "curl -H 'X: {0}'"},
            {"detail": ["one", {"deep": "{0} here"}]},
            {"counts": {"{0}": 1}},
        ],
        ids=lambda body: next(iter(body)),
    )
    def test_whatever_is_journaled_is_masked_last_of_all(self, stage, body: Any) -> None:
        secret = "correct horse battery"
        made = stage(a_step("ask", None), redact=Redactor([secret]))
        said = json.loads(json.dumps(body).replace("{0}", secret))
        made.scene.write("question.asked", "ask", body=said)
        assert "correct horse" not in json.dumps([event.body for event in made.events()])

    def test_a_known_secret_is_not_cut_before_it_is_masked(self, stage) -> None:
        secret = "correct horse " * 20
        found = Observation({"note": f"it is {secret}"})
        work = Scripted("ask", (lambda _context: found,))
        step = a_step("ask", work, expect=wanted('note = "x"'))
        made = stage(step, redact=Redactor([secret]))
        assert "correct horse" not in json.dumps(perform(made.scene, step))

    def test_a_secret_that_is_to_be_recorded_is_not(self, stage) -> None:
        answer = {"ok": True, "body": {"access_token": "hunter2x", "count": 41234}}
        found = Observation(answer)
        step = a_step(
            "ask",
            Scripted("ask", (lambda _context: found,)),
            keeps=(Kept("body.access_token", "token"), Kept("body.count", "tokens")),
        )
        made = stage(step)
        finding = perform(made.scene, step)
        assert "hunter2x" not in json.dumps(finding)
        (event,) = made.events("step.finished")
        assert event.body["indicators"]["tokens"] == 41234
        assert "not recorded as `token`: it holds a secret" in json.dumps(event.body)
