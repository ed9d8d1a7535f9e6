"""How PostgreSQL is reached: one way to connect, and one place that says why it did not work."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import AdaptContext
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.datetime import IntervalLoader
from psycopg.types.json import set_json_loads

from gonogo.errors import WorkError
from gonogo.foreign import json_in
from gonogo.plan.sqltext import split
from gonogo.redaction import Redactor

_TIMES = ("date", "time", "timetz", "timestamp", "timestamptz")
_QUERIES = frozenset({"select", "with", "values", "table"})
_MOST_TEXT = 32 << 20  # characters of an answer, and bytes
_FIRST_S, _MOST_S = 2, 15  # libpq takes no less than 2 seconds to connect


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and how the author of a runbook calls it; secrets inside."""

    text: str
    name: str
    parts: Mapping[str, Any]

    @classmethod
    def read(cls, text: str, name: str) -> Address:
        """Take an address apart.

        Raises:
            WorkError: it is none.
        """
        try:
            parts = conninfo_to_dict(text)
        except psycopg.Error:
            parts = {}
        if not parts:
            raise WorkError(
                f"target `{name}` is no address of a PostgreSQL database",
                hint="write `postgresql://user:${PASSWORD}@host:5432/database`",
            )
        return cls(text, name, {key: value for key, value in parts.items() if value is not None})

    def of(self, database: str) -> Address:
        """Return the address of another database on the same server."""
        parts = {**self.parts, "dbname": database}
        return Address(make_conninfo(**parts), self.name, parts)

    @property
    def host(self) -> str:
        """Return the host as people say it."""
        return str(self.parts.get("host") or "the local socket")

    @property
    def where(self) -> str:
        """Return host and port."""
        return f"{self.host}:{self.parts.get('port') or 5432}"


def open_at(address: Address, timeout_s: float, program: str = "gonogo") -> psycopg.Connection[Any]:
    """Connect, in autocommit; a server that falls silent is given up soon after `timeout_s`.

    Raises:
        psycopg.Error: it cannot be reached, or refuses; `reason` says it in our words.
    """
    limits: dict[str, Any] = {
        "connect_timeout": max(_FIRST_S, min(int(timeout_s), _MOST_S)),
        "tcp_user_timeout": min(int(timeout_s * 1000) + 1000, 2**31 - 1),
    }
    return psycopg.connect(
        address.text,
        autocommit=True,
        application_name=program,
        client_encoding="UTF8",
        **{name: value for name, value in limits.items() if name not in address.parts},
    )


def connect(
    address: Address, timeout_s: float, redact: Redactor, program: str = "gonogo"
) -> psycopg.Connection[Any]:
    """Connect as `open_at` does.

    Raises:
        WorkError: it cannot be reached, or refuses.
    """
    try:
        return open_at(address, timeout_s, program)
    except psycopg.Error as error:
        said = str(error).strip()
        found = reason(said, address)
        if found is not None:
            raise found from None
        line = redact(said.splitlines()[-1] if said else "no reason")
        raise WorkError(
            f"cannot connect to PostgreSQL at `{address.where}`: {line}",
            hint=f"is the server running, and is target `{address.name}` right?",
        ) from None


def reason(said: str, address: Address) -> WorkError | None:
    """Return in our words why a server was not reached; None when its own words must do."""
    lower = said.lower()
    for words, what, hint in _REASONS:
        if any(word in lower for word in words):
            parts = address.parts
            database = parts.get("dbname") or parts.get("user") or "?"
            names = {"where": address.where, "host": address.host, "database": database}
            message = what.format(user=parts.get("user"), **names)
            return WorkError(message, hint=hint.format(name=address.name))
    return None


_REASONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("authentication failed", "no password supplied"),
        "`{where}` refuses the password of user `{user}`",
        "look at the password in target `{name}`",
    ),
    (
        ("does not exist",),
        "`{where}` has no such database or user: database `{database}`, user `{user}`",
        "look at the end of the address in target `{name}`",
    ),
    (
        ("connection refused",),
        "nothing answers at `{where}`: connection refused",
        "is the server running, and does it listen there? (target `{name}`)",
    ),
    (
        ("starting up", "shutting down", "recovery mode"),
        "the server at `{where}` is restarting",
        "wait until it answers, or look at its log",
    ),
    (
        ("could not translate host name", "failed to resolve", "name or service not known"),
        "the host `{host}` cannot be resolved",
        "look at the host in target `{name}`",
    ),
    (
        ("timeout expired", "timed out"),
        "`{where}` does not answer in time",
        "is a firewall in between? (target `{name}`)",
    ),
    (
        ("certificate", "ssl", "tls"),
        "no TLS connection with `{where}`",
        "look at `sslmode` and `sslrootcert` in target `{name}`",
    ),
    (
        ("too many clients", "remaining connection slots"),
        "`{where}` has no free connection",
        "close idle connections, or raise max_connections",
    ),
    (
        ("no such file",),
        "nothing answers at `{where}`",
        "is the server running? (target `{name}`)",
    ),
)


