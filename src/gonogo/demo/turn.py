"""The turn of a story: what the demo does to the service in the middle of the watch, and when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gonogo.clock import SystemClock
from gonogo.run.journal import Event
from gonogo.store.journal import SqliteJournal

LOOK_EVERY_S = 0.25


class Turn:
    """Calls `act` once, as soon as the journal of the run shows enough healthy buckets."""

    def __init__(self, folder: Path, healthy: int, act: Callable[[], None]) -> None:
        """Wait for `healthy` buckets without a breach in the run of `folder`."""
        self._home = folder / ".gonogo"
        self._healthy = healthy
        self._act = act
        self._journal: SqliteJournal | None = None
        self._after = 0
        self._seen = 0
        self.done = False

    def look(self) -> None:
        """Read what was journaled since the last look, and act when it is time."""
        if self.done:
            return
        for event in self._news():
            self._after = event.seq
            self._seen += is_healthy(event)
        if self._seen >= self._healthy:
            self.done = True
            self.close()
            self._act()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _news(self) -> tuple[Event, ...]:
        runs = self._home / "runs"
        if self._journal is None:
            if not runs.is_dir():  # the run has not come so far that its journal can be read
                return ()
            self._journal = SqliteJournal(self._home / "journal.db", SystemClock(), create=False)
        known = self._journal.runs()
        return self._journal.events(known[-1], after=self._after) if known else ()


def is_healthy(event: Event) -> bool:
    """Say whether an event is a closed bucket in which every rule was judged and none broken."""
    rules = event.body.get("rules") if event.kind == "bucket.closed" else None
    if not isinstance(rules, dict) or not rules:
        return False
    return all(isinstance(seen, dict) and seen.get("event") == "good" for seen in rules.values())
