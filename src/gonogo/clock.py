"""The only place that knows the time; everything else is handed a clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may ask about time."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes backwards; only differences mean anything."""
        ...

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes backwards."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass; a signal handler may run meanwhile."""
        if seconds > 0:
            threading.Event().wait(seconds)


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds, the form of the journal."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read a moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