class _Interval(Loader):
    """Reads an interval, and keeps one as text that has no Python form."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._finite = IntervalLoader(oid, context)

    def load(self, data: Buffer) -> timedelta | str:
        text = bytes(data).decode()
        if "infinity" in text:  # as psycopg reads it, an endless time would be none at all
            return text
        try:
            return self._finite.load(data)
        except NotImplementedError:  # another IntervalStyle
            return text


class _IsoText(Loader):
    """Keeps dates and times as ISO text: `infinity` and the year 10000 have no Python form."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1)


def keep_values(connection: psycopg.Connection[Any]) -> None:
    """Let a connection give each value exactly, or as the text that the server writes.

    Dates and times are texts, and so is JSON that nobody could work with.
    """
    for name in _TIMES:
        connection.adapters.register_loader(name, _IsoText)
    connection.adapters.register_loader("interval", _Interval)
    set_json_loads(_json, connection)


def _json(data: str | bytes) -> Any:
    try:
        return json_in(data)
    except ValueError:
        return data if isinstance(data, str) else data.decode("utf-8", "replace")


def told_apart(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return the names of columns; those of one name and several values are numbered.

    `count` and `count` become `count (1)` and `count (2)`, so that neither stands for the other.
    """
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    found = list(names)
    for name, those in places.items():
        first, *others = those
        if any(row[at] != row[first] for at in others for row in rows):
            for number, at in enumerate(those, 1):
                found[at] = f"{name} ({number})"
    return tuple(found)


class TooMuchError(Exception):
    """The answer has more rows or more text than anybody looks at; the text says how much."""


def stream(
    connection: psycopg.Connection[Any], text: str, most_rows: int
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Send one query and return the names of its columns and its rows, read one by one.

    So a query for a whole table costs no more memory than what may be returned.

    Raises:
        psycopg.Error: the server refuses it.
        TooMuchError: there are more than `most_rows`, or more text than 32 MiB.
    """
    cursor = connection.cursor()
    rows: list[tuple[Any, ...]] = []
    length = 0
    with contextlib.closing(cursor.stream(text.encode())) as found:  # type: ignore[type-var]
        for row in found:
            length += sum(len(value) for value in row if isinstance(value, str | bytes))
            if len(rows) == most_rows:
                raise TooMuchError(f"more than {most_rows} rows")
            if length > _MOST_TEXT:
                raise TooMuchError(f"more than {_MOST_TEXT >> 20} MiB of text")
            rows.append(row)
    return [column.name for column in cursor.description or ()], rows


def is_query(text: str) -> bool:
    """Say whether a statement is one that answers with rows, however many."""
    return next((s.first.lower() for s in split(text).statements), "") in _QUERIES


NO_UTF8 = "the answer of the database holds text that is not UTF-8"
NO_UTF8_HINT = "leave that column out, or ask for `encode(column::bytea, 'escape')`"


def cut(connection: psycopg.Connection[Any]) -> None:
    """End a connection whose server says nothing any more, from outside."""
    with contextlib.suppress(OSError, psycopg.Error):
        copy = socket.socket(fileno=os.dup(connection.pgconn.socket))
        with copy:
            copy.shutdown(socket.SHUT_RDWR)


def as_environment(parts: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return a connection for a program: variables with all secrets, and the rest as a text.

    The text stands in argv, where everybody on the machine may read it.
    """
    known = {
        option.keyword.decode(): (option.envvar or b"").decode()
        for option in pq.Conninfo.get_defaults()
    }
    environment: dict[str, str] = {}
    rest: dict[str, Any] = {}
    for name, value in parts.items():
        variable = known.get(name, "")
        if variable and name != "dbname":
            environment[variable] = str(value)
        elif name not in {"sslpassword", "oauth_client_secret", "scram_client_key"}:
            rest[name] = value
    return environment, make_conninfo(**rest)
