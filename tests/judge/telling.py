"""A stage for tests of alerts: people on a ladder, and steps that read as lists of who is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from gonogo.judge.alert import Stepped
from gonogo.judge.alerts import Alerts
from gonogo.judge.raising import Raising
from gonogo.plan.notices import Severity
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung
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
