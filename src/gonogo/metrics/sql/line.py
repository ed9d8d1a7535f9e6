"""A connection to PostgreSQL that only reads, ends every question in time, and comes back."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict

MOST_ROWS = 100_000
_SPARE_S = 1.0  # how long a server may take to end a statement before the connection is cut
_TIMES = ("date", "time", "timetz", "timestamp", "timestamptz")
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


class _IsoText(Loader):
    """Keeps times as text: `infinity` and the year 10000 have no Python form."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1)


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
        timer = threading.Timer(self._timeout_s + _SPARE_S, _cut, (connection,))
        timer.daemon = True
        timer.start()
        try:
            connection.execute(_BEFORE.format(limit=limit).encode())
            cursor = connection.execute(text.encode())
            if cursor.rowcount > MOST_ROWS:
                raise NoAnswerError(
                    f"the query gives {cursor.rowcount} rows, expected at most {MOST_ROWS}"
                )
            names = tuple(column.name for column in cursor.description or ())
            rows = cursor.fetchall() if cursor.description else []
            return Table(names, rows)
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
        try:
            parts = conninfo_to_dict(self._address)
        except psycopg.Error:
            parts = {}
        if not parts:
            raise NoAnswerError("the target is no address of a PostgreSQL database")
        limit = {"connect_timeout": max(2, min(int(self._timeout_s), 15))}
        more: dict[str, Any] = {k: v for k, v in limit.items() if k not in parts}
        connection = psycopg.connect(
            self._address,
            autocommit=True,
            application_name="gonogo",
            client_encoding="UTF8",
            tcp_user_timeout=int(self._timeout_s * 1000) + 1000,
            **more,
        )
        connection.prepare_threshold = None
        for name in _TIMES:
            connection.adapters.register_loader(name, _IsoText)
        return connection

    def _explained(self, problem: psycopg.Error) -> str:
        state = problem.sqlstate or ""
        if state == "57014":
            return f"the query did not end within {self._timeout_s:g} s"
        if state == "25006":
            return "the query changes something, which a metric may not"
        said = problem.diag.message_primary or str(problem).strip() or type(problem).__name__
        lower = said.lower()
        for words, meaning in _MEANINGS:
            if any(word in lower for word in words):
                return meaning.format(where=self._where())
        line = self._redact(said.splitlines()[-1])
        return f"the query was refused: {line} ({state})" if state else f"no answer: {line}"

    def _where(self) -> str:
        parts = conninfo_to_dict(self._address)
        return f"{parts.get('host') or 'the local socket'}:{parts.get('port') or 5432}"


_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("authentication failed", "no password supplied"), "`{where}` refuses the password"),
    (("connection refused", "no such file"), "nothing answers at `{where}`: connection refused"),
    (("starting up", "shutting down", "recovery mode"), "the server at `{where}` is restarting"),
    (
        ("server closed the connection", "terminating connection", "connection is lost"),
        "the connection with `{where}` was lost",
    ),
    (("could not translate", "failed to resolve"), "the host of `{where}` cannot be resolved"),
    (("timeout expired", "timed out"), "`{where}` does not answer in time"),
    (("too many clients", "remaining connection slots"), "`{where}` has no free connection"),
)


def _cut(connection: psycopg.Connection[Any]) -> None:
    """End a connection whose server says nothing any more, from outside."""
    with contextlib.suppress(OSError, psycopg.Error):
        copy = socket.socket(fileno=os.dup(connection.pgconn.socket))
        with copy:
            copy.shutdown(socket.SHUT_RDWR)
