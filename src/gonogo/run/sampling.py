"""The station of a watch: reads every metric on its own beat and gives back closed buckets.

Each source is read by a thread of its own, so that a slow one delays nobody for long, and once
more when the grace of a slice is over, so that a slice closes with all that belongs to it. What a
reader needs to go on after our death stands in the result of the slot that closed the slice: the
position of its last reading before anything of a later slice was seen. What is read again after
that and belongs to a closed slice is dropped: it was counted before.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.collector import Collector
from gonogo.judge.course import form_of
from gonogo.judge.sketch import Refusal
from gonogo.plan.samples import Batch, Flaw, Reader, Sample, Yields, to_ms
from gonogo.plan.sources import LogSource, Source, SqlSource
from gonogo.run.scene import Scene

NOT_RUNNING = "nobody watched: gonogo was not running"
_POLL_S = 0.1
_PATIENCE_S = 2.0  # beyond its timeout, until a source that is silent is not waited for
_HICCUP_MS = 2_000  # a watch that is opened so long after its beginning was cut off
_MOST_WAITING = 16  # readings that were not heard yet; then the readers wait
_REFUSALS = {flaw.value: refusal for refusal in Refusal for flaw in Flaw if flaw == refusal.value}


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one look at a source gave."""

    at_ms: int
    newest_ms: int  # the latest time of anything in it
    position: object


@dataclass(slots=True)
class _Feed:
    """One source and how far it was read."""

    source: Source
    position: object
    read_ms: int  # everything before it was read
    known_ms: int | None  # what is read again and lies before it was counted by an earlier process
    reader: Reader | None = None
    history: list[_Reading] = field(default_factory=list)
    due_ms: int = 0  # of the next look, where sources are read in turn
    blocks_since: float | None = None  # on the clock that never goes backwards
    overdue: bool = False

    @property
    def is_kept(self) -> bool:
        """Say whether the source keeps a record, so that it covers a gap afterwards."""
        source = self.source
        return isinstance(source, LogSource) or (
            isinstance(source, SqlSource) and bool(source.rows)
        )


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


@dataclass(frozen=True, slots=True)
class Begun:
    """When a stretch of watching began, and where its sources were then."""

    started_ms: int
    positions: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Begun:
        """Read it from what the slot of the beginning recorded."""
        positions = data.get("positions")
        return cls(int(str(data["started_ms"])), positions if isinstance(positions, dict) else {})


