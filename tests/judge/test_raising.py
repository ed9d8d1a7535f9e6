"""What becomes an alert: a rule that fires, a rollback, a figure without data, a gap in time."""

from __future__ import annotations

import pytest
from tests.judge.telling import HOUR, MIN, Stage

from gonogo.judge.raising import (
    Clearing,
    Raising,
    no_data_alert,
    of_move,
    rollback_alert,
    rollback_over,
    unwatched,
)
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import Receivers


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
