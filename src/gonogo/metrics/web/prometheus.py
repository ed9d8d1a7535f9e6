"""Asks a Prometheus server for one number.

Nothing that is doubtful becomes a value: several series, an empty answer and an answer with
warnings (a part of the data is missing) are reasons for being blind.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from gonogo.foreign import json_in
from gonogo.metrics.web.fetch import Get, Silence, fetch
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.plan.samples import (
    Batch,
    Flaw,
    Flaws,
    Sample,
    fraction_as_percent,
    number_in,
    position_of,
    to_ms,
    usable,
    whole,
)
from gonogo.plan.sources import PrometheusSource

Number = int | float | Decimal


class _BlindError(Exception):
    """There is no number; the text says why."""


class PrometheusReader:
    """A query that is asked again and again."""

    def __init__(self, source: PrometheusSource, context: Context, position: object = None) -> None:
        """Fill in what is asked.

        Raises:
            WorkError: there is no such target, or a name is not bound.
        """
        self._source = source
        self._redact = context.redact
        self._base = filling.target(source.prometheus, context).rstrip("/")
        self._query = filling.fill(source.query, context)
        self._count = filling.fill(source.count, context)
        self._headers = tuple(
            (name, filling.fill(value, context)) for name, value in source.headers
        )
        self._variables = context.variables
        self._since_ms = whole(position_of(position).get("read_ms"))

    def read(self, now: datetime) -> Batch:
        """Ask for the value at this moment."""
        now_ms = to_ms(now)
        since_ms, self._since_ms = self._since_ms, now_ms
        flaws = Flaws()
        samples: list[Sample] = []
        blind = None
        try:
            value = self._ask(self._query, now_ms)
            count = self._ask(self._count, now_ms) if self._count else None
            if not isinstance(value, Flaw) and self._source.fraction:
                value = fraction_as_percent(value)
            if isinstance(value, Flaw):
                flaws.add(now_ms, value)
            elif isinstance(count, Flaw):
                flaws.add(now_ms, count)
            else:
                number = None if count is None else int(count)
                samples.append(Sample(now_ms, value, samples=number))
        except _BlindError as problem:
            blind = str(problem)
        return Batch(samples, {"read_ms": now_ms}, flaws.take(), blind, since_ms)

    def close(self) -> None:
        """Do nothing: every question has a connection of its own."""

    def _ask(self, query: str, now_ms: int) -> Number | Flaw:
        limit = self._source.timeout_s
        url = (
            f"{self._base}/api/v1/query?query={quote(query, safe='')}"
            f"&time={now_ms / 1000:.3f}&timeout={limit:g}s"
        )
        get = Get(url, self._headers, limit, variables=self._variables)
        answer = fetch(get, lambda: False, self._redact)
        if isinstance(answer, Silence):
            raise _BlindError(answer.why)
        try:
            said = json_in(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict) or "status" not in said:
            raise _BlindError(f"the answer is not one of Prometheus (status {answer.status})")
        if said["status"] != "success":
            reason = self._redact(str(said.get("error", "no reason")))[:200]
            raise _BlindError(f"the query was refused: {reason}")
        for word in ("warnings", "infos"):
            told = said.get(word)
            if told and (word == "warnings" or "partial" in str(told).lower()):
                reason = self._redact(str(told[0] if isinstance(told, list) else told))[:200]
                raise _BlindError(f"the answer may be incomplete: {reason}")
        return _number(said.get("data"))


def _number(data: object) -> Number | Flaw:
    """Return the one number of an answer."""
    match data:
        case {"resultType": "scalar" | "string", "result": [_, str() as text]}:
            return _value(text)
        case {"resultType": "vector", "result": []}:
            raise _BlindError("the query gives no series: is its name right, is it scraped?")
        case {"resultType": "vector", "result": [{"value": [_, str() as text]}]}:
            return _value(text)
        case {"resultType": "vector", "result": [{"histogram": _}]}:
            raise _BlindError("the query gives a histogram; use `histogram_quantile(…)`")
        case {"resultType": "vector", "result": [*series]}:
            raise _BlindError(
                f"the query gives {len(series)} series, expected one; use `sum(…)` or a label"
            )
        case {"resultType": "matrix"}:
            raise _BlindError("the query gives values over time, expected one number")
        case _:
            raise _BlindError("the answer is not one of Prometheus")


def _value(text: str) -> Number | Flaw:
    if text.lower().strip("+-") in {"nan", "inf"}:
        return usable(float("nan"))
    return number_in(text, "")
