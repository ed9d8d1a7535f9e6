"""A run whose people are told through real channels, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from tests.support.works import a_plan

from gonogo.clock import Clock
from gonogo.judge.raising import Clearing, Raising
from gonogo.plan.notices import Severity, Way
from gonogo.plan.receivers import Channel, Contact, Receivers, Rung
from gonogo.redaction import Redactor
from gonogo.run.alerting import Alerting, clear_alert, raise_alert
from gonogo.run.deliveries import Deliverer
from gonogo.run.journal import Answer, Event
from gonogo.run.scene import Scene
from gonogo.source import Span
from gonogo.store.journal import SqliteJournal

RUN = "7f3a"
SPAN = Span.of_line(1)
Ways = Mapping[tuple[str, str], Way]


def receivers_of(ways: Ways, **more: Any) -> Receivers:
    """Return receivers in which `ana`, then `bob`, then `lead` are paged; `team` is warned."""
    contacts: dict[str, list[Channel]] = {}
    for name, kind in ways:
        contacts.setdefault(name, []).append(Channel(kind, "$X", SPAN))
    order = [name for name in ("ana", "bob", "lead") if name in contacts]
    ladder = tuple(Rung((name,), 600.0 * at) for at, name in enumerate(order))
    ladders = {Severity.PAGE: ladder, Severity.WARN: (Rung(("team",)),)}
    values: dict[str, Any] = {
        "contacts": tuple(Contact(n, tuple(c), SPAN) for n, c in contacts.items()),
        "ladders": ladders,
        "written": True,
    }
    return Receivers(**{**values, **more})


class World:
    """One run and its channels; `reborn` is what a new process has after the old one died."""

    def __init__(self, folder: Path, ways: Ways, clock: Clock | None = None, **more: Any) -> None:
        self.folder = folder
        self.ways = ways
        self.clock: Any = clock or FakeClock()
        self.more = more
        self.redact = Redactor(more.pop("secrets", ()))
        self.receivers = receivers_of(ways, **more)
        self.reborn()

    def reborn(self) -> World:
        self.journal = SqliteJournal(self.folder / "journal.db", self.clock)
        self.scene = Scene(
            run=RUN,
            plan=a_plan(),
            journal=self.journal,
            clock=self.clock,
            redact=self.redact,
            targets={},
            variables={},
            cwd=self.folder,
            folder=self.folder / "runs" / RUN,
        )
        self.alerting = Alerting(self.scene, self.receivers, "search v2.4.0")
        self.deliverer = Deliverer(self.scene, self.receivers, self.ways)
        return self

    def raised(self, rule: str = "errors", severity: str = "page", text: str = "") -> None:
        now_ms = int(self.clock.now().timestamp() * 1000)
        words = text or f"{rule} are bad"
        raise_alert(self.scene, Raising(rule, Severity(severity), words, now_ms))

    def cleared(self, rule: str = "errors") -> None:
        clear_alert(self.scene, Clearing(rule, f"{rule} are good again"))

    def seen(self, item: str, who: str = "ana") -> None:
        self.journal.put(Answer(RUN, 1, item, "seen", who, "2026-03-01T14:00:00Z"))

    def step(self) -> None:
        self.alerting.step()
        self.deliverer.step()

    def run(self, seconds: float, every_s: float = 5.0) -> None:
        """Let time pass, stepping all the while."""
        passed = 0.0
        while passed < seconds:
            self.step()
            self.clock.wait(every_s)
            passed += every_s
        self.step()

    def events(self, kind: str = "") -> list[Event]:
        return [e for e in self.journal.events(RUN) if not kind or e.kind == kind]

    def kinds(self, item: str) -> list[str]:
        return [e.kind.removeprefix("delivery.") for e in self.journal.of_item(RUN, item)]
