"""The port to the durable engine: named slots whose results survive our death.

A release is one function over slots. What runs in a slot may run again after a crash in its middle
(at least once), so `gonogo.run.perform` looks at the journal first. What is between slots must be
pure: it is replayed from the recorded results.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

Result = Mapping[str, object]
"""What a slot records: JSON, without NaN."""


class Slots(Protocol):
    """The recorded steps of one release."""

    def reserve(self, names: Sequence[str]) -> None:
        """Draw a place for every slot, in plan order, before the first is run."""
        ...

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        """Return the recorded result, or do `work` in a thread and record what it returns."""
        ...


Release = Callable[[str, Slots], Awaitable[Result]]
"""The whole of a run: its id and its slots to its result."""


class Engine(Protocol):
    """What carries releases through crashes; one process serves at a time."""

    def serve(self, release: Release) -> None:
        """Start serving; releases that were cut off go on once `start` names them."""
        ...

    def start(self, run: str) -> None:
        """Begin a run, or go on with it; known ids attach."""
        ...

    def finished(self, run: str) -> bool:
        """Say whether the run's result is recorded."""
        ...


class MemorySlots:
    """Slots that remember in a dictionary: for tests, and for the floor of the benchmarks.

    Hand the same dictionary to a second instance to replay a run that was cut off.
    """

    def __init__(self, recorded: dict[str, Result] | None = None) -> None:
        """Start from what was recorded before."""
        self.recorded: dict[str, Result] = {} if recorded is None else recorded
        self._names: set[str] = set()

    def reserve(self, names: Sequence[str]) -> None:
        """Know the names; a name twice is a bug."""
        if len(set(names)) != len(names):
            raise ValueError("a slot name was reserved twice")
        self._names = set(names)

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work here and now, unless it is recorded."""
        if name not in self._names:
            raise ValueError(f"slot {name!r} was not reserved, or is run a second time")
        self._names.discard(name)  # the engine carries out each place once
        if name not in self.recorded:
            self.recorded[name] = work()
        return self.recorded[name]
