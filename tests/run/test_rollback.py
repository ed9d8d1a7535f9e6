"""The way back: options in order, proof, typed words, undo in reverse, and what is refused."""

from __future__ import annotations

import pytest
from tests.support.works import (
    Scripted,
    a_block,
    a_manual,
    a_phase,
    a_plan,
    a_rollback,
    a_step,
    an_action,
    an_option,
    undo,
    unless,
)

from gonogo.errors import WorkError
from gonogo.plan.kinds import Destruction, Role
from gonogo.plan.model import Mode
from gonogo.run.release import all_slots
from gonogo.run.rollback import undo_steps
from gonogo.source import Span

OK = {"ok": True}
BAD = {"ok": False}
LOSS = Destruction("DROP TABLE users", "users", Span.of_line(3))


def bad_release(*deploy, log=None, rollback=None, before=(), **more):
    """A plan whose smoke test fails after these deployment steps."""
    log = log if log is not None else []
    deploy = deploy or (an_action("deploy", OK, log=log),)
    phases = [a_phase("pre", *before, role=Role.PREFLIGHT)] if before else []
    phases.append(a_phase("deployment", *deploy, role=Role.DEPLOY))
    phases.append(a_phase("smoke", a_step("home", Scripted("home", (BAD,), log))))
    return a_plan(*phases, rollback=rollback, **more)


def option(name, *results, log, **more):
    return an_option(name, an_action(f"{name}-act", *(results or (OK,)), log=log, **more))


def proof(*results, log=None):
    return a_step("old", Scripted("old", results or (OK,), log if log is not None else []))


def test_the_first_option_is_taken_and_proved(stage):
    log: list[str] = []
    back = a_rollback(option("one", log=log), option("two", log=log), proof=[proof(log=log)])
    made = stage(plan=bad_release(log=log, rollback=back))
    verdict = made.run()
    assert log == ["deploy", "home", "one-act", "old"]
    assert (verdict["verdict"], verdict["exit_code"], verdict["way"]) == ("no-go", 4, "options")
    assert verdict["why"].startswith("Smoke: home it: ok false, expected ")
    assert verdict["rollback"] == "One"
    done = made.events("rollback.finished")[0].body
    assert done == {"status": "pass", "option": "one", "why": "One"}
    ended = made.events("option.finished")[0]
    assert (ended.item, ended.body["status"]) == ("one", "pass")


@pytest.mark.parametrize(
    "first", [BAD, WorkError("no route"), {}], ids=["failed", "could not", "unknown"]
)
def test_the_second_option_is_taken_after_the_first_did_not_work(stage, first):
    log: list[str] = []
    back = a_rollback(option("one", first, log=log), option("two", log=log), proof=[proof(log=log)])
    made = stage(plan=bad_release(rollback=back, log=log))
    assert made.run()["exit_code"] == 4
    assert log == ["deploy", "home", "one-act", "two-act", "old"]
    assert [e.body["status"] for e in made.events("option.finished")] == ["fail", "pass"]


def test_a_proof_that_fails_makes_the_option_fail_and_the_next_is_proved_anew(stage):
    log: list[str] = []
    back = a_rollback(
        option("one", log=log), option("two", log=log), proof=[proof(BAD, OK, log=log)]
    )
    made = stage(plan=bad_release(rollback=back, log=log))
    assert made.run()["exit_code"] == 4
    assert log == ["deploy", "home", "one-act", "old", "two-act", "old"]
    finished = [e.item for e in made.events("step.finished") if "proof" in e.item]
    assert finished == ["one?proof:old", "two?proof:old"]


@pytest.mark.parametrize("seen", [BAD, {}, WorkError("x")], ids=["fail", "unknown", "error"])
def test_a_rollback_without_its_proof_does_not_count(stage, seen):
    log: list[str] = []
    back = a_rollback(option("one", log=log), proof=[proof(seen), proof()])
    back = a_rollback(option("one", log=log), proof=[proof(seen)])
    made = stage(plan=bad_release(rollback=back, log=log))
    verdict = made.run()
    assert (verdict["verdict"], verdict["exit_code"]) == ("no-go", 1)
    assert "rollback failed: old it" in verdict["why"]
    assert "times" not in verdict