class Station:
    """Reads all sources of a watch; `close` ends its threads."""

    def __init__(
        self,
        scene: Scene,
        sources: Mapping[str, Source],
        grid: Grid,
        limits: Mapping[str, set[Decimal]],
        begun: Begun,
        before: Mapping[str, object] | None = None,
    ) -> None:
        """Open the sources; `before` is what the last recorded slot said (`Closed.as_json`)."""
        self._scene = scene
        self._grid = grid
        kept = before or {}
        resume = kept.get("next_ms")
        resume_ms = resume if isinstance(resume, int) else None
        self._collector = Collector(
            grid,
            {name: form_of(source) for name, source in sources.items()},
            begun.started_ms,
            limits=limits,
            resume_ms=resume_ms,
        )
        self._heard: queue.Queue[tuple[str, int, Batch]] = queue.Queue(_MOST_WAITING)
        self._ended = threading.Event()
        stored = kept.get("positions")
        positions = stored if isinstance(stored, Mapping) else begun.positions
        since_ms = begun.started_ms if resume_ms is None else resume_ms
        self._feeds = {
            name: _Feed(source, positions.get(name), since_ms, resume_ms)
            for name, source in sources.items()
        }
        self._miss(since_ms, to_ms(scene.clock.now()))
        if not scene.in_turn:
            for name in self._feeds:
                threading.Thread(target=self._follow, args=(name,), daemon=True).start()

    def _miss(self, since_ms: int, now_ms: int) -> None:
        """Make a gap of the time in which no process watched, for what keeps no record."""
        for name, feed in self._feeds.items():
            feed.history.append(_Reading(0, 0, feed.position))
            if not feed.is_kept and now_ms - since_ms > _HICCUP_MS:
                self._collector.blind(name, since_ms, now_ms, NOT_RUNNING)
                feed.read_ms = now_ms

    def next_slices(self, stop: Callable[[], bool]) -> Closed:
        """Wait until at least one slice is closed; none when `stop` says so before."""
        while not stop():
            now_ms = to_ms(self._scene.clock.now())
            self._collector.tell(now_ms)  # before anything is fed: what lies ahead is refused
            if self._scene.in_turn:
                self._take_turns(now_ms)
            self._hear()
            closed = self._close()
            if closed:
                return self._closed(closed)
            self._scene.clock.wait(self._pause_s(now_ms))
        return Closed((), {}, self._collector.next_ms)

    def close(self) -> None:
        """End the reading; each thread closes its own source as soon as it comes back."""
        self._ended.set()
        if self._scene.in_turn:
            for feed in self._feeds.values():
                _let_go(feed)

    def _pause_s(self, now_ms: int) -> float:
        if not self._scene.in_turn:
            return _POLL_S
        due_ms = min((feed.due_ms for feed in self._feeds.values()), default=now_ms)
        return max(due_ms - now_ms, 1) / 1000

    def _take_turns(self, now_ms: int) -> None:
        for name, feed in self._feeds.items():
            if feed.due_ms <= now_ms or feed.due_ms > now_ms + self._grid.width_ms:
                batch = self._look(feed)
                feed.due_ms = now_ms if batch.behind else self._due_ms(feed.source, now_ms)
                self._feed(name, now_ms, batch)

    def _follow(self, name: str) -> None:
        """Read one source on its beat, and when the grace of each slice is over."""
        feed = self._feeds[name]
        while not self._ended.is_set():
            at_ms = to_ms(self._scene.clock.now())
            batch = self._look(feed)
            while not self._ended.is_set():
                try:
                    self._heard.put((name, at_ms, batch), timeout=0.5)
                    break
                except queue.Full:
                    continue
            if not batch.behind:
                now_ms = to_ms(self._scene.clock.now())
                self._ended.wait((self._due_ms(feed.source, now_ms) - now_ms) / 1000)
        _let_go(feed)

    def _look(self, feed: _Feed) -> Batch:
        """Read a source once, opening it before if it is not open; whatever fails makes blind."""
        now = self._scene.clock.now()
        try:
            if feed.reader is None:
                feed.reader = self._scene.open_source(feed.source, feed.position)
            return feed.reader.read(now)
        except Exception as problem:  # noqa: BLE001 - one source must not end the watch
            return Batch(position=feed.position, blind=str(problem) or type(problem).__name__)

    def _due_ms(self, source: Source, now_ms: int) -> int:
        beat = max(1, int(source.every_s * 1000))
        grace = self._grid.grace_ms
        over = self._grid.start_of(now_ms - grace) + self._grid.width_ms + grace
        return min(now_ms - now_ms % beat + beat, over)

    def _hear(self) -> None:
        while True:
            try:
                name, at_ms, batch = self._heard.get_nowait()
            except queue.Empty:
                return
            self._feed(name, at_ms, batch)

    def _feed(self, name: str, at_ms: int, batch: Batch) -> None:
        feed = self._feeds[name]
        since = feed.read_ms if batch.since_ms is None else min(feed.read_ms, batch.since_ms)
        until = at_ms if not batch.behind else batch.until_ms or feed.read_ms
        if batch.blind is not None:
            self._collector.blind(name, since, at_ms, self._scene.redact(batch.blind))
        elif batch.since_ms is not None and feed.is_kept:
            self._collector.covered(name, since, until)
        newest = 0
        for sample in batch.samples:
            newest = max(newest, sample.at_ms)
            if feed.known_ms is None or sample.at_ms >= feed.known_ms:
                self._sample(name, feed.source, sample)
        for bad in batch.bad:
            newest = max(newest, bad.at_ms)
            if feed.known_ms is None or bad.at_ms >= feed.known_ms:
                why = _REFUSALS.get(bad.why.value, Refusal.TEXT)
                for _ in range(min(bad.number, 1_000)):
                    self._collector.bad(name, bad.at_ms, why)
        feed.history.append(_Reading(at_ms, newest, batch.position))
        if not batch.behind or until > feed.read_ms:
            feed.read_ms, feed.blocks_since, feed.overdue = until, None, False
        if not batch.behind and batch.blind is None:
            feed.known_ms = None  # all that was to be read again has been

    def _sample(self, name: str, source: Source, sample: Sample) -> None:
        match source.yields:
            case Yields.SHARE:
                self._collector.share(name, sample.at_ms, sample.hits, sample.total)
            case Yields.GIVEN:
                self._collector.figure(
                    name, sample.at_ms, source.stat_given, sample.value, sample.samples
                )
            case Yields.SAMPLES | Yields.AMOUNT:
                self._collector.value(name, sample.at_ms, sample.value)

    def _close(self) -> tuple[Bucket, ...]:
        """Close what every source was read up to; one that does not answer is not waited for."""
        grace = self._grid.grace_ms
        end = self._collector.next_ms + self._grid.width_ms
        limit = self._collector.believed_ms
        if limit < end + grace:
            return ()
        silent = []
        waiting = False
        for name, feed in self._feeds.items():
            if feed.read_ms >= end + grace:
                limit = min(limit, feed.read_ms)
            elif self._is_overdue(feed):
                silent.append(name)
            else:
                waiting = True
        if waiting:
            return ()
        for name in silent:
            feed = self._feeds[name]
            why = f"no answer within {feed.source.timeout_s:g} s"
            self._collector.blind(name, feed.read_ms, self._grid.start_of(limit - grace), why)
        return self._collector.close_until(limit)

    def _is_overdue(self, feed: _Feed) -> bool:
        now = self._scene.clock.monotonic()
        if feed.blocks_since is None:
            feed.blocks_since = now
        feed.overdue = feed.overdue or now - feed.blocks_since > feed.source.timeout_s + _PATIENCE_S
        return feed.overdue

    def _closed(self, buckets: tuple[Bucket, ...]) -> Closed:
        by_start: dict[int, dict[str, Bucket]] = {}
        for bucket in buckets:
            by_start.setdefault(bucket.start_ms, {})[bucket.metric] = bucket
        end = max(by_start) + self._grid.width_ms
        positions = {name: self._position(feed, end) for name, feed in self._feeds.items()}
        return Closed(tuple(sorted(by_start.items())), positions, end)

    @staticmethod
    def _position(feed: _Feed, end_ms: int) -> object:
        """Return the position behind the last reading without anything from `end_ms` on.

        What was read before it is forgotten.
        """
        kept = 0
        for place, reading in enumerate(feed.history):
            if reading.at_ms > end_ms or reading.newest_ms >= end_ms:
                break
            kept = place
        feed.history = feed.history[kept:]
        return feed.history[0].position


def _let_go(feed: _Feed) -> None:
    if feed.reader is not None:
        feed.reader.close()
