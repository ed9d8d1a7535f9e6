"""Sinks for messages, and messages for sinks."""

from __future__ import annotations

from typing import Any

from gonogo.plan.notices import Line, Notice, Reason, Severity, State

AT_MS = 1_772_373_900_000  # 2026-03-01T14:05:00Z


def a_line(**more: Any) -> Line:
    values: dict[str, Any] = {
        "alert": "error-rate/1",
        "severity": Severity.PAGE,
        "state": State.FIRING,
        "reason": Reason.FIRST,
        "text": "error rate 3 %, expected <= 2 % (2 of 2 buckets: 13:55, 14:00)",
        "since_ms": AT_MS - 600_000,
        "urgent": True,
        "ack": "alert/error-rate/1?ack",
    }
    return Line(**{**values, **more})


def a_notice(*lines: Line, **more: Any) -> Notice:
    values: dict[str, Any] = {
        "run": "7f3a",
        "number": 3,
        "contact": "ana",
        "about": "search v2.4.0 → production",
        "at_ms": AT_MS,
        "lines": lines or (a_line(),),
    }
    return Notice(**{**values, **more})
