"""A clock that stands still until somebody waits; then it is later at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


class FakeClock:
    """Implements `gonogo.clock.Clock`; `at` and `when` let the world move while someone waits."""

    def __init__(self, start: datetime = START, *, longest_s: float = 1e6) -> None:
        self._start = start
        self._passed = 0.0
        self._longest = longest_s
        self._due: list[tuple[float, Callable[[], object]]] = []
        self._watched: list[Callable[[], bool]] = []
        self._lock = threading.RLock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def wait(self, seconds: float) -> None:
        with self._lock:
            self._passed += max(seconds, 0.0)
            assert self._passed < self._longest, "the code under test waits for ever"
            for when, act in [d for d in self._due if d[0] <= self._passed]:
                self._due.remove((when, act))
                act()
            self._watched = [look for look in self._watched if not look()]

    def at(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something once the clock has passed `seconds`, inside somebody's wait."""
        self._due.append((seconds, act))

    def on_wait(self, look: Callable[[], bool]) -> None:
        """Ask `look` at every wait until it says that it is done."""
        self._watched.append(look)