def test_every_proof_is_looked_at_even_after_one_failed(stage):
    log: list[str] = []
    first = a_step("first", Scripted("first", (BAD,), log))
    second = a_step("second", Scripted("second", (OK,), log))
    back = a_rollback(option("one", log=log), proof=[first, second])
    made = stage(plan=bad_release(rollback=back, log=log))
    assert made.run()["exit_code"] == 1
    assert log[-2:] == ["first", "second"]


def test_without_a_written_proof_it_says_so(stage):
    made = stage(plan=bad_release(rollback=a_rollback(option("one", log=[]))))
    verdict = made.run()
    assert verdict["rollback"] == "One; no proof was written"


class TestDestructive:
    def test_it_needs_the_typed_name(self, stage):
        log: list[str] = []
        back = a_rollback(option("restore", log=log, destroys=(LOSS,)), proof=[proof()])
        made = stage(plan=bad_release(rollback=back))
        made.answers({"restore-act?typed0": "users"})
        assert made.run()["exit_code"] == 4
        assert log == ["restore-act"]

    def test_a_no_goes_on_to_the_next_option(self, stage):
        log: list[str] = []
        back = a_rollback(
            option("restore", log=log, destroys=(LOSS,)), option("two", log=log), proof=[proof()]
        )
        made = stage(plan=bad_release(rollback=back))
        made.answers({"restore-act?typed0": "no"})
        assert made.run()["exit_code"] == 4
        assert log == ["two-act"]

    def test_an_undo_block_that_destroys_something_needs_it_too(self, stage):
        log: list[str] = []
        block = undo("drop", log=log, losses=(LOSS,))
        made = stage(plan=bad_release(an_action("deploy", OK, undo=(block,))))
        made.answers({"deploy~undo1?typed0": "no"})
        assert made.run()["exit_code"] == 1
        assert log == []
        assert made.events("question.asked")[0].body["line"] == 22  # the block's line 3 of line 20


class TestUndo:
    def test_blocks_run_in_reverse_order_of_what_was_done(self, stage):
        log: list[str] = []
        steps = [
            an_action(n, OK, log=log, undo=(undo(f"{n}-undo", log=log),)) for n in ("a", "b", "c")
        ]
        made = stage(plan=bad_release(*steps))
        verdict = made.run()
        assert log == ["a", "b", "c", "c-undo", "b-undo", "a-undo"]
        assert (verdict["exit_code"], verdict["way"]) == (4, "undo")
        assert verdict["rollback"] == "3 undone; no proof was written"

    def test_only_what_was_done_is_undone(self, stage):
        log: list[str] = []
        steps = [
            an_action("a", OK, log=log, undo=(undo("a-undo", log=log),)),
            an_action("b", BAD, log=log, undo=(undo("b-undo", log=log),)),
            an_action("c", OK, log=log, undo=(undo("c-undo", log=log),)),
        ]
        made = stage(plan=bad_release(*steps))
        assert made.run()["exit_code"] == 4
        assert log == ["a", "b", "a-undo"]

    def test_what_was_found_already_done_was_not_done_by_this_run(self, stage):
        log: list[str] = []
        steps = [
            an_action("a", OK, unless=unless(OK), undo=(undo("a-undo", log=log),)),
            an_action("b", OK, undo=(undo("b-undo", log=log),)),
        ]
        made = stage(plan=bad_release(*steps))
        made.run()
        assert log == ["b-undo"]

    def test_a_waived_failure_counts_as_done(self, stage):
        log: list[str] = []
        step = an_action("a", BAD, undo=(undo("a-undo", log=log),))
        waivers = {"a": {"who": "eve", "reason": "only a warning", "expires": ""}}
        made = stage(plan=bad_release(step), waivers=waivers)
        assert made.run()["exit_code"] == 4
        assert log == ["a-undo"]

    def test_what_a_person_did_by_hand_is_undone(self, stage):
        log: list[str] = []
        step = an_action("a", OK, undo=(undo("a-undo", log=log),))
        skipped = an_action("b", OK, undo=(undo("b-undo", log=log),))
        plan = bad_release(step, skipped, mode=Mode.ASSISTED)
        made = stage(plan=plan)
        made.answers(
            {
                "a?block": "by hand",
                "b?block": "skip",
                "home?block": "run",
                "a~undo1?block": "run",
            }
        )
        assert made.run()["exit_code"] == 4
        assert log == ["a-undo"]

    def test_the_first_that_fails_stops_it(self, stage):
        log: list[str] = []
        steps = [
            an_action("a", OK, undo=(undo("a-undo", log=log),)),
            an_action("b", OK, undo=(undo("b-undo", BAD, log=log),)),
        ]
        made = stage(plan=bad_release(*steps))
        verdict = made.run()
        assert (verdict["exit_code"], log) == (1, ["b-undo"])
        assert "rollback failed: undo: b it" in verdict["why"]

    def test_several_blocks_of_a_step_run_in_the_written_order(self):
        step = an_action("a", undo=(undo("x"), undo("y")))
        plan = bad_release(step)
        assert [s.block.work.name for s in undo_steps(plan)] == ["x", "y"]

    def test_the_written_proof_is_looked_at_after_undoing_too(self, stage):
        log: list[str] = []
        step = an_action("a", OK, undo=(undo("a-undo", log=log),))
        made = stage(plan=bad_release(step, rollback=a_rollback(proof=[proof(BAD, log=log)])))
        assert made.run()["exit_code"] == 1
        assert log == ["a-undo", "old"]

    def test_an_undo_without_expectation_of_its_own_must_not_fail(self, stage):
        step = an_action("a", OK, undo=(undo("a-undo", BAD),))
        made = stage(plan=bad_release(step))
        assert made.run()["exit_code"] == 1


