"""Reads figures out of Redis or Valkey: fields of INFO, or the answer to one command."""

from __future__ import annotations

import contextlib
import shlex
import threading
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import redis

from gonogo.databases import redis as databases
from gonogo.plan import filling
from gonogo.plan.counters import Growth, Number, WentBackError, share_of
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
    whole,
)
from gonogo.plan.sources import RedisSource

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface


_SPARE_S = 1.0  # how long a reply that has begun may go on when the time is over


class _BlindError(Exception):
    """There is no figure; the text says why."""


class RedisReader:
    """A question that is asked again and again over one connection."""

    def __init__(self, source: RedisSource, context: Context, position: object = None) -> None:
        """Fill in what is asked; the connection is opened by the first reading.

        Raises:
            WorkError: there is no such target, or a name is not bound.
        """
        self._source = source
        self._address = filling.target(source.redis, context)
        self._words = [filling.fill(word, context) for word in shlex.split(source.command)]
        self._redact = context.redact
        stored = position_of(position)
        self._since_ms = whole(stored.get("read_ms"))
        self._growth = Growth(stored.get("counters"))
        self._connection: ConnectionInterface | None = None

    def read(self, now: datetime) -> Batch:
        """Ask once."""
        now_ms = to_ms(now)
        since_ms, self._since_ms = self._since_ms, now_ms
        flaws = Flaws()
        samples: list[Sample] = []
        blind = None
        try:
            found = self._found(now_ms)
            if isinstance(found, Flaw):
                flaws.add(now_ms, found)
            elif found is not None:
                samples.append(found)
        except (_BlindError, WentBackError) as problem:
            blind = str(problem)
        position = {"read_ms": now_ms, "counters": self._growth.as_json()}
        return Batch(samples, position, flaws.take(), blind, since_ms)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(redis.RedisError, OSError):
                connection.disconnect()  # type: ignore[no-untyped-call]

    def _found(self, now_ms: int) -> Sample | Flaw | None:
        source = self._source
        if source.command:
            name, value = source.command, self._number(self._ask(*self._words))
        else:
            info = databases.fields(self._ask("INFO", "all"))
            if source.hits:
                return self._share(info, now_ms)
            name, value = source.value, self._field(info, source.value)
        if isinstance(value, Flaw) or not source.delta:
            return self._sample(now_ms, value)
        grown = self._growth.step({name: value})
        return None if grown is None else Sample(now_ms, grown[name])

    def _share(self, info: Mapping[str, str], now_ms: int) -> Sample | Flaw | None:
        source = self._source
        hits, other = (
            self._field(info, source.hits),
            self._field(info, source.misses or source.total),
        )
        if isinstance(hits, Flaw):
            return hits
        if isinstance(other, Flaw):
            return other
        total = Decimal(hits) + Decimal(other) if source.misses else other
        grown = self._growth.step({"hits": hits, "total": total})
        return None if grown is None else share_of(now_ms, grown["hits"], grown["total"])

    def _sample(self, now_ms: int, value: Number | Flaw) -> Sample | Flaw:
        if self._source.fraction and not isinstance(value, Flaw):
            value = fraction_as_percent(value)
        return value if isinstance(value, Flaw) else Sample(now_ms, value)

    def _field(self, info: Mapping[str, str], name: str) -> Number | Flaw:
        if name not in info:
            raise _BlindError(f"INFO has no field `{name}`")
        return number_in(info[name], self._source.unit)

    def _number(self, reply: object) -> Number | Flaw:
        if reply is None:
            return Flaw.MISSING
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
        return number_in(text, self._source.unit)

    def _ask(self, *words: str) -> Any:
        """Send one command; a connection that was lost meanwhile is opened anew, once."""
        was_open = self._connection is not None
        try:
            return self._say(words)
        except redis.ResponseError as problem:
            self.close()
            raise _BlindError(self._explained(problem)) from None
        except (redis.RedisError, *databases.GARBLED) as problem:
            self.close()
            slow = isinstance(problem, redis.TimeoutError | TimeoutError)
            if not was_open or slow:
                raise _BlindError(self._explained(problem)) from None
        try:
            return self._say(words)
        except (redis.RedisError, *databases.GARBLED) as problem:
            self.close()
            raise _BlindError(self._explained(problem)) from None

    def _say(self, words: tuple[str, ...]) -> Any:
        if self._connection is None:
            self._connection = databases.open_at(self._address, self._source.timeout_s)
        limit_s = self._source.timeout_s + _SPARE_S
        timer = threading.Timer(limit_s, databases.cut, (self._connection,))
        timer.daemon = True
        timer.start()  # the library counts anew with each byte that comes
        try:
            self._connection.send_command(*words)  # type: ignore[no-untyped-call]
            reply = self._connection.read_response(disable_decoding=True)
        finally:
            timer.cancel()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _explained(self, problem: Exception) -> str:
        where = self._redact(databases.without_user(self._address))
        return databases.reason(problem, where, self._source.timeout_s, self._redact)[0]
