"""Who is told what, when, again, and until when: stories of one alert and of several."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gonogo.judge.alert import Stepped
from gonogo.judge.alerts import Alerts
from gonogo.judge.raising import (
    Clearing,
    Raising,
    no_data_alert,
    of_move,
    rollback_alert,
    rollback_over,
    unwatched,
)
from gonogo.plan.notices import Reason, Severity, State, notice_from_json
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung, Silence
from gonogo.source import Span

MIN = 60_000
HOUR = 60 * MIN
SPAN = Span.of_line(1)


def people(*names: str) -> tuple[Contact, ...]:
    return tuple(Contact(n, (Channel("mail", f"{n}@example.org", SPAN),), SPAN) for n in names)


RECEIVERS = Receivers(
    contacts=people("team", "ana", "bob", "lead"),
    ladders={
        Severity.WARN: (Rung(("team",)),),
        Severity.PAGE: (Rung(("ana",)), Rung(("bob",), 600), Rung(("lead", "ana"), 1200)),
    },
    written=True,
)


class Stage:
    """Alerts whose steps read as lists: contact, reason, alerts."""

    def __init__(self, receivers: Receivers = RECEIVERS, **more: Any) -> None:
        self.alerts = Alerts("7f3a", "search v2.4.0", replace(receivers, **more))

    def fire(self, at: int, severity: str = "page", rule: str = "errors", **more: Any) -> None:
        raising = Raising(rule, Severity(severity), f"{rule} are bad", at, **more)
        self.alerts.fire(raising, at)

    def step(self, at: int) -> list[tuple[str, str, tuple[str, ...]]]:
        return told(self.alerts.step(at))

    def reasons(self, at: int) -> list[str]:
        return [d.reason.value for d in self.alerts.step(at).decisions]

    def killed(self) -> Stage:
        """A new process that takes up the stored state."""
        fresh = Stage(self.alerts.receivers)
        fresh.alerts.resume(json.loads(json.dumps(self.alerts.as_json())))
        return fresh


def told(stepped: Stepped) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (n.contact, line.reason.value, tuple(one.alert for one in n.lines))
        for n in stepped.notices
        for line in n.lines[:1]
    ]


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


# --- planned windows

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


# --- rollbacks, moves, silence of a metric


def test_a_rollback_that_fails_is_critical() -> None:
    stage = Stage()
    stage.alerts.fire(rollback_alert("error rate 3 %", 0), 0)
    stage.step(0)
    stage.alerts.fire(rollback_alert("undo.sh failed", MIN, failed=True), MIN)
    (notice,) = stage.alerts.step(MIN).notices
    assert notice.title() == "[critical] search v2.4.0: the rollback failed: undo.sh failed"


def test_a_rollback_that_is_proved_is_over() -> None:
    stage = Stage()
    stage.alerts.fire(rollback_alert("error rate 3 %", 0), 0)
    stage.step(0)
    over = rollback_over()
    stage.alerts.clear(over.rule, over.text)
    assert stage.step(MIN) == [("ana", "resolved", ("rollback/1",))]


@pytest.mark.parametrize(("blind", "told_at_once"), [(False, False), (True, True)])
def test_a_metric_without_data_warns_and_pages_when_it_lasts(
    blind: bool, told_at_once: bool
) -> None:
    stage = Stage()
    stage.alerts.fire(no_data_alert("cache hits", "query refused", 0, blind=blind), 0)
    assert bool(stage.step(0)) is told_at_once


def a_move(before: str, after: str, consequence: str = "page") -> dict[str, object]:
    return {
        "rule": "errors",
        "consequence": consequence,
        "before": before,
        "after": after,
        "reason": "error rate 3 %",
        "closed_ms": 600_000,
        "slices": [0, 300_000],
    }


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (a_move("pending", "firing"), Raising("errors", Severity.PAGE, "error rate 3 %", 0)),
        (
            a_move("inactive", "firing", "warn"),
            Raising("errors", Severity.WARN, "error rate 3 %", 0),
        ),
        (a_move("firing", "resolved"), Clearing("errors", "error rate 3 %")),
        (a_move("inactive", "pending"), None),
        (a_move("resolved", "inactive"), None),
        (a_move("pending", "firing", "objective"), None),
        (a_move("pending", "firing", "rollback"), None),
    ],
    ids=["page", "warn", "resolved", "pending", "inactive", "objective", "trigger"],
)
def test_a_move_of_a_rule_raises_or_ends_an_alert(
    move: dict[str, object], expected: object
) -> None:
    assert of_move(move) == expected


# --- nobody there


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


@pytest.mark.parametrize(
    ("after", "reason", "text"),
    [
        ("firing", "no data since 14:05", "error rate: no data since 14:05"),
        ("resolved", "data again", "error rate: data again"),
    ],
)
def test_silence_is_told_with_the_name_of_its_figure(after: str, reason: str, text: str) -> None:
    before = "inactive" if after == "firing" else "firing"
    move = {
        "rule": "blind/error rate",
        "consequence": "page",
        "reason": reason,
        "before": before,
        "after": after,
        "closed_ms": 0,
    }
    found = of_move(move)
    assert found is not None
    assert (found.rule, found.text) == ("blind/error rate", text)


# --- stored


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


def test_a_fact_is_told_once_and_asks_for_nothing() -> None:
    stage = Stage()
    stage.fire(0, "page", "unwatched", once=True)
    (notice,) = stage.alerts.step(0).notices
    (line,) = notice.lines
    assert (notice.contact, line.urgent, line.ack) == ("ana", True, "")
    assert stage.alerts.open == []
    assert stage.step(HOUR) == []


def test_a_mild_fact_waits_for_others_and_is_told_then() -> None:
    stage = Stage()
    stage.fire(0, "warn", "unwatched", once=True)
    assert stage.step(0) == []
    stage = stage.killed()
    assert stage.step(30_000) == [("team", "first", ("unwatched/1",))]
    assert stage.step(HOUR) == []


def test_a_fact_that_nobody_hears_is_not_kept() -> None:
    stage = Stage(Receivers())
    stage.fire(0, "warn", "unwatched", once=True)
    assert stage.reasons(0) == ["nobody"]
    assert stage.alerts.open == []


@pytest.mark.parametrize(
    ("gap_s", "width_s", "severity"),
    [(59, 0, None), (60, 0, "warn"), (599, 0, "warn"), (600, 0, "page"), (700, 300, "warn")],
)
def test_a_gap_is_told_by_its_length(gap_s: float, width_s: float, severity: str | None) -> None:
    found = unwatched(gap_s, 1_000_000, width_s=width_s)
    assert (found.severity.value if found else None) == severity


def test_a_gap_is_said_with_its_times() -> None:
    found = unwatched(5_400, 86_400_000)
    assert found is not None
    assert found.text == (
        "nobody watched for up to 1 h 30 min, 1970-01-01T22:30:00Z to 1970-01-02T00:00:00Z:"
        " gonogo was not running"
    )


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
