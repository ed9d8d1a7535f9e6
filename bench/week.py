"""A simulated week at 100 samples a second: memory and time per bucket, and percentiles."""

from __future__ import annotations

import math
import random
import time
from decimal import Decimal
from pathlib import Path
from statistics import mean

from bench.rules_bench import FORMS, HERE, cpu
from gonogo.judge.buckets import Bucket, Grid
from gonogo.judge.collector import Collector
from gonogo.judge.measures import limits_of
from gonogo.judge.rules import Machine
from gonogo.judge.sketch import SketchBuilder, rank_of
from gonogo.plan.grammar import read
from gonogo.plan.model import Consequence, Rule

METRIC = "response time"
PER_SECOND = 100
BUCKET_S = 300
DAY_S = 86_400
WORDINGS = (
    "response time p99 > 1200 ms for 2 consecutive buckets",
    "response time p95 > 600 ms for 2 of 3 buckets",
    "response time p50 > 300 ms for 3 buckets",
)


def ruled() -> list[Rule]:
    """Return three rules as a release has them."""
    rules = []
    for number, wording in enumerate(WORDINGS):
        condition = read(wording, HERE).condition
        assert condition is not None
        rules.append(Rule(f"rule-{number}", condition, Consequence.PAGE, HERE))
    return rules


def resident_mb() -> float:
    """Return the memory that this process holds, in MB of 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def watched(days: int) -> list[tuple[float, float, int]]:
    """Watch for so many days; return memory (MB), CPU s of closing and judging, buckets, by day."""
    rules = ruled()
    forms = {METRIC: FORMS[METRIC]}
    limits = limits_of((rule.condition for rule in rules), forms)
    collector = Collector(Grid(BUCKET_S, 10), forms, 0, limits=limits)
    machine = Machine(rules, forms)
    dice = random.Random(11)
    values = [round(dice.lognormvariate(5.3, 0.5), 3) for _ in range(99_991)]  # a prime
    found = []
    number = 0
    for day in range(days):
        spent, closed = 0.0, 0
        for second in range(day * DAY_S, (day + 1) * DAY_S):
            at_ms = second * 1000
            for _ in range(PER_SECOND):
                collector.value(METRIC, at_ms, values[number % len(values)])
                number += 1
            collector.covered(METRIC, at_ms, at_ms + 1000)
            before = time.process_time()
            for bucket in collector.advance(at_ms):
                machine.step(bucket.start_ms, {METRIC: bucket})
                closed += 1
            spent += time.process_time() - before
        found.append((resident_mb(), spent, closed))
    return found


def errors() -> list[tuple[str, float, float]]:
    """Return the mean and largest error of percentiles, in %, over 200 buckets of three shapes."""
    dice = random.Random(5)
    shapes = (
        lambda: dice.lognormvariate(5.3, 0.8),
        lambda: dice.expovariate(1 / 120),
        lambda: dice.choice((20, 30, 900)) * dice.uniform(0.9, 1.1),
    )
    seen: dict[str, list[float]] = {name: [] for name in ("p50", "p95", "p99", "p99.9")}
    for at in range(200):
        values = [shapes[at % 3]() for _ in range(3_000)]
        sketch = SketchBuilder()
        for value in values:
            sketch.add(value)
        done = sketch.done()
        values.sort()
        for name in seen:
            share = Decimal(name[1:]) / 100
            told = done.quantile(share)
            true = values[rank_of(share, len(values)) - 1]
            assert told is not None
            seen[name].append(math.fabs(told - true) / true * 100)
    return [(name, mean(found), max(found)) for name, found in seen.items()]


def report(days: int = 7) -> str:
    """Return the section of the results page."""
    dice = random.Random(3)
    values = [dice.lognormvariate(5.3, 0.6) for _ in range(PER_SECOND * BUCKET_S)]

    def sketched() -> Bucket | None:
        sketch = SketchBuilder()
        for value in values:
            sketch.add(value)
        sketch.done().quantile(Decimal("0.99"))
        return None

    def exact() -> float:
        return sorted(values)[rank_of(Decimal("0.99"), len(values)) - 1]

    mine, theirs = cpu(sketched), cpu(exact)
    lines = [
        f"### {days} days at {PER_SECOND} samples/s, {BUCKET_S // 60}-minute buckets, three rules",
        "",
        "| day | memory MB | closing and judging, CPU ms per bucket |",
        "|---|---|---|",
    ]
    for day, (memory, spent, closed) in enumerate(watched(days), start=1):
        lines.append(f"| {day} | {memory:.1f} | {spent / max(closed, 1) * 1000:.2f} |")
    lines += [
        "",
        f"A bucket of {len(values):,} samples and its p99: {mine * 1000:.0f} ms of CPU, bounded in",
        f"memory; sorting all of them, kept in memory: {theirs * 1000:.0f} ms.",
        "",
        "| percentile | mean error of 200 buckets | largest (target: < 1 %) |",
        "|---|---|---|",
        *(f"| {name} | {usual:.2f} % | {most:.2f} % |" for name, usual, most in errors()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
