"""What a person is told before a name is typed: looked at once, and nobody is asked in vain."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.works import Scripted, a_step

from gonogo.errors import WorkError
from gonogo.judge.verdict import Status
from gonogo.plan.kinds import Context, Destruction, Effect
from gonogo.run.perform import perform
from gonogo.source import Span

LOSS = Destruction("restore over db", "db", Span.of_line(3))


@dataclass(frozen=True)
class Staked(Scripted):
    """Says what is at stake, or that it would be refused."""

    said: list[str] = field(default_factory=lambda: ["backup: `a`, of database `shop`"])
    problem: Exception | None = None

    def at_stake(self, context: Context) -> str:
        if self.problem is not None:
            raise self.problem
        return self.said.pop()


def staked(**more):
    work = Staked("restore", ({"ok": True},), losses=(LOSS,), **more)
    return a_step("restore", work, effect=Effect.ACTION, destroys=(LOSS,))


def test_it_stands_beside_the_question_and_is_looked_at_once(stage):
    step = staked()
    made = stage(step)
    made.clock.at(5, lambda: made.put("restore?typed0", "db"))
    assert perform(made.scene, step)["status"] == Status.PASS.value
    (asked,) = made.events("question.asked")
    assert asked.body["detail"] == "backup: `a`, of database `shop`"
    made.fresh()
    perform(made.scene, step)  # `said` is empty by now: it would fail


def test_nobody_is_asked_for_what_would_be_refused(stage):
    step = staked(problem=WorkError("it is of database `billing`", hint="name the right one"))
    made = stage(step)
    finding = perform(made.scene, step)
    assert finding["status"] == Status.FAIL.value
    assert finding["why"] == "it is of database `billing`"
    assert finding["text"] == "name the right one"
    assert not made.events("question.asked")
    assert step.block.work.log == []


def test_a_bug_in_a_kind_does_not_stop_the_question(stage):
    step = staked(problem=ValueError("oops"))
    made = stage(step)
    made.answers({"restore?typed0": "no"})
    assert perform(made.scene, step)["status"] == Status.FAIL.value
    (asked,) = made.events("question.asked")
    assert asked.body["detail"] == "what is at stake cannot be said: ValueError: oops"
