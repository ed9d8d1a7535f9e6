"""The connection over which migrations are sent, and who stands in their way."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import psycopg

from gonogo.clock import SystemClock
from gonogo.databases import postgres
from gonogo.databases.watched import SPARE_S, Watched
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context
from gonogo.plan.sqlread import without_values
from gonogo.records import IDENTITY_SQL

_clock = SystemClock()
_STEP_S = 0.1  # how often the watcher looks
_BLOCKERS = b"""
SELECT a.pid, coalesce(a.usename, '?'), coalesce(a.application_name, ''), coalesce(a.state, '?'),
       coalesce(round(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)::bigint,
       coalesce(a.query, '')
FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids(%s)) ORDER BY a.xact_start LIMIT 5
"""


class Database(Watched):
    """A connection in autocommit that knows its deadline; a wish to stop cancels what it sends."""

    def __init__(self, address: str, name: str, context: Context) -> None:
        """Remember where to connect; `name` is how the author calls it."""
        self.address = address
        self.name = name
        self.context = context
        self._until = _clock.monotonic() + context.timeout_s
        self._sending = threading.Event()
        self._blockers: tuple[str, ...] = ()
        self._ended_by = ""
        super().__init__("gonogo-migrate")

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """Return the connection itself."""
        return self._connection

    def left_s(self) -> float:
        """Return the seconds that are left of the step's time."""
        return max(self._until - _clock.monotonic(), 0.0)

    def rows(self, text: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Send one statement of ours and return its rows.

        Raises:
            psycopg.Error: the server refuses it.
        """
        cursor = self.connection.execute(text.encode(), tuple(values) or None)
        try:
            return cursor.fetchall() if cursor.description is not None else []
        except UnicodeDecodeError:
            raise psycopg.DataError(postgres.NO_UTF8) from None

    def script(self, text: str) -> None:
        """Send a text of statements as it is, and watch who stands in its way.

        Raises:
            psycopg.Error: the server refuses one of them, or the time is over.
        """
        self._blockers = ()
        self._sending.set()
        try:
            self.connection.execute(text.encode())
        finally:
            self._sending.clear()

    def identity(self) -> str:
        """Return what tells this database from all others; empty where the server does not say."""
        try:
            return str(self.rows(IDENTITY_SQL)[0][0])
        except psycopg.Error:
            return ""

    def in_the_way(self) -> tuple[str, ...]:
        """Return who held the lock that the last script waited for, a line each."""
        return self._blockers

    def ended_by(self) -> str:
        """Return why the last script was cancelled: `stop`, `deadline`, or nothing."""
        return self._ended_by

    def _connect(self) -> psycopg.Connection[Any]:
        return _open(self.address, self.name, self.context)

    def _watch(self) -> None:
        with contextlib.suppress(psycopg.Error, WorkError):
            while not self._done.wait(_STEP_S):
                if self._sending.is_set():
                    self._look()

    def _look(self) -> None:
        """Look from a second connection for as long as one script is under way."""
        pid = self.connection.info.backend_pid
        with _open(self.address, self.name, self.context) as other:
            while self._sending.is_set() and not self._done.wait(_STEP_S):
                found = []
                with contextlib.suppress(UnicodeDecodeError):  # a query of another encoding
                    found = other.execute(_BLOCKERS, (pid,)).fetchall()
                if found:
                    self._blockers = tuple(self._said(row) for row in found)
                if self.context.should_stop():
                    self._ended_by = "stop"
                elif not self.left_s():
                    self._ended_by = "deadline"
                else:
                    continue
                with contextlib.suppress(psycopg.Error, OSError):
                    self.connection.cancel_safe(timeout=SPARE_S)

    def _said(self, row: tuple[Any, ...]) -> str:
        """Return one line about a session; of its query only what tells no data."""
        pid, user, program, state, age_s, query = row
        by = f", {program}" if program else ""
        words = " ".join(without_values(str(query)).split())[:120]
        return self.context.redact(f"pid {pid} ({user}{by}, {state} since {age_s} s): {words}")


def _open(address: str, name: str, context: Context) -> psycopg.Connection[Any]:
    place = postgres.Address.read(address, name)
    connection = postgres.connect(place, context.timeout_s, context.redact, "gonogo migrate")
    with contextlib.suppress(psycopg.Error):  # a server that notices at once when we are killed
        connection.execute("SET client_connection_check_interval = '1s'")
    return connection
