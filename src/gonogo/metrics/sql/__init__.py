"""Reads figures out of a PostgreSQL database: gauges, counters, shares, tables of buckets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from gonogo.metrics.sql.line import Line, NoAnswerError, Table
from gonogo.plan import filling, sqlfill, sqltext
from gonogo.plan.counters import Growth, Number, WentBackError, share_of
from gonogo.plan.kinds import Context
from gonogo.plan.log_times import epoch_ms, text_ms
from gonogo.plan.samples import (
    Batch,
    Flaw,
    Flaws,
    Sample,
    fraction_as_percent,
    position_of,
    to_ms,
    turned_into,
    usable,
    whole,
)
from gonogo.plan.sources import SqlSource
from gonogo.plan.units import Quantity

_KEPT_MS = 86_400_000
"""For how long it is remembered which rows of a table of buckets were taken."""


class SqlReader:
    """A query that is sent again and again over one connection."""

    def __init__(self, source: SqlSource, context: Context, position: object = None) -> None:
        """Fill in what is asked; the connection is opened by the first reading.

        Raises:
            WorkError: there is no such target, or a name is not bound.
        """
        self._source = source
        statement = sqltext.split(source.query or source.rows).statements[0]
        self._text = sqlfill.fill(statement, lambda name: filling.value_of(name, context))
        address = filling.target(source.sql, context)
        self._line = Line(address, source.timeout_s, context.redact)
        stored = position_of(position)
        self._since_ms = whole(stored.get("read_ms"))
        self._growth = Growth(stored.get("counters"))
        self._floor_ms = whole(stored.get("floor_ms"))
        taken = stored.get("taken")
        self._taken = (
            {at for at in taken if isinstance(at, int)} if isinstance(taken, list) else set()
        )

    def read(self, now: datetime) -> Batch:
        """Send the query once."""
        now_ms = to_ms(now)
        since_ms, self._since_ms = self._since_ms, now_ms
        flaws = Flaws()
        samples: list[Sample] = []
        blind = None
        try:
            table = self._line.ask(self._text)
            if self._source.rows:
                samples = self._buckets(table, now_ms, flaws)
            else:
                samples = self._figure(table, now_ms, flaws)
        except (NoAnswerError, WentBackError) as problem:
            blind = str(problem)
        return Batch(samples, self._position(now_ms), flaws.take(), blind, since_ms)

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _position(self, now_ms: int) -> dict[str, object]:
        found: dict[str, object] = {"read_ms": now_ms}
        if self._source.delta:
            found["counters"] = self._growth.as_json()
        if self._source.rows:
            found |= {"floor_ms": self._floor_ms, "taken": sorted(self._taken)}
        return found

    def _figure(self, table: Table, now_ms: int, flaws: Flaws) -> list[Sample]:
        if len(table.rows) != 1:
            number = len(table.rows) or "no"
            raise NoAnswerError(
                f"the query gives {number} row{'s' if table.rows[1:] else ''}, expected one"
            )
        row = dict(zip(table.names, table.rows[0], strict=True))
        found = self._taken_from(row, table.names, now_ms)
        if isinstance(found, Flaw):
            flaws.add(now_ms, found)
            return []
        return [] if found is None else [found]

    def _taken_from(
        self, row: Mapping[str, object], names: tuple[str, ...], now_ms: int
    ) -> Sample | Flaw | None:
        source = self._source
        if source.is_share:
            return self._share(row, names, now_ms)
        value = self._number(row, source.value or self._only(names))
        if isinstance(value, Flaw):
            return value
        if source.delta:
            grown = self._growth.step({source.value: value})
            return None if grown is None else Sample(now_ms, grown[source.value])
        return self._with_count(Sample(now_ms, value), row)

    def _share(
        self, row: Mapping[str, object], names: tuple[str, ...], at_ms: int
    ) -> Sample | Flaw | None:
        pair = self._pair(row, names)
        if isinstance(pair, Flaw):
            return pair
        if self._source.delta:
            grown = self._growth.step({"hits": pair[0], "total": pair[1]})
            return None if grown is None else share_of(at_ms, grown["hits"], grown["total"])
        if self._source.rows:
            return share_of(at_ms, *pair)
        hits, total = (Decimal(str(number)) for number in pair)
        if total == 0:
            return Flaw.MISSING  # nothing to divide by: there is no share
        return Flaw.IMPOSSIBLE if hits > total else Sample(at_ms, hits * 100 / total)

    def _pair(
        self, row: Mapping[str, object], names: tuple[str, ...]
    ) -> tuple[Number, Number] | Flaw:
        """Return hits and total."""
        source = self._source
        if not source.hits:
            if len(names) != 2:
                raise NoAnswerError(
                    f"the query gives {len(names)} column{'s' if names[1:] else ''}, expected "
                    "hits and total; name them with `hits` and `total`, or one with `value`"
                )
            first, second = names
        else:
            first, second = source.hits, source.total or source.misses
        hits, other = self._number(row, first), self._number(row, second)
        if isinstance(hits, Flaw):
            return hits
        if isinstance(other, Flaw):
            return other
        if source.misses:
            return hits, Decimal(str(hits)) + Decimal(str(other))
        return hits, other

    def _with_count(self, sample: Sample, row: Mapping[str, object]) -> Sample | Flaw:
        if not self._source.count:
            return sample
        count = self._number(row, self._source.count)
        return count if isinstance(count, Flaw) else sample._replace(samples=int(count))

    def _only(self, names: tuple[str, ...]) -> str:
        others = [name for name in names if name != self._source.count]
        if len(others) != 1:
            raise NoAnswerError(
                f"the query gives {len(others)} columns; say which one with `value`"
            )
        return others[0]

    def _number(self, row: Mapping[str, object], name: str) -> Number | Flaw:
        if name not in row:
            known = ", ".join(f"`{column}`" for column in row) or "none"
            raise NoAnswerError(f"the query gives no column `{name}`; it gives {known}")
        value = row[name]
        if isinstance(value, timedelta):
            seconds = Decimal(value // timedelta(microseconds=1)).scaleb(-6)
            unit = self._source.unit or "s"
            value = turned_into(Quantity(seconds, "s"), unit)
            return Flaw.TEXT if value is None else usable(value)
        found = usable(value)
        if isinstance(found, Flaw) or not self._source.fraction or name != self._source.value:
            return found
        return fraction_as_percent(found)

    def _buckets(self, table: Table, now_ms: int, flaws: Flaws) -> list[Sample]:
        """Return the rows that are complete and were not taken before."""
        width_ms = int(self._source.width_s * 1000)
        if self._floor_ms is None:
            self._floor_ms = now_ms - width_ms  # what was over before is not of this watch
        fresh: dict[int, list[Mapping[str, object]]] = {}
        for values in table.rows:
            row = dict(zip(table.names, values, strict=True))
            at_ms = self._moment(row)
            if at_ms is None:
                flaws.add(now_ms, Flaw.NO_TIME)
            elif self._floor_ms <= at_ms <= now_ms - width_ms and at_ms not in self._taken:
                fresh.setdefault(at_ms, []).append(row)
        samples = []
        for at_ms, rows in sorted(fresh.items()):
            self._taken.add(at_ms)
            found = Flaw.DOUBLE if len(rows) > 1 else self._bucket(rows[0], table.names, at_ms)
            if isinstance(found, Flaw):
                flaws.add(at_ms, found)
            elif found is not None:
                samples.append(found)
        self._forget(now_ms - max(_KEPT_MS, 4 * width_ms))
        return samples

    def _bucket(
        self, row: Mapping[str, object], names: tuple[str, ...], at_ms: int
    ) -> Sample | Flaw | None:
        if self._source.hits:
            return self._share(row, names, at_ms)
        value = self._number(row, self._source.value)
        return value if isinstance(value, Flaw) else self._with_count(Sample(at_ms, value), row)

    def _moment(self, row: Mapping[str, object]) -> int | None:
        if self._source.at not in row:
            self._number(row, self._source.at)  # says which columns there are
        value = row[self._source.at]
        if isinstance(value, str):
            return text_ms(value)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return epoch_ms(float(value)) if not isinstance(value, int) else epoch_ms(value)
        return None

    def _forget(self, before_ms: int) -> None:
        if self._floor_ms is not None and before_ms > self._floor_ms:
            self._floor_ms = before_ms
            self._taken = {at for at in self._taken if at >= before_ms}
