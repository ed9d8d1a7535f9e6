"""Who is told what, when, again, and until when: stories of one alert and of several."""

from __future__ import annotations

import json

import pytest
from tests.judge.telling import HOUR, MIN, RECEIVERS, Stage

from gonogo.plan.notices import Reason, Severity, State, notice_from_json
from gonogo.plan.receivers import Rung


def test_a_page_is_told_at_once_and_only_once() -> None:
    stage = Stage()
    stage.fire(0)
    assert stage.step(0) == [("ana", "first", ("errors/1",))]
    stage.fire(1000)
    assert stage.step(1000) == []
    assert stage.reasons(2000) == []  # what is known is not journaled again


def test_an_unacknowledged_page_goes_up_the_ladder_and_is_repeated() -> None:
    stage = Stage()
    stage.fire(0)
    log = [(at // MIN, *one[:2]) for at in range(0, 61 * MIN, MIN) for one in stage.step(at)]
    assert log == [
        (0, "ana", "first"),
        (10, "bob", "escalated"),
        (20, "lead", "escalated"),
        (20, "ana", "escalated"),
        (40, "bob", "repeated"),
        (50, "ana", "repeated"),
        (50, "lead", "repeated"),
    ]


@pytest.mark.parametrize("acked_at", [0, 5 * MIN, 15 * MIN], ids=["at once", "early", "late"])
def test_an_acknowledged_page_is_quiet_until_it_ends(acked_at: int) -> None:
    stage = Stage()
    stage.fire(0)
    for at in range(0, acked_at + 1, MIN):
        stage.step(at)
    assert stage.alerts.acknowledge("alert/errors/1?ack", "ana")
    assert not stage.alerts.acknowledge("alert/errors/1?ack", "bob")
    decisions = stage.alerts.step(acked_at + 1).decisions
    assert [(d.reason, d.who) for d in decisions] == [(Reason.ACKNOWLEDGED, "ana")]
    assert [one for at in range(acked_at + MIN, 3 * HOUR, MIN) for one in stage.step(at)] == []
    stage.alerts.clear("errors", "errors are good for 2 buckets")
    assert {(c, r) for c, r, _ in stage.step(3 * HOUR)} >= {("ana", "resolved")}


def test_an_answer_to_another_question_acknowledges_nothing() -> None:
    stage = Stage()
    stage.fire(0)
    assert not stage.alerts.acknowledge("alert/errors/1?ack", "ana")  # nobody was asked so far
    stage.step(0)
    assert not stage.alerts.acknowledge("alert/errors/2?ack", "ana")


def test_the_end_is_told_once_to_everybody_who_was_told() -> None:
    stage = Stage()
    stage.fire(0)
    stage.step(0)
    stage.step(10 * MIN)
    stage.alerts.clear("errors", "good again")
    stepped = stage.alerts.step(11 * MIN)
    assert [(n.contact, n.state, n.urgent) for n in stepped.notices] == [
        ("ana", State.RESOLVED, True),
        ("bob", State.RESOLVED, True),
    ]
    assert stepped.notices[0].text().splitlines()[2].startswith("resolved: good again (since 1970")
    assert stage.step(12 * MIN) == []
    assert stage.alerts.open == []


def test_what_fires_again_is_a_new_alert_with_a_new_question() -> None:
    stage = Stage()
    for at in (0, 10):
        stage.fire(at)
        stage.step(at)
        stage.alerts.clear("errors", "")
        stage.step(at + 1)
    stage.fire(20)
    assert stage.step(20) == [("ana", "first", ("errors/3",))]
    assert [alert.ack for alert in stage.alerts.waiting()] == ["alert/errors/3?ack"]


def test_alerts_of_one_moment_are_one_message() -> None:
    stage = Stage()
    for rule in ("errors", "latency", "cache"):
        stage.fire(0, rule=rule)
    assert stage.step(0) == [("ana", "first", ("errors/1", "latency/1", "cache/1"))]


def test_milder_alerts_wait_for_others_and_then_go_together() -> None:
    stage = Stage()
    stage.fire(0, "warn", "errors")
    assert stage.step(0) == []
    stage.fire(20_000, "warn", "latency")
    assert stage.step(29_999) == []
    assert stage.alerts.next_ms(29_999) == 30_000
    assert stage.step(30_000) == [("team", "first", ("errors/1", "latency/1"))]
    assert [one for at in range(31_000, 4 * HOUR, MIN) for one in stage.step(at)] == []


def test_a_milder_alert_that_ends_before_it_was_told_is_never_told() -> None:
    stage = Stage()
    stage.fire(0, "warn")
    stage.step(0)
    stage.alerts.clear("errors", "")
    assert stage.reasons(10_000) == ["untold"]
    assert stage.step(HOUR) == []


def test_what_becomes_worse_is_told_at_once_and_needs_a_new_yes() -> None:
    stage = Stage()
    stage.fire(0, "page")
    stage.step(0)
    stage.alerts.acknowledge("alert/errors/1?ack", "ana")
    stage.step(MIN)
    stage.fire(2 * MIN, "critical")
    assert stage.step(2 * MIN) == [("ana", "upgraded", ("errors/1",))]
    assert [alert.ack for alert in stage.alerts.waiting()] == ["alert/errors/1?ack-2"]
    assert stage.step(12 * MIN) == [("bob", "escalated", ("errors/1",))]


def test_whoever_knew_of_the_warning_hears_of_the_page() -> None:
    stage = Stage(group_s=0.0)
    stage.fire(0, "warn")
    stage.step(0)
    stage.fire(MIN, "page")
    assert [(c, r) for c, r, _ in stage.step(MIN)] == [("ana", "upgraded"), ("team", "upgraded")]


def test_what_becomes_milder_stays_what_it_was() -> None:
    stage = Stage()
    stage.fire(0, "critical")
    stage.step(0)
    stage.fire(MIN, "warn")
    assert stage.step(MIN) == []
    assert stage.alerts.open[0].severity is Severity.CRITICAL


@pytest.mark.parametrize(("severity", "hours"), [("p1", 4), ("p2", 24)])
def test_a_response_clock_pages_when_it_ends(severity: str, hours: int) -> None:
    ladders = {
        **RECEIVERS.ladders,
        Severity.P1: (Rung(("team",)),),
        Severity.P2: (Rung(("team",)),),
    }
    stage = Stage(ladders=ladders)
    stage.fire(0, severity)
    log = [(at // MIN, *one[:2]) for at in range(0, 25 * HOUR, MIN) for one in stage.step(at)]
    clock = hours * 60
    assert log[0] == (0 if severity == "p1" else 1, "team", "first")
    assert log[1:4] == [
        (clock, "ana", "overdue"),
        (clock, "team", "overdue"),
        (clock + 10, "bob", "escalated"),
    ]
    stage.alerts.acknowledge("alert/errors/1?ack", "ana")
    assert [one for at in range(25 * HOUR, 60 * HOUR, MIN) for one in stage.step(at)] == []


def test_a_response_clock_that_is_kept_pages_nobody() -> None:
    stage = Stage()
    stage.fire(0, "p1")
    stage.step(0)
    stage.alerts.clear("errors", "mended")
    log = [one[:2] for at in range(3 * HOUR, 9 * HOUR, MIN) for one in stage.step(at)]
    assert log == [("ana", "resolved")]


def test_p0_is_immediate_and_p3_is_only_told() -> None:
    stage = Stage()
    stage.fire(0, "p0")
    stage.fire(0, "p3", "docs")
    assert stage.step(0) == [("ana", "first", ("errors/1",))]
    assert stage.step(30_000) == [("team", "first", ("docs/1",))]


def test_a_killed_run_goes_on_as_if_nothing_had_happened() -> None:
    steady, killed = Stage(), Stage()
    for stage in (steady, killed):
        stage.fire(0)
        stage.fire(0, "p1", "latency")
    for at in range(0, 6 * HOUR, 7 * MIN):
        killed = killed.killed()
        assert killed.alerts.step(at) == steady.alerts.step(at)


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="another version"):
        Stage().alerts.resume({"version": 2})


def test_a_message_survives_the_journal() -> None:
    stage = Stage()
    stage.fire(0)
    (notice,) = stage.alerts.step(0).notices
    assert notice_from_json(json.loads(json.dumps(notice.as_json()))) == notice


def test_the_clock_of_a_line_counts_before_that_of_its_severity() -> None:
    stage = Stage()
    stage.fire(0, "p1", within_s=600.0)
    assert stage.step(0) == [("ana", "first", ("errors/1",))]
    stage = stage.killed()
    assert stage.step(10 * MIN - 1) == []
    assert stage.step(10 * MIN)[0] == ("ana", "overdue", ("errors/1",))
