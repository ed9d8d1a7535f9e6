"""Questions to people: the first fitting answer wins, over deaths and aborts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.support.scenes import RUN
from tests.support.works import a_manual

from gonogo.redaction import MASK, Redactor
from gonogo.run.journal import Answer
from gonogo.run.people import (
    CHOICES,
    NEEDS_REASON,
    Aborted,
    Form,
    Question,
    Unanswered,
    ask,
    misfit,
    open_questions,
    stop_signal,
)

TOLD = Question("told", Form.MANUAL, "Support knows", 25, "in the channel")


@pytest.fixture
def made(stage):
    return stage(a_manual("told"))


def test_the_question_is_journaled_with_all_that_an_answer_needs(made):
    made.answers({"told": "yes"})
    ask(made.scene, TOLD)
    assert made.events("question.asked")[0].body == {
        "question": "Support knows",
        "form": "manual",
        "choices": ["yes", "no", "skip"],
        "detail": "in the channel",
        "line": 25,
    }


def test_the_answer_is_journaled_in_the_name_of_who_gave_it(made):
    made.clock.at(
        3, lambda: made.put("told", "yes", "ben", reason="r", link="l", expires="2099-01-31")
    )
    answer = ask(made.scene, TOLD)
    assert (answer.answer, answer.who) == ("yes", "ben")
    given = made.events("answer.given")[0]
    assert given.who == "ben"
    assert given.body == {
        "answer": "yes",
        "reason": "r",
        "link": "l",
        "expires": "2099-01-31",
        "form": "manual",
    }


def test_the_first_answer_wins(made):
    assert made.put("told", "yes", "ana") is True
    assert made.put("told", "no", "ben") is False
    assert ask(made.scene, TOLD).who == "ana"


def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays_open(made):
    made.put("told", "perhaps", "ben")
    made.clock.at(10, lambda: made.put("told", "skip", "ben"))
    made.clock.at(20, lambda: made.put("told", "no", "ana"))
    assert ask(made.scene, TOLD).who == "ana"
    refused = [(e.who, e.body["answer"], e.body["why"]) for e in made.events("answer.refused")]
    assert refused == [
        ("ben", "perhaps", "`perhaps` is no answer here, expected `yes`, `no`, `skip`"),
        ("ben", "skip", "`skip` needs a reason"),
    ]
    assert len(made.events("question.asked")) == 1
    assert made.journal.answer(RUN, "told").answer == "no"


def test_a_refused_answer_is_redacted(stage):
    made = stage(a_manual("told"), redact=Redactor(["hunter2-horse"]))
    made.put("told", "hunter2-horse")
    made.clock.at(10, lambda: made.put("told", "no"))
    ask(made.scene, TOLD)
    body = made.events("answer.refused")[0].body
    assert body["answer"] == MASK
    assert "hunter2" not in str(body)


def test_an_answer_given_while_nobody_served_is_found(made):
    """Asked, killed, answered, resumed."""
    made.scene.write("question.asked", "told", body={"form": "manual"})
    made.put("told", "yes")
    made.fresh()
    assert ask(made.scene, TOLD).answer == "yes"
    assert len(made.events("question.asked")) == 1
    assert made.clock.monotonic() == 0


def test_an_answer_taken_but_not_yet_journaled_is_taken_again(made):
    """Killed between the inbox and the journal."""
    made.answers({"told": "yes"})
    ask(made.scene, TOLD)
    count = len(made.events())
    made.fresh()
    assert ask(made.scene, TOLD).answer == "yes"
    assert len(made.events()) == count


def test_an_abort_ends_the_wait(made):
    made.clock.at(4, made.abort)
    with pytest.raises(Aborted):
        ask(made.scene, TOLD)
    assert made.clock.monotonic() == pytest.approx(4, abs=0.2)


def test_deaf_questions_wait_on(made):
    made.abort()
    made.clock.at(4, lambda: made.put("told", "yes"))
    assert ask(made.scene, TOLD, deaf=True).answer == "yes"


def test_an_answer_and_an_abort_at_once_give_the_answer(made):
    made.scene.write("question.asked", "told")
    made.put("told", "yes")
    made.abort()
    assert ask(made.scene, TOLD).answer == "yes"


@pytest.mark.parametrize("form", list(Form))
def test_every_form_takes_its_own_answers_and_no_others(form):
    question = Question("x", form, "?", 1, typed="users")
    expected = ("users", "no") if form is Form.TYPED else CHOICES[form]
    assert question.choices == expected
    for choice in question.choices:
        given = Answer(RUN, 1, "x", choice, "ana", "", reason="so")
        assert misfit(question, given) is None
    for other in ("", "YES", "maybe", "user"):
        assert misfit(question, Answer(RUN, 1, "x", other, "ana", "")) is not None


@pytest.mark.parametrize(("form", "choice"), sorted(NEEDS_REASON))
@pytest.mark.parametrize("reason", ["", "  "])
def test_setting_evidence_aside_needs_a_reason(form, choice, reason):
    question = Question("x", form, "?", 1)
    given = Answer(RUN, 1, "x", choice, "ana", "", reason=reason)
    assert misfit(question, given) == f"`{choice}` needs a reason"


def test_the_stop_signal_looks_no_more_often_than_it_should(made):
    looked = []

    class Counting:
        def answer(self, run, item):
            looked.append(item)

    scene = made.fresh(journal=Counting())
    stop = stop_signal(scene, deaf=False)
    for _ in range(100):
        stop()
        made.clock.wait(0.01)
    assert 9 <= len(looked) <= 11


def test_the_stop_signal_stays_once_it_was_given(made):
    stop = stop_signal(made.scene, deaf=False)
    assert not stop()
    made.abort()
    made.clock.wait(1)
    assert stop()
    assert stop()


def late(deadline_s: float = 60) -> Question:
    return replace(TOLD, deadline=START + timedelta(seconds=deadline_s))


def test_an_answer_until_the_deadline_counts(made):
    made.clock.at(59, lambda: made.put("told", "yes"))
    assert ask(made.scene, late()).answer == "yes"


def test_nobody_is_waited_for_beyond_the_deadline(made):
    with pytest.raises(Unanswered) as found:
        ask(made.scene, late())
    assert 60 <= made.clock.monotonic() < 61
    assert found.value.deadline == "2026-03-01T14:01:00.000Z"
    assert made.events("answer.given") == []


def test_an_answer_that_came_in_time_counts_also_when_we_were_away(made):
    made.scene.write("question.asked", "told", body={"deadline": "2026-03-01T14:01:00.000Z"})
    made.clock.wait(30)
    made.put("told", "yes")
    made.clock.wait(500)
    assert ask(made.scene, late()).answer == "yes"


def test_an_answer_that_came_too_late_does_not_count(made):
    made.scene.write("question.asked", "told", body={"deadline": "2026-03-01T14:01:00.000Z"})
    made.clock.wait(500)
    made.put("told", "yes")
    with pytest.raises(Unanswered):
        ask(made.scene, late(1_000))  # the deadline that was journaled counts


def test_open_questions_are_those_that_nothing_has_settled():
    kinds = [
        ("question.asked", "a"),
        ("question.asked", "b"),
        ("answer.refused", "a"),
        ("question.asked", "c"),
        ("question.asked", "d?gate"),
        ("answer.given", "b"),
        ("step.finished", "c"),
    ]
    assert open_questions(kinds) == ("a", "d?gate")
