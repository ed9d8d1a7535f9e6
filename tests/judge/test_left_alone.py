"""Alerts that find nobody, that wait for somebody, or that are still open when the run ends."""

from __future__ import annotations

import json

from tests.judge.telling import MIN, Stage, told

from gonogo.plan.notices import notice_from_json
from gonogo.plan.receivers import Receivers


def test_without_a_receiver_it_is_journaled_that_nobody_was_told() -> None:
    stage = Stage(Receivers(written=True))
    stage.fire(0)
    assert stage.reasons(0) == ["nobody"]
    assert stage.reasons(MIN) == []
    stage.alerts.clear("errors", "")
    assert stage.reasons(2 * MIN) == ["untold"]


def test_whoever_cannot_be_reached_is_followed_by_the_next_at_once() -> None:
    stage = Stage()
    stage.fire(0)
    stage.step(0)
    stage.alerts.unreached(["errors/1"])
    assert stage.step(MIN) == [("bob", "unreached", ("errors/1",))]
    assert stage.step(2 * MIN) == []
    assert [c for c, _, _ in stage.step(20 * MIN)] == ["lead", "ana"]


def test_who_has_it_in_hand_need_not_be_followed() -> None:
    stage = Stage()
    stage.fire(0)
    stage.step(0)
    stage.alerts.acknowledge("alert/errors/1?ack", "ana")
    stage.alerts.unreached(["errors/1"])
    assert stage.step(MIN) == []


def test_who_is_still_to_be_told_is_known_until_somebody_acknowledges() -> None:
    stage = Stage()
    stage.fire(MIN)
    stage.fire(MIN, "warn", "latency")
    ladder = ((11 * MIN, ("bob",)), (21 * MIN, ("lead", "ana")))
    assert stage.alerts.ahead(MIN) == ((MIN, ("ana",)), *ladder)
    stage.step(MIN)
    assert stage.alerts.ahead(2 * MIN) == ladder
    stage.step(11 * MIN)
    assert stage.alerts.ahead(11 * MIN) == ladder[1:]
    assert stage.alerts.acknowledge("alert/errors/1?ack", "bob")
    assert stage.alerts.ahead(11 * MIN) == ()


def test_the_end_of_the_run_is_told_to_those_who_know_of_an_open_alert() -> None:
    stage = Stage()
    stage.fire(0)
    stage.fire(0, "warn", "latency")
    stage.step(0)
    stepped = stage.alerts.end(MIN)
    assert told(stepped) == [
        ("team", "first", ("latency/1",)),
        ("ana", "ended", ("errors/1",)),
        ("team", "ended", ("latency/1",)),
    ]
    assert stage.step(2 * MIN) == []


def test_whoever_is_left_alone_with_it_is_told_what_was_seen_last() -> None:
    stage = Stage()
    stage.fire(0)
    stage.fire(0, rule="latency")
    stage.step(0)
    stage.alerts.saw("errors", "errors 3 %, expected <= 1 %", MIN)
    stage.alerts.saw("queue", "queue 3", MIN)
    again = stage.killed()
    again.alerts.saw("errors", "errors 2 %, expected <= 1 %", 2 * MIN)
    (notice,) = again.alerts.end(3 * MIN).notices
    assert [line.say().partition("; ")[2] for line in notice.lines] == [
        "the run is over and watches no longer; "
        "when last seen, at 1970-01-01T00:02:00Z: errors 2 %, expected <= 1 %",
        "the run is over and watches no longer; look yourself",
    ]
    assert notice_from_json(json.loads(json.dumps(notice.as_json()))) == notice


def test_a_good_end_says_nothing_of_the_last_look() -> None:
    stage = Stage()
    stage.fire(0)
    stage.step(0)
    stage.alerts.saw("errors", "errors 3 %", MIN)
    stage.alerts.clear("errors", "errors 0 %")
    stage.alerts.saw("errors", "errors 0 %", MIN)
    (notice,) = stage.alerts.step(2 * MIN).notices
    assert notice.lines[0].say() == "resolved: errors 0 % (since 1970-01-01T00:00:00Z)"
