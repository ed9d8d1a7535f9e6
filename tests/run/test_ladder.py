"""The ladder of ways back: the written order, what is left out and why, what a person chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.run.test_watching import in_short_lives
from tests.support.scenes import Stage
from tests.support.works import (
    Scripted,
    Shelled,
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    unless,
    wanted,
)

from gonogo.clock import SystemClock
from gonogo.plan.kinds import Destruction, Effect, Role
from gonogo.plan.model import Follows, Option, Plan, Step
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung
from gonogo.report.evidence import collect
from gonogo.run.alerting import Alerting
from gonogo.run.durable import MemorySlots, Result
from gonogo.run.ladder import choice, names_of
from gonogo.source import Span

Staged = Callable[..., Stage]
BAD = {"ok": False}
LOSS = Destruction("DROP TABLE users", "users", Span.of_line(3))


class Once(MemorySlots):
    """Slots as the engine has them: one process may run each of them once."""

    def __init__(self, recorded: dict[str, Result] | None = None) -> None:
        super().__init__(recorded)
        self.ran: set[str] = set()

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        assert name not in self.ran, f"{name} is run twice"
        self.ran.add(name)
        return await super().run(name, work)


def way(name: str, log: list[str], *results: Any, **more: Any) -> Option:
    """Return a way back of one action; `destroys` makes it destructive."""
    losses = more.pop("destroys", ())
    step = an_action(f"{name}-act", *(results or ({"ok": True},)), log=log, destroys=losses)
    return Option(name, f"The {name} way", Span.of_line(20), (step,), **more)


def released(log: list[str], *ways: Option, automatic: bool = True, **more: Any) -> Plan:
    """Return a release whose smoke test fails behind a migration that may not have run."""
    migrate = an_action("migrate", log=log)
    deploy = a_phase("deploy", *more.get("deploy", (migrate,)), role=Role.DEPLOY)
    smoke = a_phase("smoke", a_step("home", Scripted("home", (BAD,))))
    back = a_rollback(*ways, automatic=automatic)
    return a_plan(deploy, smoke, rollback=back)


def carry(stage: Staged, plan: Plan, **answers: str) -> Stage:
    made = stage(plan=plan)
    made.answers({name.replace("__", "?"): said for name, said in answers.items()})
    made.run(slots=Once())
    return made


def ends(made: Stage) -> list[tuple[str, object, object]]:
    return [(e.item, e.body["status"], e.body["why"]) for e in made.events("option.finished")]


def code(made: Stage) -> object:
    return made.events("verdict.given")[0].body["exit_code"]


class TestConditions:
    def test_a_way_whose_condition_does_not_hold_is_left_out_with_the_reason(self, stage: Staged):
        log: list[str] = []
        condition = a_step("one?if1", Scripted("there", (BAD,)), title="it is there")
        plan = released(log, way("one", log, conditions=(condition,)), way("two", log))
        made = carry(stage, plan)
        assert log == ["migrate", "two-act"]
        assert ends(made)[0][:2] == ("one", "skipped")
        assert "only if it is there: ok false" in str(ends(made)[0][2])
        assert [e.item for e in made.events("option.started")] == ["two"]
        assert code(made) == 4
        back = collect(made.events()).rollback
        assert back is not None
        assert [(one.word, one.measured_s) for one in back.options] == [
            ("skipped", None),
            ("pass", 0.0),
        ]

    @pytest.mark.parametrize("seen", [{}, RuntimeError("bug")], ids=["unknown", "error"])
    def test_what_cannot_be_said_does_not_hold(self, stage: Staged, seen: Any):
        log: list[str] = []
        condition = a_step("one?if1", Scripted("there", (seen,)))
        carry(stage, released(log, way("one", log, conditions=(condition,)), way("two", log)))
        assert log == ["migrate", "two-act"]

    def test_a_condition_that_holds_opens_the_way(self, stage: Staged):
        log: list[str] = []
        condition = a_step("one?if1", Scripted("there"))
        carry(stage, released(log, way("one", log, conditions=(condition,)), way("two", log)))
        assert log == ["migrate", "one-act"]

    @pytest.mark.parametrize(("answer", "taken"), [("yes", "one-act"), ("no", "two-act")])
    def test_a_question_is_asked_when_it_comes_to_that(
        self, stage: Staged, answer: str, taken: str
    ):
        log: list[str] = []
        condition = a_manual("one?if1")
        plan = released(log, way("one", log, conditions=(condition,)), way("two", log))
        carry(stage, plan, one__if1=answer)
        assert log == ["migrate", taken]

    @pytest.mark.parametrize(
        ("begun", "taken"), [(True, "one-act"), (False, "two-act")], ids=["if begun", "if not"]
    )
    def test_a_step_of_the_release_is_looked_up_in_the_journal(
        self, stage: Staged, begun: bool, taken: str
    ):
        log: list[str] = []
        follows = (Follows("migrate", "Migrate", begun=begun),)
        made = carry(stage, released(log, way("one", log, after=follows), way("two", log)))
        assert log == ["migrate", taken]
        if not begun:
            assert ends(made)[0] == ("one", "skipped", "`Migrate` was begun in this run")

    def test_a_step_that_was_found_done_was_not_begun(self, stage: Staged):
        log: list[str] = []
        deploy = (
            an_action("ship", log=log),
            an_action("migrate", log=log, unless=unless({"ok": True})),
        )
        follows = (Follows("migrate", "Migrate"),)
        plan = released(log, way("one", log, after=follows), way("two", log), deploy=deploy)
        made = carry(stage, plan)
        assert log == ["ship", "two-act"]
        assert "`Migrate` was not begun" in str(ends(made)[0][2])

    def test_when_no_way_is_open_the_rollback_failed(self, stage: Staged):
        log: list[str] = []
        follows = (Follows("migrate", "Migrate", begun=False),)
        made = carry(stage, released(log, way("one", log, after=follows)))
        verdict = made.events("verdict.given")[0].body
        assert verdict["exit_code"] == 1
        assert "rollback failed: The one way was left out: `Migrate` was begun" in str(
            verdict["why"]
        )


class TestChoosing:
    def ladder(self, log: list[str], *, automatic: bool = False) -> Plan:
        return released(
            log,
            way("code", log, stated_s=120.0),
            way("schema", log, conditions=(a_step("schema?if1", Scripted("x"), title="it fits"),)),
            way("restore", log, destroys=(LOSS,), loses="all since the backup", stated_s=900.0),
            automatic=automatic,
        )

    def test_the_whole_ladder_is_offered_with_time_loss_and_condition(self, stage: Staged):
        log: list[str] = []
        made = carry(stage, self.ladder(log), rollback__decide="2")
        asked = made.events("question.asked")[0].body
        assert str(asked["detail"]).split("\n") == [
            "1. The code way, about 2 min",
            "2. The schema way",
            "   only if it fits",
            "3. The restore way, about 15 min",
            "   loses all since the backup",
            "   a person types its name first",
        ]
        assert asked["choices"] == [
            *("yes", "1", "2", "3", "the code way", "the schema way", "the restore way", "no")
        ]
        assert log == ["migrate", "schema-act"]
        assert made.events("rollback.started")[0].body["choice"] == "schema"

    @pytest.mark.parametrize(
        ("answer", "taken"),
        [("yes", "code-act"), ("1", "code-act"), ("the schema way", "schema-act")],
    )
    def test_a_way_is_chosen_by_number_or_name(self, stage: Staged, answer: str, taken: str):
        log: list[str] = []
        carry(stage, self.ladder(log), rollback__decide=answer)
        assert log == ["migrate", taken]

    def test_a_chosen_way_that_destroys_is_typed_all_the_same(self, stage: Staged):
        log: list[str] = []
        answers = {"rollback__decide": "3", "restore-act__typed0": "users"}
        carry(stage, self.ladder(log), **answers)
        assert log == ["migrate", "restore-act"]

    def test_after_a_chosen_way_has_failed_the_rest_is_offered(self, stage: Staged):
        log: list[str] = []
        plan = released(log, way("a", log), way("b", log, BAD), way("c", log), automatic=False)
        made = carry(stage, plan, rollback__decide="2", rollback__choice0="the c way")
        assert log == ["migrate", "b-act", "c-act"]
        detail = str(made.events("question.asked")[1].body["detail"])
        asked = made.events("question.asked")[1].body["question"]
        assert asked == "which way back? left are 1. The a way, 3. The c way"
        assert detail.startswith("b-act it: ok false")
        assert "2. The b way: was tried or left out" in detail
        assert made.events("question.asked")[1].body["choices"] == [
            *("yes", "1", "3", "the a way", "the c way", "no")
        ]

    def test_a_person_may_refuse_what_is_left(self, stage: Staged):
        log: list[str] = []
        plan = released(log, way("a", log, BAD), way("b", log), automatic=False)
        made = carry(stage, plan, rollback__decide="1", rollback__choice0="no")
        assert log == ["migrate", "a-act"]
        verdict = made.events("verdict.given")[0].body
        assert verdict["exit_code"] == 1
        assert "rollback failed: ana refused: so; a-act it: ok false" in str(verdict["why"])

    def test_when_only_ways_that_destroy_are_left_a_person_chooses(self, stage: Staged):
        log: list[str] = []
        plan = released(log, way("code", log, BAD), way("restore", log, destroys=(LOSS,)))
        answers = {"rollback__choice0": "2", "restore-act__typed0": "users"}
        made = carry(stage, plan, **answers)
        assert log == ["migrate", "code-act", "restore-act"]
        assert [e.item for e in made.events("question.asked")] == [
            "rollback?choice0",
            "restore-act?typed0",
        ]
        asked = made.events("question.asked")[0].body["question"]
        assert asked == "which way back? nothing is left that runs by itself"
        assert code(made) == 4

    def test_a_single_way_that_destroys_asks_for_its_name_only(self, stage: Staged):
        log: list[str] = []
        plan = released(log, way("restore", log, destroys=(LOSS,)))
        made = carry(stage, plan, **{"restore-act__typed0": "users"})
        assert [e.item for e in made.events("question.asked")] == ["restore-act?typed0"]
        assert log == ["migrate", "restore-act"]

    def test_one_way_needs_no_number(self, stage: Staged):
        log: list[str] = []
        made = carry(stage, released(log, way("a", log), automatic=False), rollback__decide="yes")
        assert made.events("question.asked")[0].body["choices"] == ["yes", "no"]
        assert log == ["migrate", "a-act"]


class TestFaults:
    def test_a_way_that_hangs_is_ended_at_its_deadline_and_the_next_is_taken(self, stage: Staged):
        log: list[str] = []
        hanging = Step(
            id="hang",
            title="hang it",
            span=Span.of_line(5),
            path=("Rollback",),
            effect=Effect.ACTION,
            block=a_step("x", Shelled("hang", log=log, command="exec tail -f /dev/null")).block,
            expect=wanted("ok = true"),
            timeout_s=0.3,
        )
        first = Option("one", "The one way", Span.of_line(4), (hanging,))
        made = stage(plan=released(log, first, way("two", log)))
        made.fresh(clock=SystemClock())
        made.run(slots=Once())
        assert log == ["migrate", "hang", "two-act"]
        assert ends(made)[0][:2] == ("one", "fail")
        assert code(made) == 4

    def test_cut_off_anywhere_no_finished_step_of_a_way_is_repeated(self, stage: Staged, tmp_path):
        """A way of three steps and a failing one: a life ends before and after each slot."""
        log: list[str] = []
        steps = tuple(an_action(f"s{n}", log=log) for n in (1, 2, 3))
        first = Option("one", "One", Span.of_line(4), (*steps, an_action("bad", BAD, log=log)))
        condition = a_step("two?if1", Scripted("c", log=log))
        second = way("two", log, conditions=(condition,), after=(Follows("migrate", "Migrate"),))
        made = stage(plan=released(log, first, second))
        in_short_lives(made)
        assert log == ["migrate", "s1", "s2", "s3", "bad", "c", "two-act"]
        assert code(made) == 4


def test_each_way_that_fails_pages_and_a_lost_rollback_is_critical(stage: Staged):
    log: list[str] = []
    made = carry(stage, released(log, way("one", log, BAD), way("two", log, BAD)))
    assert code(made) == 1
    contact = Contact("ana", (Channel("log", "$X", Span.of_line(1)),), Span.of_line(1))
    receivers = Receivers(
        contacts=(contact,),
        ladders={Severity.PAGE: (Rung(("ana",)),), Severity.CRITICAL: (Rung(("ana",)),)},
        written=True,
    )
    Alerting(made.scene, receivers).step()
    decided = made.events("alert.decided")[0].body
    told = str(decided["decisions"]) + str(decided["notices"])
    assert "a way back failed: one-act it: ok false" in told
    assert "a way back failed: two-act it: ok false" in told
    assert "the rollback failed: two-act it: ok false" in told


def test_a_way_that_was_left_out_pages_nobody(stage: Staged):
    log: list[str] = []
    follows = (Follows("migrate", "Migrate", begun=False),)
    made = carry(stage, released(log, way("one", log, after=follows), way("two", log)))
    Alerting(made.scene, Receivers(written=True)).step()
    told = "".join(str(e.body) for e in made.events("alert.decided"))
    assert "a way back failed" not in told


def test_a_title_that_is_shared_or_means_something_else_is_no_name():
    options = [
        Option(str(at), title, Span.of_line(at), ())
        for at, title in enumerate(["Back (about 2 min)", "back", "No", "2", "Restore [10 min]"], 1)
    ]
    back = a_rollback(*options)
    assert names_of(back) == {"5": "restore"}
    assert [choice(back, said) for said in ("2", "restore", "yes", "no")] == ["2", "5", "*", "no"]
