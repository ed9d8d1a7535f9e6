"""A clock that several threads wait on, and slots that do their work in threads beside each other.

Time moves to the next moment for which anybody waits, and only when everybody waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.clock import FakeClock

from gonogo.run.durable import MemorySlots, Result


class TogetherClock(FakeClock):
    """Implements `gonogo.clock.Clock` for threads that are counted with `enter` and `leave`."""

    def __init__(self, *, longest_s: float = 1e7) -> None:
        super().__init__(longest_s=longest_s)
        self._turn = threading.Condition(threading.RLock())
        self._workers = 0
        self._waiting: dict[object, float] = {}

    def enter(self) -> None:
        with self._turn:
            self._workers += 1

    def leave(self) -> None:
        with self._turn:
            self._workers -= 1
            self._move()

    def wait(self, seconds: float) -> None:
        me = object()
        with self._turn:
            due = self._passed + max(seconds, 0.001)
            self._waiting[me] = due
            self._move()
            while self._passed < due:
                assert self._turn.wait(timeout=60), "nobody moves the clock"
            del self._waiting[me]

    def _move(self) -> None:
        ahead = [due for due in self._waiting.values() if due > self._passed]
        if not ahead or len(ahead) < self._workers:
            return
        self._passed = min(ahead)
        assert self._passed < self._longest, "the code under test waits for ever"
        for when, act in [d for d in self._due if d[0] <= self._passed]:
            self._due.remove((when, act))
            act()
        self._watched = [look for look in self._watched if not look()]
        self._turn.notify_all()


class TogetherSlots(MemorySlots):
    """Slots whose work is done in threads; the process dies at `until`, when that is given."""

    def __init__(self, clock: TogetherClock, recorded: dict[str, Result] | None = None) -> None:
        super().__init__(recorded)
        self.clock = clock
        self.pool = ThreadPoolExecutor(64)

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        assert name in self._names, f"slot {name!r} was not reserved, or is run a second time"
        self._names.discard(name)
        if name not in self.recorded:
            loop = asyncio.get_running_loop()
            self.clock.enter()
            try:
                self.recorded[name] = await loop.run_in_executor(self.pool, work)
            finally:  # not before whoever waited for it has begun its next slot
                loop.call_soon(loop.call_soon, self.clock.leave)
        return self.recorded[name]
