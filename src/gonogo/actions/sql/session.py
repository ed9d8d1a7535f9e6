"""One connection to PostgreSQL for one block: sends, watches the time, explains what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg

from gonogo.clock import SystemClock
from gonogo.databases import postgres
from gonogo.databases.watched import SPARE_S, Watched
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Datum, Effect
from gonogo.plan.units import Quantity

_clock = SystemClock()
_STEP_S = 0.1  # how often a wish to stop is looked at
_MOST_ROWS = 100_000
_MOST_NOTICES = 10 << 20  # characters
_CHANGING = ("INSERT", "UPDATE", "DELETE", "MERGE")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `rows` is None when no statement returns rows."""

    rows: list[dict[str, Datum]] | None
    affected: int
    notices: tuple[str, ...]
    duration_s: float


class Session(Watched):
    """A connection that ends with its block; a check's is read-only."""

    def __init__(self, address: str, name: str, context: Context, lock_timeout_s: float) -> None:
        """Remember what to connect to; `name` is how the author calls it."""
        self._address = address
        self._name = name
        self._context = context
        self._lock_s = lock_timeout_s
        self._until = _clock.monotonic() + context.timeout_s
        self._notices: list[str] = []
        self._noticed = self._unkept = 0
        self._ended_by = ""
        super().__init__("gonogo-sql")

    def send(self, statements: Sequence[str]) -> Answer:
        """Send the statements in order.

        Raises:
            WorkError: one failed; its number, and what stays done, is in the message.
        """
        began = _clock.monotonic()
        rows: list[dict[str, Datum]] | None = None
        affected = 0
        at = 0  # also tells the handler below which statement it was
        reads_only = self._context.effect is not Effect.ACTION
        try:
            self._prepare(reads_only=reads_only)
            for text in statements:
                at += 1
                if reads_only and postgres.is_query(text):
                    rows = _named(*postgres.stream(self._connection, text, _MOST_ROWS))
                    continue
                cursor = self._connection.execute(text.encode())
                if (cursor.statusmessage or "").startswith(_CHANGING):
                    affected += max(cursor.rowcount, 0)
                if cursor.description is not None:
                    rows = _rows(cursor)
            if reads_only:
                self._connection.execute("ROLLBACK")
        except psycopg.Error as error:
            raise self._explained(error, at, len(statements)) from None
        except postgres.TooMuchError as error:
            raise WorkError(
                f"the result has {error}", hint="count or aggregate in SQL, or write `LIMIT`"
            ) from None
        except UnicodeDecodeError:
            raise WorkError(postgres.NO_UTF8, hint=postgres.NO_UTF8_HINT) from None
        return Answer(rows, affected, self._told(), _clock.monotonic() - began)

    def _connect(self) -> psycopg.Connection[Any]:
        address = postgres.Address.read(self._address, self._name)
        context = self._context
        connection = postgres.connect(address, context.timeout_s, context.redact)
        connection.add_notice_handler(self._notice)
        postgres.keep_values(connection)
        return connection

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        text = f"{notice.severity}: {notice.message_primary}"
        self._noticed += len(text)
        if self._noticed <= _MOST_NOTICES:
            self._notices.append(text)
        else:
            self._unkept += 1

    def _told(self) -> tuple[str, ...]:
        """Return what the server said beside the result, and how much of it was not kept."""
        more = f"{self._unkept} notices more than are kept"
        return (*self._notices, more) if self._unkept else tuple(self._notices)

    def _prepare(self, *, reads_only: bool) -> None:
        left_ms = max(int((self._until - _clock.monotonic()) * 1000), 1)
        scope = "LOCAL " if reads_only else ""
        if reads_only:
            self._connection.execute("BEGIN READ ONLY")
        self._connection.execute(f"SET {scope}statement_timeout = {left_ms}".encode())
        if self._lock_s:
            text = f"SET {scope}lock_timeout = {int(self._lock_s * 1000)}"
            self._connection.execute(text.encode())

    def _watch(self) -> None:
        """Cancel the statement when time is over or somebody wants to stop; then cut the line."""
        while not self._done.wait(_STEP_S):
            if self._context.should_stop():
                self._ended_by = "stop"
            elif _clock.monotonic() > self._until:
                self._ended_by = "deadline"
            else:
                continue
            with contextlib.suppress(psycopg.Error, OSError):
                self._connection.cancel_safe(timeout=SPARE_S)
            if not self._done.wait(SPARE_S):
                postgres.cut(self._connection)
            return

    def _explained(self, error: psycopg.Error, at: int, count: int) -> WorkError:
        """Say what the server said, which statement it was, and what to do."""
        is_action = self._context.effect is Effect.ACTION
        which = f"statement {at} of {count}: " if count > 1 and at else ""
        done = f"; statements 1 to {at - 1} stay done" if is_action and at > 1 else ""
        state = error.sqlstate or ""
        if self._ended_by == "stop":
            return WorkError(f"{which}stopped in its middle{done}", failed=is_action)
        if state == "57014" or self._ended_by == "deadline":
            return WorkError(
                f"{which}did not end within {self._context.timeout_s:g} s{done}",
                hint="allow more time with `timeout:`; pg_stat_activity shows what blocks it",
                failed=is_action,
            )
        said = error.diag.message_primary or str(error).strip() or type(error).__name__
        hint = _HINTS.get(state) or error.diag.message_hint or error.diag.message_detail or ""
        code = f" ({state})" if state else ""
        redact = self._context.redact
        return WorkError(
            redact(f"{which}{said}{code}{done}"),
            hint=redact(hint),
            failed=is_action and bool(state),
        )


_HINTS = {
    "25006": "a check only reads; if it is meant to change something, write `kind: action`",
    "55P03": "something holds the lock: look in pg_locks, or allow more with `lock timeout:`",
    "25001": "this statement cannot stand in a transaction; write `kind: action`",
    "42501": "the user of the target may not do this",
}


def _rows(cursor: psycopg.Cursor[Any]) -> list[dict[str, Datum]]:
    if cursor.rowcount > _MOST_ROWS:
        raise WorkError(
            f"the result has {cursor.rowcount} rows, expected at most {_MOST_ROWS}",
            hint="count or aggregate in SQL",
        )
    return _named([column.name for column in cursor.description or ()], cursor.fetchall())


def _named(names: list[str], rows: list[tuple[Any, ...]]) -> list[dict[str, Datum]]:
    apart = postgres.told_apart(names, rows)
    return [dict(zip(apart, map(_datum, row), strict=True)) for row in rows]


def _datum(value: object) -> Datum:
    """Return a value of PostgreSQL as one that conditions know; nothing is rounded."""
    if value is None or isinstance(value, bool | int | float | Decimal | str):
        return value
    if isinstance(value, timedelta):
        whole = Decimal(value.days * 86_400 + value.seconds)
        return Quantity(whole + Decimal(value.microseconds) / 1_000_000, "s")
    if isinstance(value, list | tuple):
        return [_datum(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _datum(item) for key, item in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return str(value)
