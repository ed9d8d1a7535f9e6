"""Ends a watch before its time: a rule that rolls back, a critical check that failed."""

from __future__ import annotations

import threading


class Ending:
    """Whether a watch is over and why; the first reason stays. Any thread may ask or say it."""

    def __init__(self) -> None:
        """Begin open."""
        self._lock = threading.Lock()
        self._why = ""

    @property
    def why(self) -> str:
        """Return why it ended; empty while it goes on."""
        return self._why

    def end(self, why: str) -> None:
        """End it: nobody is asked any more, and what looks at the world comes back."""
        with self._lock:
            self._why = self._why or why
