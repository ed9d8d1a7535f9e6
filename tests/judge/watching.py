"""Builders for tests of the watch: buckets, rules, machines and timelines with good defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from hypothesis import strategies as st

from gonogo.judge import playing
from gonogo.judge.buckets import Amount, Body, Bucket, Figure, Form, Given, Shape, Share
from gonogo.judge.moves import Move
from gonogo.judge.playing import Played
from gonogo.judge.rules import Machine, Terms
from gonogo.judge.sketch import Sketch, SketchBuilder
from gonogo.judge.timeline import read_timeline
from gonogo.plan.condition import Condition
from gonogo.plan.grammar import read
from gonogo.plan.model import Consequence, Rule
from gonogo.source import Source, Span

OBJECTIVE, PAGE, ROLLBACK = Consequence.OBJECTIVE, Consequence.PAGE, Consequence.ROLLBACK
WIDTH = 300_000
HERE = Span.of_line(1)
FORMS: Mapping[str, Form] = {
    "response time": Form(Shape.SAMPLES, "ms"),
    "error rate": Form(Shape.SHARE, "%"),
    "failures": Form(Shape.AMOUNT, "failures"),
    "load": Form(Shape.GIVEN, "", least=0),
}


def a_condition(text: str) -> Condition:
    said = read(text, HERE)
    assert said.condition is not None, said.diagnostics
    return said.condition


def a_rule(text: str, consequence: Consequence = Consequence.ROLLBACK, name: str = "") -> Rule:
    return Rule(name or f"{consequence}/{text}", a_condition(text), consequence, HERE)


def a_sketch(values: Iterable[object], limits: Iterable[str] = ()) -> Sketch:
    builder = SketchBuilder(Decimal(limit) for limit in limits)
    for value in values:
        assert builder.add(value) is None
    return builder.done()


def a_bucket(metric: str, body: Body, at: int = 0, *, watched_ms: int = WIDTH) -> Bucket:
    return Bucket(metric, at * WIDTH, WIDTH, body, watched_ms)


def latency(values: list[object], *limits: str, watched_ms: int = WIDTH) -> dict[str, Bucket]:
    body = a_sketch(values, limits)
    return {"response time": a_bucket("response time", body, watched_ms=watched_ms)}


def errors(hits: int, total: int, at: int = 0) -> dict[str, Bucket]:
    return {"error rate": a_bucket("error rate", Share(hits, total), at)}


def load(value: object, at: int = 0, samples: int | None = None) -> dict[str, Bucket]:
    """Return the slice of the metric `load`; None is a slice without data."""
    if value is None:
        return {}
    figure = Figure(at * WIDTH, Decimal(str(value)), samples)
    return {"load": a_bucket("load", Given({"": figure}), at)}


def failures(amount: int, at: int = 0) -> dict[str, Bucket]:
    return {"failures": a_bucket("failures", Amount(Decimal(amount), 1), at)}


def a_machine(*rules: Rule, **terms: object) -> Machine:
    return Machine(rules, FORMS, Terms(WIDTH, **terms))  # type: ignore[arg-type]


def play(machine: Machine, values: list[object]) -> list[Move]:
    moves: list[Move] = []
    for at, value in enumerate(values):
        moves += machine.step(at * WIDTH, load(value, at))
    return moves


# several rules on one figure, and the values that move each of them
RULES = [
    a_rule("load > 2 for 2 buckets", ROLLBACK, "roll"),
    a_rule("load < 2.5", OBJECTIVE, "goal"),
    a_rule("load > 2 for 2 of 3 buckets", PAGE, "page"),
    a_rule("load < 1 for 10 minutes", Consequence.CRITICAL, "low"),
    a_rule("load > 1.5", Consequence.WARN, "warn"),
]
VALUES = st.lists(st.sampled_from([None, 0.5, 1, 1.8, 2.2, 3]), max_size=14)


def played(text: str) -> dict[str, Played]:
    return {one.case.name: one for one in playing.play(read_timeline(Source("t.yaml", text)))}
