from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.report import stories
from tests.report.builders import Story, a_phase, a_plan, a_step, resealed

from gonogo.judge.verdict import Finding, Status, Verdict
from gonogo.report import Outcome, collect, render
from gonogo.report.facts import StepFacts


def step_of(evidence, name: str) -> StepFacts:
    return next(s for _, steps in evidence.sections() for s in steps if s.id == name)


def one_step(**more: object) -> dict:
    return a_plan(a_phase("smoke", "Smoke tests", a_step("home", "Home page answers", 50, **more)))


def test_the_head_says_who_released_what_where():
    evidence = collect(stories.go().events)
    assert (evidence.service, evidence.release, evidence.environment) == (
        "search",
        "v2.4.0",
        "production",
    )
    assert (evidence.run, evidence.started_by, evidence.host) == ("7f3a", "ana", "deploy-1")
    assert evidence.bindings == ("APP_URL", "DATABASE_URL")


def test_of_bindings_only_the_names_are_kept():
    story = Story(one_step(), bindings={"TOKEN": "hunter2"})
    assert collect(story.events).bindings == ("TOKEN",)
    assert "hunter2" not in json.dumps(collect(story.events).comparable())


def test_steps_that_never_ran_are_listed_as_not_run():
    evidence = collect(stories.rolled_back().events)
    search = step_of(evidence, "search")
    assert (search.word, search.status) == ("not run", Status.UNKNOWN)
    assert search.finding is not None
    assert search.finding.why.endswith("(line 57) did not pass")
    migrate, switch = collect(stories.unfinished().events).phases[1].steps
    assert (migrate.word, switch.word, switch.finding) == ("unfinished", "not run", None)


def test_all_attempts_are_kept_and_the_latest_decides():
    admin = step_of(collect(stories.go().events), "admin")
    assert [a.status for a in admin.attempts] == [Status.FAIL, Status.PASS]
    assert admin.status is Status.PASS
    twice = Story(one_step()).phase("smoke").do("home", "pass").do("home", "fail")
    home = step_of(collect(twice.events), "home")
    assert [a.status for a in home.attempts] == [Status.PASS, Status.FAIL]
    assert home.status is Status.FAIL


def test_a_crash_leaves_a_gap_and_an_attempt_without_result():
    evidence = collect(stories.crashed_and_resumed().events)
    resumed, attempt = evidence.gaps
    assert (resumed.kind, resumed.seconds) == ("resumed", 130.0)
    assert attempt.kind == "attempt"
    assert "attempt 1 of `Apply the migration`" in attempt.what
    migrate = step_of(evidence, "migrate")
    assert [a.finished != "" for a in migrate.attempts] == [False, True]
    assert evidence.phases[1].gap_s == 130.0
    assert evidence.outcome is Outcome.GO


def test_a_clock_that_was_set_back_is_a_gap():
    story = Story(one_step()).wait(-60).phase("smoke")
    (gap,) = collect(story.events).gaps
    assert (gap.kind, gap.seconds) == ("clock", -60.0)


@pytest.mark.parametrize("length", range(len(stories.go().events)))
def test_a_run_that_stops_early_is_unfinished_and_never_go(length: int):
    assert collect(stories.go().events[:length]).outcome is Outcome.UNFINISHED


def test_a_run_that_went_on_after_its_verdict_has_none():
    story = stories.hold_with_waiver().wait(60).say("run.resumed", pid=1)
    assert collect(story.events).outcome is Outcome.UNFINISHED


def test_a_verdict_of_go_that_its_exit_code_denies_is_no_go():
    story = Story(one_step()).phase("smoke").do("home").gate("smoke").verdict("go", 3)
    assert collect(story.events).outcome is Outcome.HOLD


def test_rolled_back_without_a_rollback_is_not_believed():
    story = Story(one_step()).verdict("no-go", 4)
    assert collect(story.events).outcome is Outcome.NO_GO


