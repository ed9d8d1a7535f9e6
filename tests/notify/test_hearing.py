"""Alerts that nobody would hear are found with the runbook."""

from __future__ import annotations

import pytest
from tests.notify.test_receivers import understood

from gonogo.judge.firing import mistakes_of_watch
from gonogo.judge.hearing import unheard_in

METRICS = "metrics:\n  error rate: { log: access.jsonl, ratio: status >= 500 }\n"
TOLD = "contacts:\n  ana: { page: $ANA }\n  team: { webhook: $TEAM }\n"
WATCH = (
    "\n## Watch for 1 hour\n### Alerts\n- Warn: error rate > 1%\n- P2: error rate > 2%\n"
    "- Page: error rate > 3%\n- P0: error rate > 4%\n## Rollback\n### Triggers\n"
    "- error rate > 5% for 2 buckets\n"
)


def said(front: str, *, body: str = WATCH) -> list[tuple[str, str]]:
    plan = understood(METRICS + front, body).plan
    assert plan is not None
    found = unheard_in(plan)
    assert {d.code for d in found} <= {"GN376"}
    assert [d for d in mistakes_of_watch(plan) if d.code == "GN376"] == found
    words = {"warn", "p2", "page", "p0", "alerts"}
    return [
        (
            d.severity.value,
            next(w for w in d.message.replace("`", "").replace(":", "").split() if w in words),
        )
        for d in found
    ]


def test_where_nobody_can_be_told_one_note_says_so() -> None:
    assert said("") == [("note", "alerts")]
    assert said("contacts: [ana, ben]\n") == [("note", "alerts")]


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        ("", []),
        ("alerts: { warn: team, page: ana }\n", []),
        ("alerts: { warn: team }\n", ["page", "p0", "page"]),
        ("alerts: { page: ana }\n", ["warn", "p2"]),
        ("alerts: { p0: ana }\n", ["warn", "p2", "page", "page"]),
    ],
    ids=["everybody", "all", "no-page", "no-warn", "only-p0"],
)
def test_each_severity_without_receivers_is_a_warning(alerts: str, expected: list[str]) -> None:
    assert said(TOLD + alerts) == [("warning", word) for word in expected]


def test_without_alerts_nothing_is_said() -> None:
    assert said("", body="\n## Watch for 1 hour\n### Objectives\n- error rate < 1%\n") == []
