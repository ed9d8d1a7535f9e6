"""The station: what is read, what a slice holds when it is closed, and where it goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.clock import START
from tests.support.figures import BEGIN_MS, World, a_metric, a_watch, minutes, watched
from tests.support.scenes import Stage

from gonogo.clock import SystemClock
from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.course import grid_of, sources_of
from gonogo.plan.model import Metric, Plan
from gonogo.plan.samples import Bad, Batch, Flaw, Reader, Sample, to_ms
from gonogo.plan.sources import Source
from gonogo.run.sampling import NOT_RUNNING, Begun, Closed, Station
from gonogo.source import Span

GAUGE = Metric("cpu usage", {"host": "cpu"}, Span.of_line(6))
LINES = a_metric("response time", ratio=None, value="ms", unit="ms")
FOREVER = 10**9


def a_scene(folder: Path, plan: Plan, world: World) -> Stage:
    return watched(folder, plan, world)


def a_station(stage: Stage, before: Closed | None = None, begun: Begun | None = None) -> Station:
    plan = stage.plan
    kept = None if before is None else before.as_json()
    sources = sources_of(plan)
    start = begun or Begun(BEGIN_MS, {name: {"read_ms": BEGIN_MS} for name in sources})
    return Station(stage.fresh(), sources, grid_of(plan), {}, start, kept)


def never() -> bool:
    return False


def one(closed: Closed, name: str = "error rate", at: int = 0) -> Bucket:
    return closed.slices[at][1][name]


@dataclass
class Lines:
    """A log whose lines have a time and a moment at which they can be read; gives them in order."""

    rows: list[tuple[float, float, int]]  # time, readable from, value
    every: list[float] = field(default_factory=list)  # when it was read
    pages: int = 0  # lines per reading, with more behind; 0 for all

    def open(self, _source: Source, position: object) -> Reader:
        return _Cursor(self, position)


class _Cursor:
    def __init__(self, lines: Lines, position: object) -> None:
        known = position if isinstance(position, dict) else {}
        self.lines, self.place = lines, int(known.get("place", 0))
        self.read_ms = known.get("read_ms")

    def read(self, now: datetime) -> Batch:
        passed = (now - START).total_seconds()
        self.lines.every.append(passed)
        there = [row for row in self.lines.rows[self.place :] if row[1] <= passed]
        taken = there[: self.lines.pages] if self.lines.pages else there
        self.place += len(taken)
        since, self.read_ms = self.read_ms, to_ms(now)
        behind = len(there) - len(taken)
        samples = [Sample(BEGIN_MS + int(at * 1000), value) for at, _, value in taken]
        until = samples[-1].at_ms if behind else None
        position = {"place": self.place, "read_ms": self.read_ms}
        return Batch(samples, position, since_ms=since, behind=behind, until_ms=until)

    def close(self) -> None:
        """Nothing is open."""


def a_log(folder: Path, lines: Lines, every: str = "5s") -> Stage:
    metric = Metric("response time", {**LINES.fields, "every": every}, Span.of_line(5))
    stage = watched(folder, a_watch(metrics=(metric,)), World({}))
    stage.more["open_source"] = lines.open
    return stage


START_LOG = Begun(BEGIN_MS, {"response time": {"place": 0, "read_ms": BEGIN_MS}})


def test_a_slice_holds_what_came_within_its_grace_and_counts_what_came_later(tmp_path):
    lines = Lines([(30, 30, 1), (59.5, 69, 2), (59.9, 75, 3), (61, 75, 4)])
    stage = a_log(tmp_path, lines)
    station = a_station(stage, begun=START_LOG)
    first, second = station.next_slices(never), station.next_slices(never)
    assert (one(first, "response time").count, one(first, "response time").late) == (2, 0)
    assert (one(second, "response time").count, one(second, "response time").late) == (1, 1)


def test_a_slice_is_not_closed_before_its_grace_is_over(tmp_path):
    stage = a_log(tmp_path, Lines([]), every="7s")
    a_station(stage, begun=START_LOG).next_slices(never)
    assert stage.clock.monotonic() == 70


@pytest.mark.parametrize("cut_after", range(1, 6))
@pytest.mark.parametrize("down_s", [0, 31, 400])
def test_after_a_death_no_line_is_counted_twice_and_none_is_lost(tmp_path, cut_after, down_s):
    """Lines are read up to 3 s late, some before and some after the slice they belong to ended."""
    rows = sorted(((at * 0.7, at * 0.7 + at % 4, 1) for at in range(1_400)), key=lambda row: row[1])
    stage = a_log(tmp_path, Lines(rows))
    counts: list[int] = []
    late = 0
    station = a_station(stage, begun=START_LOG)
    closed = None
    while sum(counts) < 1_300:
        if closed is not None and len(counts) >= cut_after and down_s >= 0:
            stage.clock.wait(down_s)
            down_s = -1
            station = a_station(stage, closed, START_LOG)
        closed = station.next_slices(never)
        counts += [b["response time"].count for _, b in closed.slices]
        late += sum(b["response time"].late for _, b in closed.slices)
        assert all(b["response time"].coverage == 1.0 for _, b in closed.slices)
    assert late == 0
    whole = [
        sum(1 for at, _, _ in rows if minute * 60 <= at < minute * 60 + 60) for minute in range(30)
    ]
    assert counts == whole[: len(counts)]


def test_a_line_that_is_ahead_of_the_clock_is_not_lost_with_a_death(tmp_path):
    lines = Lines([(10, 10, 1), (60.4, 59, 2), (61, 61, 3)])
    stage = a_log(tmp_path, lines)
    closed = a_station(stage, begun=START_LOG).next_slices(never)
    assert one(closed, "response time").count == 1
    again = a_station(stage, closed, START_LOG).next_slices(never)
    assert one(again, "response time").count == 2


def test_a_log_that_is_far_behind_is_read_to_the_end_of_each_slice_before_it_closes(tmp_path):
    """A machine that was suspended finds minutes of lines and reads a few at a time."""
    rows = [(at / 10, at / 10, 1) for at in range(6_000)]
    stage = a_log(tmp_path, Lines(rows, pages=100))
    station = a_station(stage, begun=START_LOG)
    found = [station.next_slices(never)]
    stage.clock._start += timedelta(seconds=300)
    stage.clock.wait(0)
    while sum(len(each.slices) for each in found) < 6:
        found.append(station.next_slices(never))
    buckets = [buckets["response time"] for each in found for _, buckets in each.slices]
    assert [bucket.count for bucket in buckets] == [600] * 6
    assert [bucket.late for bucket in buckets] == [0] * 6
    assert [bucket.coverage for bucket in buckets] == [1.0] * 6


def test_a_quiet_log_covers_the_time_in_which_nobody_ran_too(tmp_path):
    stage = a_log(tmp_path, Lines([(10, 10, 1)]), every="7s")
    closed = a_station(stage, begun=START_LOG).next_slices(never)
    stage.clock.wait(200)
    station = a_station(stage, closed, START_LOG)
    found: list[Bucket] = []
    while len(found) < 3:
        found += [buckets["response time"] for _, buckets in station.next_slices(never).slices]
    assert [bucket.coverage for bucket in found[:3]] == [1.0] * 3


def test_the_time_in_which_nobody_ran_is_a_gap_for_what_keeps_no_record(tmp_path):
    world = World({"error rate": minutes(), "cpu usage": minutes()})
    stage = a_scene(tmp_path, a_watch(metrics=(a_metric(), GAUGE)), world)
    stage.more["open_source"] = lambda source, position: (
        world.open(source, position) if source.name == "error rate" else Idle()
    )
    closed = a_station(stage).next_slices(never)
    assert one(closed, "cpu usage").coverage == 1.0
    stage.clock.wait(200)
    found = []
    station = a_station(stage, closed)
    while len(found) < 5:
        found += [buckets for _, buckets in station.next_slices(never).slices]
    gauge = [round(b["cpu usage"].coverage, 2) for b in found]
    assert gauge == [0, 0, 0, 0.5, 1]
    assert found[0]["cpu usage"].reasons == (NOT_RUNNING,)
    assert [b["error rate"].coverage for b in found] == [1.0] * 5
    assert [b["error rate"].count for b in found] == [6_000] * 5


class Idle:
    """A gauge that is always 1."""

    read_ms: int | None = None

    def read(self, now: datetime) -> Batch:
        at = to_ms(now)
        since, self.read_ms = self.read_ms, at
        return Batch([Sample(at, 1)], {"read_ms": at}, since_ms=since)

    def close(self) -> None:
        """Nothing is open."""


def test_the_part_of_a_slice_before_the_watch_was_not_watched(tmp_path):
    world = World({"error rate": minutes()})
    stage = a_scene(tmp_path, a_watch(), world)
    stage.clock.wait(40)
    begun = Begun(BEGIN_MS + 40_000, {"error rate": {"read_ms": BEGIN_MS + 40_000}})
    closed = a_station(stage, begun=begun).next_slices(never)
    assert one(closed).watched_ms == 20_000
    assert one(closed).count == 2_000


def test_a_source_that_cannot_be_opened_is_blind_with_its_reason_and_is_tried_again(tmp_path):
    world = World({"error rate": minutes()}, refused={"error rate": "no route to the log"})
    stage = a_scene(tmp_path, a_watch(), world)
    stage.clock.at(90, lambda: setattr(world, "refused", {}))
    station = a_station(stage)
    first = one(station.next_slices(never))
    assert (first.count, first.coverage, first.reasons) == (0, 0.0, ("no route to the log",))
    station.next_slices(never)
    third = one(station.next_slices(never))
    assert (third.count, third.coverage, third.reasons) == (6_000, 1.0, ())


def test_a_reader_that_breaks_its_promise_ends_nothing(tmp_path):
    class Broken(Idle):
        def read(self, now: datetime) -> Batch:
            raise RuntimeError("a bug of its own")

    stage = a_scene(tmp_path, a_watch(), World({}))
    stage.more["open_source"] = lambda _source, _position: Broken()
    bucket = one(a_station(stage).next_slices(never))
    assert bucket.reasons == ("a bug of its own",)


def test_secrets_do_not_stand_in_the_reasons(tmp_path):
    from gonogo.redaction import Redactor

    world = World({}, refused={"error rate": "no user hunter2!"})
    stage = a_scene(tmp_path, a_watch(), world)
    stage.more["redact"] = Redactor(["hunter2!"])
    assert "hunter2!" not in str(a_station(stage).next_slices(never).as_json())


def test_bad_samples_are_counted_with_their_reason(tmp_path):
    class Bads(Idle):
        def read(self, now: datetime) -> Batch:
            at = to_ms(now)
            return Batch(bad=(Bad(at, Flaw.TEXT, 2),), since_ms=at)

    stage = a_scene(tmp_path, a_watch(), World({}))
    stage.more["open_source"] = lambda _source, _position: Bads()
    bucket = one(a_station(stage).next_slices(never))
    assert bucket.count == 0
    assert sum(bucket.bad.values()) == 2 * 12  # read every 5 s


def test_a_clock_that_steps_back_closes_nothing_twice_and_loses_nothing(tmp_path):
    world = World({"error rate": minutes()})
    stage = a_scene(tmp_path, a_watch(), world)
    station = a_station(stage)
    first = station.next_slices(never)
    stage.clock._start -= timedelta(seconds=90)
    second = station.next_slices(never)
    third = station.next_slices(never)
    starts = [at for each in (first, second, third) for at, _ in each.slices]
    assert starts == [BEGIN_MS, BEGIN_MS + 60_000, BEGIN_MS + 120_000]


def test_a_suspended_machine_leaves_a_gap_and_its_log_fills_it(tmp_path):
    world = World({"error rate": minutes(), "cpu usage": minutes()})
    stage = a_scene(tmp_path, a_watch(metrics=(a_metric(), GAUGE)), world)
    stage.more["open_source"] = lambda source, position: (
        world.open(source, position) if source.name == "error rate" else Idle()
    )
    station = a_station(stage)
    station.next_slices(never)
    stage.clock._start += timedelta(seconds=300)
    found = []
    while len(found) < 6:
        found += [buckets for _, buckets in station.next_slices(never).slices]
    assert [b["error rate"].count for b in found] == [6_000] * 6
    assert [b["cpu usage"].coverage < 0.5 for b in found] == [True] * 5 + [False]


def test_a_week_keeps_no_more_than_a_slice(tmp_path):
    stage = a_log(tmp_path, Lines([]))
    station = a_station(stage, begun=START_LOG)
    sizes = []
    for _ in range(60):
        station.next_slices(never)
        sizes.append(len(station._feeds["response time"].history))
    assert max(sizes) <= 16


def test_an_abort_ends_the_waiting(tmp_path):
    stage = a_scene(tmp_path, a_watch(), World({"error rate": minutes()}))
    assert a_station(stage).next_slices(lambda: stage.clock.monotonic() > 20).slices == ()


def test_closing_lets_go_of_every_source(tmp_path):
    world = World({"error rate": minutes()})
    stage = a_scene(tmp_path, a_watch(), world)
    station = a_station(stage)
    station.next_slices(never)
    station.close()
    assert world.closed == ["error rate"]


def test_a_source_that_hangs_holds_up_the_others_for_its_timeout_once(tmp_path):
    """With real threads: the other metric goes on, the silent one says why."""
    released = threading.Event()
    closed: list[str] = []

    class Hangs(Idle):
        def read(self, now: datetime) -> Batch:
            released.wait(30)
            return super().read(now)

        def close(self) -> None:
            closed.append("hangs")

    class Quick(Idle):
        def close(self) -> None:
            closed.append("quick")

    fields = {"host": "cpu", "every": "1s", "timeout": "1s"}
    metrics = (Metric("quick", fields, Span.of_line(5)), Metric("hangs", fields, Span.of_line(6)))
    stage = watched(tmp_path, a_watch(metrics=metrics, settings={"bucket": "1"}), World({}))
    readers = {"quick": Quick(), "hangs": Hangs()}
    scene = stage.fresh(
        clock=SystemClock(), in_turn=False, open_source=lambda source, _: readers[source.name]
    )
    sources = sources_of(stage.plan)
    assert set(sources) == set(readers)
    before = set(threading.enumerate())
    begun = Begun(to_ms(SystemClock().now()))
    station = Station(scene, sources, Grid(1, 0), {}, begun)
    mine = set(threading.enumerate()) - before
    found: list[dict[str, Bucket]] = []
    while len(found) < 4:
        found += [dict(buckets) for _, buckets in station.next_slices(never).slices]
    assert all(buckets["quick"].count for buckets in found[:4])
    assert found[1]["hangs"].reasons == ("no answer within 1 s",)
    assert found[1]["hangs"].coverage == 0.0
    station.close()
    released.set()
    for thread in mine:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(closed) == ["hangs", "quick"]
