"""Builders for tests of collecting: a collector that begins at noon, and time that passes."""

from __future__ import annotations

from datetime import UTC, datetime

from gonogo.judge.buckets import Bucket, Form, Grid, Shape
from gonogo.judge.collector import Collector

S = 1000
MIN = 60 * S
FORMS = {
    "latency": Form(Shape.SAMPLES, "ms"),
    "errors": Form(Shape.SHARE, "%"),
    "jobs": Form(Shape.AMOUNT, "jobs"),
    "table": Form(Shape.GIVEN, "ms"),
}
GRID = Grid(300, 10)


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


NOON = at("2026-03-01T12:00:00+00:00")


def a_collector(started: int = NOON, **more: object) -> Collector:
    return Collector(GRID, FORMS, started, **more)  # type: ignore[arg-type]


def pass_time(collector: Collector, since: int, until: int, step: int = 30 * S) -> list[Bucket]:
    closed: list[Bucket] = []
    for now in range(since + step, until + 1, step):
        closed += collector.advance(now)
    return closed


def of(buckets: list[Bucket] | tuple[Bucket, ...], metric: str) -> list[Bucket]:
    return [bucket for bucket in buckets if bucket.metric == metric]
