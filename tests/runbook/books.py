"""Beginnings of runbooks, and what a test asks of one: its plan, its first step, what is said."""

from __future__ import annotations

from tests.runbook.conftest import Reader

from gonogo.plan.model import Plan, Step

EXPLICIT = "---\ngonogo: 1\n---\n\n"
METRICS = (
    "---\ngonogo: 1\nmetrics:\n"
    '  error rate: {log: a.jsonl, ratio: "status >= 500"}\n'
    "  response time: {log: a.jsonl, value: ms, unit: ms}\n---\n\n"
)
SHELL = "  ```bash\n  ./go\n  ```\n"


def a_plan(understood: Reader, text: str) -> Plan:
    found = understood(text)
    assert found.plan is not None, [(d.code, d.message) for d in found.diagnostics]
    return found.plan


def a_step(understood: Reader, body: str, *, front: str = EXPLICIT) -> Step:
    return next(a_plan(understood, f"{front}## Deployment\n\n{body}").steps())


def codes(understood: Reader, text: str) -> list[str]:
    return [d.code for d in understood(text).diagnostics]
