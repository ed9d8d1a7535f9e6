"""A day of buckets under a thousand rules: how long the judging takes, beside looking only."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal

from gonogo.judge.buckets import Bucket, Form, Shape, Share
from gonogo.judge.measures import limits_of
from gonogo.judge.questions import Buckets
from gonogo.judge.rules import Machine
from gonogo.judge.sketch import SketchBuilder
from gonogo.plan.condition import Condition
from gonogo.plan.grammar import read
from gonogo.plan.model import Consequence, Rule
from gonogo.source import Span

HERE = Span.of_line(1)
WIDTH = 300_000
FORMS = {
    "response time": Form(Shape.SAMPLES, "ms"),
    "error rate": Form(Shape.SHARE, "%"),
}


def thousand(number: int = 1_000) -> list[Rule]:
    """Return rules with different limits: a third latency, a third errors, a third both."""
    rules = []
    for at in range(number):
        wordings = (
            f"response time p99 > {1_000 + at} ms for 2 consecutive buckets",
            f"error rate > {1 + at / 1_000} % for 2 of 3 buckets",
            f"response time p95 > {800 + at} ms or error rate > {2 + at / 1_000} % for 2 buckets",
        )
        condition = read(wordings[at % 3], HERE).condition
        assert isinstance(condition, Condition)
        rules.append(Rule(f"rule-{at}", condition, Consequence.ROLLBACK, HERE))
    return rules


def day(rules: list[Rule], slices: int = 288) -> list[Buckets]:
    """Return a day of buckets with 1,000 samples each and a fault in the evening."""
    dice = random.Random(7)
    limits = limits_of((rule.condition for rule in rules), FORMS)["response time"]
    found: list[Buckets] = []
    for at in range(slices):
        slow = 4 if at > 250 else 1
        sketch = SketchBuilder(limits)
        for _ in range(1_000):
            sketch.add(round(slow * dice.lognormvariate(5.3, 0.6), 3))
        share = Share(dice.randrange(8) + 15 * (slow - 1), 1_000)
        start = at * WIDTH
        found.append(
            {
                "response time": Bucket("response time", start, WIDTH, sketch.done(), WIDTH),
                "error rate": Bucket("error rate", start, WIDTH, share, WIDTH),
            }
        )
    return found


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the faster of three tries."""
    spent = []
    for _ in range(3):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return min(spent)


def judged(rules: list[Rule], slices: list[Buckets]) -> int:
    """Judge all slices; return how many moves there were."""
    machine = Machine(rules, FORMS)
    return sum(len(machine.step(at * WIDTH, buckets)) for at, buckets in enumerate(slices))


def compared(rules: list[Rule], slices: list[Buckets]) -> int:
    """Compare two numbers for every rule and slice: the least that any judge must do."""
    bound = Decimal(1)
    found = 0
    for at, _ in enumerate(slices):
        seen = Decimal(at)
        for _ in rules:
            found += seen > bound
    return found


def report() -> str:
    """Return the section of the results page."""
    rules = thousand()
    slices = day(rules)
    whole, floor = cpu(lambda: judged(rules, slices)), cpu(lambda: compared(rules, slices))
    samples = 100_000

    def feed() -> None:
        sketch = SketchBuilder([Decimal(500), Decimal(1200)])
        for at in range(samples):
            sketch.add(at * 0.013)

    fed = cpu(feed)
    return "\n".join(
        (
            "### Rules over buckets",
            "",
            f"| 1,000 rules, {len(slices)} buckets | CPU s |",
            "|---|---|",
            f"| judged, preparing and {judged(rules, slices):,} moves included | {whole:.2f} |",
            f"| one comparison of two numbers for each | {floor:.2f} |",
            "",
            f"One sample into a histogram: {fed / samples * 1e6:.1f} µs of CPU.",
            "",
        )
    )


if __name__ == "__main__":
    print(report())
