"""How PostgreSQL is reached: one way to connect, and one place that says why it did not work."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gonogo.errors import WorkError
from gonogo.redaction import Redactor

_TIMES = ("date", "time", "timetz", "timestamp", "timestamptz")
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


class _IsoText(Loader):
    """Keeps dates and times as ISO text: `infinity` and the year 10000 have no Python form."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1)


def keep_times_as_text(connection: psycopg.Connection[Any]) -> None:
    """Let a connection give dates and times as the server writes them."""
    for name in _TIMES:
        connection.adapters.register_loader(name, _IsoText)


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
