"""Limits of a load test: k6's spelling in our own words, and what is wrong with a limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gonogo.errors import Diagnostic, Severity
from gonogo.load import NEEDED
from gonogo.plan import grammar
from gonogo.plan.condition import Condition, Op, Predicate
from gonogo.plan.units import Dimension, Quantity, plain
from gonogo.source import Span

_TIMES = ("http_req_duration", "http_req_waiting", "iteration_duration")
_K6 = re.compile(
    r"(?:(?P<metric>[a-z_]\w*)\s*[:\s]\s*)?"
    r"(?P<what>p\(\s*(?P<share>\d{1,2}(?:\.\d{1,4})?)\s*\)|avg|min|max|med|rate|count)"
    r"\s*(?P<op><=|>=|<|>|===?|!=)\s*(?P<number>\d{1,12}(?:\.\d{1,9})?)"
)
_MUCH = Decimal("0.05")  # from here on a share of errors is rather a slip than a wish
_STATS = ("p50", "p90", "p95", "p99", "p99.9", "median", "max", "avg")
_OF_TIME = ("latency", "response time", "service time", "lateness")
_COUNTS = ("requests", "errors", "rate limited", "dropped", "failed thresholds")


@dataclass(frozen=True, slots=True)
class Said:
    """One limit as written, in the words of the condition language, and what to remark on it."""

    text: str
    condition: Condition | None
    remarks: tuple[Diagnostic, ...]


def flat(thresholds: tuple[str, ...] | Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the limits one by one; k6 writes them as lists under the names of its metrics."""
    if isinstance(thresholds, Mapping):
        return tuple(f"{name}: {text}" for name, texts in thresholds.items() for text in texts)
    return tuple(thresholds)


def translated(text: str) -> str | None:
    """Return a limit in k6's spelling in our words; None when it is not in k6's spelling.

    Bare numbers are milliseconds for times and a fraction for `rate`, as k6 has it.
    """
    found = _K6.fullmatch(" ".join(text.split()).strip("'\"` "))
    if found is None:
        return None
    metric, what = found["metric"] or "", found["what"]
    op = found["op"].replace("===", "=").replace("==", "=")
    number = Decimal(found["number"])
    if what == "rate" and metric in {"", "http_req_failed"}:
        return f"error rate {op} {plain((number * 100).normalize())} %"
    if what == "rate" and metric in {"http_reqs", "iterations"}:
        return f"rate achieved {op} {plain(number)} r/s"
    if what == "count" and metric in {"", "http_reqs", "iterations"}:
        return f"requests {op} {plain(number)}"
    if what in {"rate", "count"} or (metric and metric not in _TIMES):
        return None
    stat = {"med": "p50"}.get(what, what) if found["share"] is None else f"p{found['share']}"
    return f"{stat} {op} {plain(number)} ms"


def read(text: str, place: Span) -> Said:
    """Read one limit, in k6's spelling or as any other condition."""
    ours = translated(text)
    reading = grammar.read(text if ours is None else ours, place)
    if reading.condition is None:
        errors = [d for d in reading.diagnostics if d.severity is Severity.ERROR]
        return Said(text, None, tuple(errors) or (grammar.not_a_condition(text, place),))
    remarks = () if ours is not None else reading.diagnostics
    return Said(text, reading.condition, (*remarks, *_k6_share(text, ours, place)))


def _k6_share(text: str, ours: str | None, place: Span) -> Iterator[Diagnostic]:
    found = _K6.fullmatch(" ".join(text.split()).strip("'\"` "))
    if ours is None or found is None or found["what"] != "rate" or "achieved" in ours:
        return
    number = Decimal(found["number"])
    if number >= _MUCH and found["op"].startswith("<"):
        share = plain((number * 100).normalize())
        meant = plain(number.normalize())
        yield Diagnostic(
            "GN113",
            f"`{text}` allows {share} % errors: k6 counts in fractions",
            place,
            hint=f"write `error rate < {share} %` if that is meant, else `error rate < {meant} %`",
            severity=Severity.WARNING,
        )


def mistakes(condition: Condition, place: Span, requests: int | None) -> Iterator[Diagnostic]:
    """Yield why a limit can never be judged; `requests` is how many will be judged, if known."""
    for predicate in condition.predicates:
        expected = _dimension(predicate)
        if expected is None:
            yield Diagnostic(
                "GN517",
                f"`{predicate.subject() or condition.text}` is nothing that a load test measures",
                place,
                hint="`gonogo kinds load` lists what it measures, such as `p95` and `error rate`",
            )
            continue
        yield from _unit(predicate, expected, place)
        if requests is not None:
            yield from _too_few(predicate, requests, place)
    if condition.window is not None:
        message = "a limit of a load test is judged once, at its end, and has no window"
        hint = f"leave `{condition.window.say()}` out"
        yield Diagnostic("GN517", message, place, hint=hint)


def _dimension(predicate: Predicate) -> Dimension | None:
    """Return in what a limit is counted; None for a name that is not measured."""
    name = " ".join(re.split(r"[\s_-]+", predicate.metric or "")).strip()
    stat = predicate.stat
    if name in ("", *_OF_TIME) or (name == "late" and stat == "p99"):
        return Dimension.TIME if stat in _STATS else None
    if stat is not None:
        return None
    if name in _COUNTS:
        return Dimension.NUMBER
    known = {"error rate": Dimension.RATIO, "rate achieved": Dimension.RATE}
    return known.get(name)


def _unit(predicate: Predicate, expected: Dimension, place: Span) -> Iterator[Diagnostic]:
    value = predicate.value
    if not isinstance(value, Quantity):
        return
    alike = {value.dimension, expected} <= {Dimension.NUMBER, Dimension.COUNT}
    if value.dimension is expected or alike:
        return
    example = {Dimension.TIME: "ms", Dimension.RATIO: "%", Dimension.RATE: "r/s"}.get(expected)
    said = f"`{predicate.say()}` compares {expected.value} with a {value.dimension.value}"
    number = plain(value.number)
    hint = f"write `{number} {example}`" if example else f"write `{number}` without a unit"
    yield Diagnostic("GN102", said, place, hint=hint)


def _too_few(predicate: Predicate, requests: int, place: Span) -> Iterator[Diagnostic]:
    needed, what = 0, predicate.subject()
    value = predicate.value
    stat = "p50" if predicate.stat == "median" else predicate.stat or ""
    if stat in NEEDED:
        needed = NEEDED[stat]
    elif predicate.metric == "error rate" and isinstance(value, Quantity) and value.number > 0:
        below = predicate.op in {Op.LT, Op.LE}
        needed = int(100 / value.number) + 1 if below and value.unit == "%" else 0
        what = f"{what} {predicate.expected()}"
    if requests < needed:
        yield Diagnostic(
            "GN517",
            f"`{what}` needs {needed} requests, and {requests} will be judged",
            place,
            hint="send for longer, send more per second, or state a limit that so few can show",
        )