@pytest.mark.parametrize("seq", range(len(stories.rolled_back().events)))
@pytest.mark.parametrize(
    "change",
    [
        {"who": "mallory"},
        {"at": "2026-03-01T14:02:12.000Z"},
        {"kind": "step.tried"},
        {"item": "other"},
        {"attempt": 9},
        {"run": "8888"},
        {"epoch": 2},
        {"body": {"status": "pass"}},
        {"hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tampering_with_any_event_breaks_the_chain(seq: int, change: dict):
    events = stories.rolled_back().events
    changed = replace(events[seq], **change)
    if changed == events[seq]:
        pytest.skip(f"event {seq} has this {next(iter(change))} already: nothing is changed")
    events[seq] = changed
    evidence = collect(events)
    assert evidence.broken_at is not None
    assert evidence.broken_at <= seq + 2
    assert evidence.outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("seq", range(len(stories.go().events) - 1))
def test_a_missing_event_breaks_the_chain(seq: int):
    events = stories.go().events
    del events[seq]
    assert collect(events).outcome is Outcome.UNPROVEN


def test_what_waits_for_the_release_stands_in_every_form_of_a_page():
    plan = {**one_step(), "blocks": "the mobile <b>release"}
    evidence = collect(Story(plan).phase("smoke").events)
    assert json.loads(render(evidence, "json"))["blocks"] == "the mobile <b>release"
    assert "| Blocks | the mobile &lt;b&gt;release |" in render(evidence, "md")
    assert "the mobile &lt;b&gt;release" in render(evidence, "html")
    assert "Blocks" not in render(collect(Story(one_step()).phase("smoke").events), "md")


def test_a_ticked_box_is_a_claim_until_it_is_verified():
    plan = one_step(claimed=True)
    home = collect(Story(plan).phase("smoke").events).phases[0].steps[0]
    assert "claimed, not verified" in home.claim
    done = collect(Story(plan).phase("smoke").do("home").events).phases[0].steps[0]
    assert done.claim == ""
    failed = collect(Story(plan).phase("smoke").do("home", "waived", by="ana").events)
    assert failed.phases[0].steps[0].claim


@pytest.mark.parametrize(
    ("expires", "expired"),
    [
        ("2026-02-28", True),
        ("2026-03-01", False),
        ("2026-03-01T14:00:00Z", True),
        ("2027-01-01T00:00:00+02:00", False),
        ("after the audit", None),
    ],
)
def test_a_waiver_expires_by_the_time_of_the_last_event(expires: str, expired: bool | None):
    story = Story(one_step()).phase("smoke")
    story.do("home", "waived", by="ana", reason="known", expires=expires)
    (waiver,) = collect(story.events).waivers
    assert (waiver.by, waiver.reason, waiver.in_force) == ("ana", "known", True)
    assert waiver.expired is expired


def test_a_waiver_that_changed_nothing_is_listed_as_not_in_force():
    evidence = collect(stories.hold_with_waiver().events)
    assert [(w.item, w.in_force) for w in evidence.waivers] == [("index", True), ("backup", False)]


def test_answers_keep_who_when_why_and_what_was_refused():
    story = Story(one_step()).phase("smoke")
    story.say("question.asked", "home?block", question="run it?", form="block", choices=["run"])
    story.say("answer.refused", "home?block", who="eve", answer="maybe", why="no answer here")
    assert collect(story.events).questions[0].is_open
    story.answer("home?block", "skip", "ana", reason="no time", expires="2026-01-01")
    (question,) = collect(story.events).questions
    assert not question.is_open
    assert [a.refused for a in question.answers] == ["no answer here", ""]
    answer = question.answers[1]
    assert (answer.who, answer.reason, answer.expired) == ("ana", "no time", True)
    story.end("home", "waived", by="ana", reason="no time")
    assert step_of(collect(story.events), "home").word == "skipped"


def test_a_question_that_was_asked_again_after_a_crash_is_one_question():
    story = Story(one_step()).phase("smoke")
    for _ in range(2):
        story.say("question.asked", "home", question="does it answer?", form="manual")
    assert len(collect(story.events).questions) == 1


def test_the_ways_back_keep_stated_and_measured_times_and_the_proof():
    back = collect(stories.second_way().events).rollback
    assert back is not None
    told = [(o.id, o.word, o.stated_s, o.measured_s) for o in back.options]
    assert told == [("previous", "fail", 120.0, 10.0), ("restore", "fail", 900.0, 400.0)]
    assert back.proof_verdict is Verdict.HOLD
    assert (back.way, back.status) == ("options", "fail")
    assert back.reason == "aborted by ana: the shop is down"


def test_a_proof_that_did_not_run_is_no_go_ahead():
    events = stories.rolled_back().events
    short = [e for e in events if not e.item.endswith("old-schema")]
    back = collect(resealed(short)).rollback
    assert back is not None
    assert back.proof_verdict is Verdict.HOLD


def test_smoke_tests_that_run_again_after_the_rollback_do_not_hide_the_first_ones():
    story = stories.rolled_back()
    again = Story({**stories.the_plan(), "rollback": None})
    again.phase("smoke").do("admin", "fail").gate("smoke", "no-go")
    again.say("rollback.started", "rollback", reason="x", way="undo").do("switch")
    again.phase("smoke", "Smoke tests").do("admin").gate("smoke")
    evidence = collect(again.events)
    assert [s.status for s in evidence.phases[2].steps if s.id == "admin"] == [Status.FAIL]
    assert evidence.phases[2].verdict is Verdict.NO_GO
    assert evidence.rollback is not None
    assert [(s.id, s.status) for s in evidence.rollback.proof] == [("admin", Status.PASS)]
    assert [s.id for s in evidence.rollback.undo] == ["switch"]
    assert collect(story.events).rollback.proof_s == 9.0


def test_recovery_has_four_parts_and_a_sum_only_when_all_are_known():
    times = collect(stories.rolled_back().events).times
    assert dict(times.parts()) == {"detect": 4, "decide": 0, "act": 38, "recover": 20}
    assert times.total_s == 62
    story = Story(one_step()).verdict("no-go", 1, times={"detect_s": 1, "act_s": 7})
    partly = collect(story.events).times
    assert (dict(partly.parts()), partly.total_s) == ({"detect": 1, "act": 7}, None)


def test_a_go_at_a_held_gate_is_a_waiver_with_name_reason_and_expiry():
    evidence = collect(stories.held_then_go().events)
    given = [w for w in evidence.waivers if w.by == "eve" and w.in_force]
    assert [(w.item, w.reason, w.expires, w.expired) for w in given] == [
        (item, "checked by hand", "2026-04-01", False)
        for item in ("admin", "search", "smoke/rules")
    ]
    admin = step_of(evidence, "admin")
    assert admin.status is Status.UNKNOWN
    assert admin.accepted is not None
    assert admin.accepted.who == "eve"
    assert step_of(evidence, "home").accepted is None


def test_a_question_about_a_part_of_a_step_has_the_title_of_the_step():
    story = Story(stories.the_plan())
    for item in ("disk?block", "disk?typed0", "previous?proof:old-home?interrupted2", "pre?gate"):
        story.say("question.asked", item, question=item)
    titles = [question.title for question in collect(story.events).questions]
    assert titles == [
        "At least 8 GB of disk are free",
        "At least 8 GB of disk are free",
        "Home page answers (old version)",
        "Pre-deployment",
    ]


def test_findings_of_no_phase_are_shown_elsewhere():
    story = Story(one_step()).do("stray", "fail")
    assert [s.id for s in collect(story.events).elsewhere] == ["stray"]


def test_unknown_kinds_of_events_are_named():
    story = Story(one_step()).say("moon.phase", "x", full=True)
    assert collect(story.events).unread == ("moon.phase",)


def test_a_body_without_a_readable_status_is_unknown_and_says_so():
    story = Story(one_step()).phase("smoke").say("step.finished", "home", status="splendid")
    home = collect(story.events).phases[0].steps[0]
    assert home.status is Status.UNKNOWN
    assert "no readable status" in home.finding.why


def test_a_finding_is_read_back_as_it_was_journaled():
    finding = Finding(
        item="home",
        title="Home page answers",
        status=Status.WAIVED,
        effect="check",
        line=50,
        expected="status = 200",
        actual="status 500",
        why="fail",
        started="2026-03-01T14:02:11.000Z",
        duration_s=1.5,
        planned_s=3.0,
        attempts=2,
        by="ana",
        reason="known",
        expires="2027-01-01",
        link="ticket 7",
        text="out",
        indicators={"status": 500},
        sentences=("a", "b"),
        critical=True,
        notes=("n",),
    )
    story = Story(one_step()).phase("smoke").say("step.finished", "home", body=finding.as_json())
    assert collect(story.events).phases[0].steps[0].finding == finding


def test_nothing_at_all_is_unfinished():
    evidence = collect([])
    assert (evidence.outcome, evidence.run, evidence.events) == (Outcome.UNFINISHED, "", 0)


def test_runs_that_differ_in_times_only_are_comparable():
    slow = Story(stories.the_plan(), run="other", host="deploy-2").wait(7)
    fast = Story(stories.the_plan())
    for story, took in ((slow, 9.0), (fast, 0.1)):
        story.phase("pre").do("disk", took=took, indicators={"latency": took, "status": 200})
    slow.say("run.resumed", pid=7, gap_s=1)
    assert collect(slow.events).comparable() == collect(fast.events).comparable()
    assert (
        collect(slow.do("index", "fail").events).comparable()
        != collect(fast.do("index").events).comparable()
    )


def test_a_broken_chain_shows_in_what_is_compared():
    events = stories.go().events
    whole = collect(events).comparable()
    assert whole["intact"] is True
    events[3] = replace(events[3], who="mallory")
    assert collect(events).comparable()["intact"] is False
