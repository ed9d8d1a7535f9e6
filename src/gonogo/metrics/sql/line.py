"""A connection to PostgreSQL that only reads, ends every question in time, and comes back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from gonogo.databases import postgres
from gonogo.databases.postgres import Address
from gonogo.errors import WorkError

MOST_ROWS = 100_000
_SPARE_S = 1.0  # how long a server may take to end a statement before the connection is cut
_BEFORE = (
    "BEGIN READ ONLY; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}; "
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'"
)


class NoAnswerError(Exception):
    """There is no answer; the text says why, without secrets."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a query gave."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Line:
    """One connection, opened when it is needed and again when it was lost."""

    def __init__(self, address: str, timeout_s: float, redact: Callable[[str], str]) -> None:
        """Remember where to connect to."""
        self._address = address
        self._timeout_s = timeout_s
        self._redact = redact
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, text: str) -> Table:
        """Send one statement and return its rows.

        A connection that was lost since the last question is opened anew, once.

        Raises:
            NoAnswerError: it cannot be reached, refuses, or takes too long.
        """
        was_open = self._connection is not None
        try:
            return self._ask(text)
        except psycopg.OperationalError as problem:
            lost = self._connection is None or self._connection.closed
            self.close()
            if not (was_open and lost) or problem.sqlstate == "57014":
                raise NoAnswerError(self._explained(problem)) from None
        except psycopg.Error as problem:
            self._end()
            raise NoAnswerError(self._explained(problem)) from None
        try:
            return self._ask(text)
        except psycopg.Error as problem:
            self.close()
            raise NoAnswerError(self._explained(problem)) from None

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _ask(self, text: str) -> Table:
        connection = self._connection or self._connect()
        self._connection = connection
        limit = max(int(self._timeout_s * 1000), 1)
        timer = threading.Timer(self._timeout_s + _SPARE_S, postgres.cut, (connection,))
        timer.daemon = True
        timer.start()
        try:
            connection.execute(_BEFORE.format(limit=limit).encode())
            names, rows = _answer(connection, text)
            return Table(postgres.told_apart(names, rows), rows)
        except postgres.TooMuchError as error:
            raise NoAnswerError(f"the query gives {error}") from None
        except UnicodeDecodeError:
            raise NoAnswerError(postgres.NO_UTF8) from None
        finally:
            timer.cancel()
            self._end()

    def _end(self) -> None:
        """End the transaction; a connection that cannot do that is of no use any more."""
        if self._connection is not None and not self._connection.closed:
            try:
                self._connection.execute(b"ROLLBACK")
            except psycopg.Error:
                self._connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        connection = postgres.open_at(self._place(), self._timeout_s)
        connection.prepare_threshold = None
        postgres.keep_values(connection)
        return connection

    def _explained(self, problem: psycopg.Error) -> str:
        state = problem.sqlstate or ""
        if state == "57014":
            return f"the query did not end within {self._timeout_s:g} s"
        if state == "25006":
            return "the query changes something, which a metric may not"
        said = problem.diag.message_primary or str(problem).strip() or type(problem).__name__
        if any(word in said.lower() for word in _LOST):
            return f"the connection with `{self._place().where}` was lost"
        if not state:
            found = postgres.reason(said, self._place())
            if found is not None:
                return found.message
        line = self._redact(said.splitlines()[-1])
        return f"the query was refused: {line} ({state})" if state else f"no answer: {line}"

    def _place(self) -> Address:
        try:
            return Address.read(self._address, "")
        except WorkError:
            raise NoAnswerError("the target is no address of a PostgreSQL database") from None


_LOST = ("server closed the connection", "terminating connection", "connection is lost")


def _answer(
    connection: psycopg.Connection[Any], text: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    if postgres.is_query(text):
        return postgres.stream(connection, text, MOST_ROWS)
    cursor = connection.execute(text.encode())
    if cursor.rowcount > MOST_ROWS:
        raise postgres.TooMuchError(f"{cursor.rowcount} rows")
    rows = cursor.fetchall() if cursor.description else []
    return [column.name for column in cursor.description or ()], rows
