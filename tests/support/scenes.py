"""Scenes on a real journal with a controlled clock, and people who answer while someone waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock

from gonogo.clock import stamp
from gonogo.plan.model import Plan
from gonogo.redaction import Redactor
from gonogo.run.durable import MemorySlots, Result, Slots
from gonogo.run.journal import ABORT, Answer, Event
from gonogo.run.release import release
from gonogo.run.scene import Scene
from gonogo.store.journal import SqliteJournal

RUN = "7f3a"


class Stage:
    """A run in a folder; `fresh` is what a new process has after the old one died."""

    def __init__(self, folder: Path, plan: Plan, **more: Any) -> None:
        self.folder = folder
        self.plan = plan
        self.clock = FakeClock(longest_s=5_000)
        self.journal = SqliteJournal(folder / "journal.db", self.clock)
        self.more = more
        self.scene = self.fresh()

    def fresh(self, **more: Any) -> Scene:
        values: dict[str, Any] = {
            "run": RUN,
            "plan": self.plan,
            "journal": self.journal,
            "clock": self.clock,
            "redact": Redactor(),
            "targets": {},
            "variables": {},
            "cwd": self.folder,
            "folder": self.folder / "runs" / RUN,
        }
        self.scene = Scene(**{**values, **self.more, **more})
        return self.scene

    def events(self, kind: str = "") -> list[Event]:
        return [e for e in self.journal.events(RUN) if not kind or e.kind == kind]

    def kinds(self) -> list[str]:
        return [e.kind for e in self.events()]

    def put(self, item: str, answer: str, who: str = "ana", **more: str) -> bool:
        at = stamp(self.clock.now())
        return self.journal.put(Answer(RUN, 1, item, answer, who, at, **more))

    def abort(self, reason: str = "enough") -> bool:
        return self.put(ABORT, "abort", reason=reason)

    def answers(self, given: Mapping[str, str], who: str = "ana", reason: str = "so") -> None:
        """Answer each of these questions once it is asked."""
        left = dict(given)

        def look() -> bool:
            for event in self.events("question.asked"):
                if event.item in left and self.journal.answer(RUN, event.item) is None:
                    self.put(event.item, left.pop(event.item), who, reason=reason)
            return not left

        self.clock.on_wait(look)

    def run(self, recorded: dict[str, Result] | None = None, slots: Slots | None = None) -> Result:
        return asyncio.run(release(self.scene, slots or MemorySlots(recorded)))