class TestWhichWay:
    def test_nothing_was_changed(self, stage):
        plan = bad_release(
            a_step("look", None, OK), rollback=a_rollback(option("one", log=[]), proof=[proof()])
        )
        made = stage(plan=plan)
        verdict = made.run()
        assert (verdict["exit_code"], verdict["way"]) == (1, "none")
        assert verdict["why"].endswith("; not rolled back: nothing was changed")
        assert not made.events("rollback.started")

    def test_no_way_back_was_written(self, stage):
        made = stage(plan=bad_release())
        assert made.run()["rollback"] == "no way back was written"

    def test_a_step_that_was_not_done_has_nothing_to_undo(self, stage):
        log: list[str] = []
        made = stage(plan=bad_release(an_action("deploy", BAD, undo=(undo("back", log=log),))))
        said = made.run()["rollback"]
        assert said.startswith("nothing to undo: `deploy it` did not come to its end")
        assert log == []

    def test_a_step_beside_it_without_a_way_back_is_none(self, stage):
        steps = (an_action("a", OK), an_action("b", BAD, undo=(undo("back"),)))
        made = stage(plan=bad_release(*steps))
        assert made.run()["rollback"] == "no way back was written"

    def test_options_are_not_for_what_came_before_the_deployment(self, stage):
        log: list[str] = []
        before = (an_action("backup", OK, log=log), a_step("disk", None, BAD, critical=True))
        back = a_rollback(option("one", log=log), proof=[proof(log=log)])
        made = stage(plan=bad_release(before=before, rollback=back, log=log))
        verdict = made.run()
        assert log == ["backup"]
        assert (verdict["exit_code"], verdict["way"]) == (1, "none")
        assert "the deployment had not begun" in verdict["why"]

    def test_what_came_before_the_deployment_is_undone_where_it_can(self, stage):
        log: list[str] = []
        before = (
            an_action("lock", OK, undo=(undo("unlock", log=log),)),
            a_step("disk", None, BAD),
        )
        back = a_rollback(option("one", log=log), proof=[proof(log=log)])
        made = stage(plan=bad_release(before=before, rollback=back))
        assert made.run()["way"] == "undo"
        assert log == ["unlock", "old"]

    def test_a_deployment_that_failed_in_its_middle_takes_the_options(self, stage):
        log: list[str] = []
        back = a_rollback(option("one", log=log), proof=[proof()])
        made = stage(plan=bad_release(an_action("deploy", BAD), rollback=back))
        assert made.run()["exit_code"] == 4
        assert log == ["one-act"]

    @pytest.mark.parametrize(("answer", "taken"), [("yes", True), ("no", False)])
    def test_a_deployment_by_a_persons_hand_takes_them_when_it_was_done(self, stage, answer, taken):
        log: list[str] = []
        back = a_rollback(option("one", log=log), proof=[proof()])
        made = stage(plan=bad_release(a_manual("press the button"), rollback=back))
        made.answers({"press the button": answer})
        made.run()
        assert bool(log) is taken


