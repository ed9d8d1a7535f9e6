"""The station of a watch: reads every metric on its own beat and gives back closed buckets.

Each source is read by a thread of its own, so that a slow one delays nobody, and once more right
after the end of every slice, so that a slice closes with all that belongs to it. What a reader
needs to go on after our death stands in the result of the slot that closed the slice: the position
of its last reading *before* the end of that slice, since what was read later belongs to a slice
that is still open and is read again. Lines of closed slices that come again count as late.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from gonogo.judge.buckets import Bucket, Form, Grid, Shape
from gonogo.judge.collector import Collector
from gonogo.judge.sketch import Refusal
from gonogo.plan.samples import Batch, Flaw, Reader, Yields, to_ms
from gonogo.plan.sources import Source
from gonogo.run.scene import Scene

_AFTER_SLICE_MS = 300  # so long after its end a slice is read once more
_POLL_S = 0.1
_REFUSALS = {flaw.value: refusal for refusal in Refusal for flaw in Flaw if flaw == refusal.value}


@dataclass(slots=True)
class _Feed:
    """One source and how far it was read."""

    source: Source
    reader: Reader
    history: list[tuple[int, object]] = field(default_factory=list)  # when, position then
    read_ms: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """Slices that are closed, oldest first, and where to go on behind them."""

    slices: tuple[tuple[int, Mapping[str, Bucket]], ...]
    positions: Mapping[str, object]
    next_ms: int

    def as_json(self) -> dict[str, object]:
        """Return the form in which a slot records it."""
        return {
            "slices": [
                {"start_ms": at, "buckets": {name: b.as_json() for name, b in buckets.items()}}
                for at, buckets in self.slices
            ],
            "positions": dict(self.positions),
            "next_ms": self.next_ms,
        }


def form_of(source: Source) -> Form:
    """Return what the buckets of a source are made of."""
    return Form(
        shape=Shape(source.yields.value),
        unit=source.unit or ("%" if source.yields is Yields.SHARE else ""),
        stat=source.stat_given or "avg",
        least=source.minimum_samples,
    )


class Station:
    """Reads all sources of a watch; `close` ends its threads."""

    def __init__(
        self,
        scene: Scene,
        sources: Mapping[str, Source],
        grid: Grid,
        limits: Mapping[str, set[Decimal]],
        started_ms: int,
        before: Mapping[str, object] | None = None,
    ) -> None:
        """Open the sources; `before` is what the last recorded slot said (`Closed.as_json`)."""
        self._scene = scene
        self._grid = grid
        kept = before or {}
        resume = kept.get("next_ms")
        self._collector = Collector(
            grid,
            {name: form_of(source) for name, source in sources.items()},
            started_ms,
            limits=limits,
            resume_ms=resume if isinstance(resume, int) else None,
        )
        self._heard: queue.SimpleQueue[tuple[str, int, Batch]] = queue.SimpleQueue()
        self._ended = threading.Event()
        stored = kept.get("positions")
        positions = stored if isinstance(stored, Mapping) else {}
        self._feeds: dict[str, _Feed] = {}
        for name, source in sources.items():
            position = positions.get(name)
            reader = scene.open_source(source, position)
            self._feeds[name] = _Feed(source, reader, [(0, position)])
        for name in self._feeds:
            threading.Thread(target=self._follow, args=(name,), daemon=True).start()

    def next_slices(self, stop: Callable[[], bool]) -> Closed:
        """Wait until at least one slice is closed; none when `stop` says so before."""
        while not stop():
            self._hear()
            now_ms = to_ms(self._scene.clock.now())
            if self._is_read_up(now_ms):
                closed = self._collector.advance(now_ms)
                if closed:
                    return self._closed(closed)
            self._scene.clock.wait(_POLL_S)
        return Closed((), {}, self._collector.next_ms)

    def close(self) -> None:
        """End the reading."""
        self._ended.set()
        for feed in self._feeds.values():
            feed.reader.close()

    def _follow(self, name: str) -> None:
        """Read one source on its beat, and right after the end of each slice."""
        feed = self._feeds[name]
        while not self._ended.is_set():
            now = self._scene.clock.now()
            batch = feed.reader.read(now)
            self._heard.put((name, to_ms(now), batch))
            if not batch.behind:
                self._ended.wait(self._pause_s(feed.source, self._scene.clock.now()))

    def _pause_s(self, source: Source, now: datetime) -> float:
        now_ms = to_ms(now)
        beat = int(source.every_s * 1000) or 1
        slice_end = self._grid.start_of(now_ms) + self._grid.width_ms + _AFTER_SLICE_MS
        return max(0.0, min(beat - now_ms % beat, slice_end - now_ms) / 1000)

    def _is_read_up(self, now_ms: int) -> bool:
        """Say whether every source was read behind the end of the oldest open slice, or is late."""
        end = self._collector.next_ms + self._grid.width_ms
        if now_ms < end + self._grid.grace_ms:
            return True  # nothing can close yet, but the collector must hear the time
        return all(
            feed.read_ms >= end or now_ms > end + int(feed.source.timeout_s * 1000) + 2_000
            for feed in self._feeds.values()
        )

    def _hear(self) -> None:
        while True:
            try:
                name, at_ms, batch = self._heard.get_nowait()
            except queue.Empty:
                return
            self._feed(name, at_ms, batch)

    def _feed(self, name: str, at_ms: int, batch: Batch) -> None:
        feed = self._feeds[name]
        source = feed.source
        since = batch.since_ms if batch.since_ms is not None else feed.read_ms or at_ms
        until = batch.until_ms if batch.behind and batch.until_ms is not None else at_ms
        if batch.blind is not None:
            self._collector.blind(name, since, at_ms, self._scene.redact(batch.blind))
        elif batch.since_ms is not None:
            self._collector.covered(name, since, until)
        for sample in batch.samples:
            match source.yields:
                case Yields.SHARE:
                    self._collector.share(name, sample.at_ms, sample.hits, sample.total)
                case Yields.GIVEN:
                    self._collector.figure(
                        name, sample.at_ms, source.stat_given, sample.value, sample.samples
                    )
                case Yields.SAMPLES | Yields.AMOUNT:
                    self._collector.value(name, sample.at_ms, sample.value)
        for bad in batch.bad:
            why = _REFUSALS.get(bad.why.value, Refusal.TEXT)
            for _ in range(min(bad.number, 1_000)):
                self._collector.bad(name, bad.at_ms, why)
        feed.history.append((at_ms, batch.position))
        if not batch.behind:
            feed.read_ms = at_ms

    def _closed(self, buckets: tuple[Bucket, ...]) -> Closed:
        by_start: dict[int, dict[str, Bucket]] = {}
        for bucket in buckets:
            by_start.setdefault(bucket.start_ms, {})[bucket.metric] = bucket
        end = max(by_start) + self._grid.width_ms
        positions = {name: self._position(feed, end) for name, feed in self._feeds.items()}
        return Closed(tuple(sorted(by_start.items())), positions, end)

    @staticmethod
    def _position(feed: _Feed, end_ms: int) -> object:
        """Return the position of the last reading up to `end_ms`, and forget those before it."""
        kept = 0
        for place, (at_ms, _) in enumerate(feed.history):
            if at_ms <= end_ms:
                kept = place
        feed.history = feed.history[kept:]
        return feed.history[0][1]
