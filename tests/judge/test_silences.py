"""Planned windows: what is silent in them, what is told all the same, and what afterwards."""

from __future__ import annotations

from dataclasses import replace

from tests.judge.telling import HOUR, MIN, Stage

from gonogo.judge.raising import rollback_alert
from gonogo.plan.notices import Reason
from gonogo.plan.receivers import Silence

WINDOW = Silence("ana", "database restart", 10 * MIN, 20 * MIN)


def test_a_planned_window_is_silent_and_then_tells_what_is_left() -> None:
    stage = Stage(silences=(WINDOW,))
    stage.fire(12 * MIN)
    decisions = stage.alerts.step(12 * MIN).decisions
    assert [(d.reason, d.who) for d in decisions] == [(Reason.SILENCED, "ana: database restart")]
    assert stage.step(20 * MIN - 1) == []
    assert stage.alerts.next_ms(20 * MIN - 1) == 20 * MIN
    assert stage.step(20 * MIN) == [("ana", "first", ("errors/1",))]


def test_a_planned_window_stops_repetition_and_never_hides_an_end() -> None:
    stage = Stage(silences=(WINDOW,))
    stage.fire(0)
    stage.step(0)
    assert [one for at in range(10 * MIN, 20 * MIN, MIN) for one in stage.step(at)] == []
    stage.alerts.clear("errors", "")
    assert stage.step(15 * MIN) == [("ana", "resolved", ("errors/1",))]


def test_a_planned_window_may_be_about_some_rules_only() -> None:
    stage = Stage(silences=(replace(WINDOW, only="Errors"),))
    stage.fire(12 * MIN)
    stage.fire(12 * MIN, rule="latency")
    assert stage.step(12 * MIN) == [("ana", "first", ("latency/1",))]


def test_a_rollback_is_told_in_a_planned_window_too() -> None:
    stage = Stage(silences=(WINDOW,))
    stage.alerts.fire(rollback_alert("error rate 3 %", 12 * MIN), 12 * MIN)
    assert stage.step(12 * MIN) == [("ana", "first", ("rollback/1",))]


def test_nobody_is_still_to_be_told_in_a_planned_window_or_when_it_is_over() -> None:
    window = Silence("ana", "restart", 0, HOUR)
    stage = Stage(silences=(window,))
    stage.fire(MIN)
    stage.fire(MIN, rule="rollback", always=True)
    assert [contacts for _, contacts in stage.alerts.ahead(MIN)] == [
        ("ana",), ("bob",), ("lead", "ana"),
    ]  # fmt: skip
    stage.alerts.clear("rollback", "over")
    assert stage.alerts.ahead(MIN) == ()


def test_a_window_that_is_ended_is_over_at_once() -> None:
    stage = Stage()
    stage.alerts.silence(Silence("bob", "restart", 0, HOUR, name="silence/1"))
    stage.fire(0)
    assert stage.reasons(0) == ["silenced"]
    stage.alerts.unsilence("silence/1", MIN)
    assert stage.killed().step(MIN) == [("ana", "first", ("errors/1",))]


def test_a_window_for_one_metric_finds_it_by_its_name() -> None:
    stage = Stage()
    stage.alerts.silence(Silence("bob", "restart", 0, HOUR, only="Response Time"))
    stage.fire(0, rule="page/p99", metrics="response time")
    stage.fire(0, rule="page/other", metrics="queue")
    assert stage.step(0) == [("ana", "first", ("page/other/1",))]