class TestAsk:
    def plan(self, log):
        back = a_rollback(option("one", log=log), proof=[proof()], automatic=False)
        return bad_release(rollback=back)

    def test_a_yes_goes_back(self, stage):
        log: list[str] = []
        made = stage(plan=self.plan(log))
        made.answers({"rollback?decide": "yes"})
        assert made.run()["exit_code"] == 4
        assert log == ["one-act"]

    def test_a_no_stays_with_name_and_reason(self, stage):
        log: list[str] = []
        made = stage(plan=self.plan(log))
        made.answers({"rollback?decide": "no"}, "eve", "we fix forward")
        verdict = made.run()
        assert (verdict["exit_code"], verdict["way"], log) == (1, "refused", [])
        assert verdict["rollback"] == "eve refused: we fix forward"

    def test_a_no_without_a_reason_is_asked_again(self, stage):
        made = stage(plan=self.plan([]))
        made.put("rollback?decide", "no")
        made.clock.at(60, lambda: made.put("rollback?decide", "yes"))
        assert made.run()["exit_code"] == 4

    def test_undoing_asks_as_the_front_matter_says(self, stage):
        step = an_action("a", OK, undo=(undo("a-undo"),))
        made = stage(plan=bad_release(step, settings={"rollback": "ask"}))
        made.answers({"rollback?decide": "no"})
        assert made.run()["way"] == "refused"


class TestAbort:
    def test_it_goes_back(self, stage):
        log: list[str] = []
        back = a_rollback(option("one", log=log), proof=[proof()])
        deploy = an_action("deploy", lambda c: (made.abort("the shop is down"), OK)[1])
        made = stage(plan=bad_release(deploy, rollback=back))
        verdict = made.run()
        assert (verdict["exit_code"], log) == (4, ["one-act"])
        assert verdict["why"] == "aborted by ana: the shop is down"

    def test_the_way_back_is_deaf_to_it(self, stage):
        log: list[str] = []

        def act(context):
            made.abort()
            return OK

        back = a_rollback(option("one", act, log=log), proof=[proof(log=log)])
        made = stage(plan=bad_release(rollback=back))
        assert made.run()["exit_code"] == 4
        assert log == ["one-act", "old"]


class TestTimes:
    def test_the_four_parts_add_up(self, stage):
        def takes(seconds, result=OK):
            def act(context):
                made.clock.wait(seconds)
                return result

            return act

        back = a_rollback(
            an_option("one", an_action("act", takes(38))), proof=[a_step("old", None, takes(20))]
        )
        plan = a_plan(
            a_phase("deployment", an_action("deploy"), role=Role.DEPLOY),
            a_phase("smoke", a_step("home", None, takes(4, BAD))),
            rollback=back,
        )
        made = stage(plan=plan)
        assert made.run()["times"] == {
            "detect_s": 4.0,
            "decide_s": 0.0,
            "act_s": 38.0,
            "recover_s": 20.0,
        }

    def test_after_an_abort_they_begin_with_it(self, stage):
        back = a_rollback(option("one", BAD, log=[]), option("two", log=[]), proof=[proof()])
        made = stage(plan=bad_release(a_manual("told"), an_action("deploy"), rollback=back))
        made.answers({"told": "yes"})
        made.clock.at(0.05, made.abort)
        times = made.run()["times"]
        assert set(times) == {"detect_s", "decide_s", "act_s", "recover_s"}
        assert all(seconds >= 0 for seconds in times.values())


def test_every_slot_of_a_plan_has_a_name_of_its_own():
    back = a_rollback(option("one", log=[]), option("two", log=[]), proof=[proof()])
    block = a_block(Scripted("x"))
    plan = bad_release(an_action("deploy", undo=(block, block)), rollback=back)
    names = all_slots(plan)
    assert len(set(names)) == len(names)
    assert names[-1] == "?verdict"
