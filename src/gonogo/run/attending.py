"""The attendant of a watch: does the work of its slots, each of which gives back closed buckets."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from gonogo.judge.buckets import Bucket
from gonogo.judge.course import grid_of
from gonogo.plan.samples import to_ms
from gonogo.plan.sources import Begin, LogSource, Source
from gonogo.run.people import is_aborted
from gonogo.run.sampling import Begun, Closed, Station
from gonogo.run.scene import Scene


def now_ms(scene: Scene) -> int:
    """Return the wall-clock time in milliseconds since 1970, UTC."""
    return to_ms(scene.clock.now())


def begin(scene: Scene, sources: Mapping[str, Source]) -> dict[str, object]:
    """Return the beginning of a stretch of watching: when it is, and where the logs end now.

    Without that, what is written until the first slice is closed would be lost with our death.
    """
    positions: dict[str, object] = {}
    for name, source in sources.items():
        if not isinstance(source, LogSource) or source.begin is Begin.BEGINNING:
            continue
        with contextlib.suppress(Exception):  # the station tries again, and says what is wrong
            reader = scene.open_source(source, None)
            positions[name] = reader.read(scene.clock.now()).position
            reader.close()
    started_ms = now_ms(scene) // 1000 * 1000  # shares of a log are counted by the second
    return {"started_ms": started_ms, "positions": positions}


class Attendant:
    """Does the work of the slots; opens the sources when the first slot is not recorded yet."""

    def __init__(
        self,
        scene: Scene,
        sources: Mapping[str, Source],
        limits: Mapping[str, set[Decimal]],
        begun: Begun,
        *,
        deaf: bool = False,
    ) -> None:
        """Watch from where it began; with `deaf` an abort does not end it, inside a rollback."""
        self.scene = scene
        self._deaf = deaf
        self._sources = sources
        self._limits = limits
        self._begun = begun
        self._station: Station | None = None
        self.before: Mapping[str, object] | None = None  # the last recorded slot

    def next(self) -> Mapping[str, object]:
        """Wait for the next closed slices."""
        if self._station is None:
            grid = grid_of(self.scene.plan)
            self._station = Station(
                self.scene, self._sources, grid, self._limits, self._begun, self.before
            )
        closed: Closed = self._station.next_slices(
            lambda: not self._deaf and is_aborted(self.scene)
        )
        return closed.as_json()

    def close(self) -> None:
        """End the reading, if it was begun."""
        if self._station is not None:
            self._station.close()


def slices_of(result: Mapping[str, object]) -> list[tuple[int, dict[str, Bucket]]]:
    """Read the closed slices that a slot recorded: start in milliseconds, buckets by metric."""
    found = result["slices"]
    assert isinstance(found, Sequence)
    return [
        (int(each["start_ms"]), {k: Bucket.from_json(v) for k, v in each["buckets"].items()})
        for each in found
    ]
