"""Sees whether something accepts connections on a port, and how long that takes."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Datum, Looks, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

_STEP_S = 0.1
_REFUSED = frozenset((errno.ECONNREFUSED, errno.ECONNRESET))
_PORTS = range(1, 65_536)

_Address = tuple[int, tuple[object, ...]]  # family, and what `connect` takes


@dataclass(frozen=True, slots=True)
class Tcp(Looks):
    """See whether a port accepts connections; refused: `open` is false; silence: an error."""

    kind: ClassVar[str] = "tcp"
    indicators: ClassVar[Mapping[str, str]] = {
        "open": "true when a connection was accepted, false when it was refused",
        "value": "the same as `open`",
        "latency": "how long it took to connect, without resolving the name (s)",
        "remote address": "the address that accepted",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: tcp\nhost: localhost\nport: 5432\n```\n\n- Expect: open is true\n"
    )
    expects: ClassVar[str | None] = "open is true"

    host: str = says("the name or address to connect to")
    port: str = says("the port, 1 to 65535; `${NAME}` is allowed")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        return filling.variables_of({"host": self.host, "port": self.port}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what is wrong with host and port."""
        found = []
        if not self.host.strip():
            hint = "write `host: name`"
            found.append(Diagnostic("GN517", "`host` is missing", Span.of_line(1), hint=hint))
        named = "$" in self.port or "{{" in self.port
        if not named and _number(self.port) is None:
            message = f"`port` is `{self.port}`, expected a number from 1 to 65535"
            found.append(Diagnostic("GN517", message, Span.of_line(1), hint="write `port: 5432`"))
        return tuple(found)

    def describe(self) -> str:
        """Return host and port."""
        return f"connect to {self.host}:{self.port}"

    def perform(self, context: Context) -> Observation:
        """Connect once, and hang up.

        Raises:
            WorkError: the name cannot be resolved, or nothing answers in time.
        """
        clock = SystemClock()
        until = clock.monotonic() + context.timeout_s
        host = filling.fill(self.host, context).strip()
        port = _number(filling.fill(self.port, context))
        if not host or port is None:
            raise WorkError(f"`{host}:{self.port}` is no address", hint="give a host and a port")
        addresses = _resolve(host, port, until, context)
        began = clock.monotonic()
        for address in addresses:
            if _connects(address, until, context):
                took = Decimal(str(round(clock.monotonic() - began, 6)))
                found: dict[str, Datum] = {
                    "open": True,
                    "value": True,
                    "latency": Quantity(took, "s"),
                    "remote address": str(address[1][0]),
                }
                return Observation(found, text=context.redact(f"{host}:{port} is open"))
        return Observation(
            {"open": False, "value": False}, text=context.redact(f"{host}:{port} refused")
        )


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 6 and int(text) in _PORTS else None


def _resolve(host: str, port: int, until: float, context: Context) -> list[_Address]:
    """Resolve a name; in a thread of its own, because a resolver knows no deadline of ours."""
    found: list[_Address] = []
    problems: list[OSError] = []

    def resolve() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            problems.append(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            found.extend((info[0], info[4]) for info in infos)

    thread = threading.Thread(target=resolve, name="gonogo-resolve", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_STEP_S)
        _refuse_late(until, context, f"the host `{host}` was not resolved")
    if problems or not found:
        raise WorkError(
            f"the host `{host}` cannot be resolved",
            hint="look at the spelling, and at the name server of this machine",
        )
    return found


def _connects(address: _Address, until: float, context: Context) -> bool:
    """Say whether the address accepts a connection; False when it refuses."""
    family, where = address
    with socket.socket(family, socket.SOCK_STREAM) as connection, selectors.DefaultSelector() as s:
        connection.settimeout(0)
        code = connection.connect_ex(where)
        s.register(connection, selectors.EVENT_WRITE)
        while code in {errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK}:
            if s.select(_STEP_S):
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                break
            _refuse_late(until, context, f"`{where[0]}:{where[1]}` did not answer")
        if code in _REFUSED:
            return False
        if code:
            reason = os.strerror(code).lower()
            raise WorkError(f"no connection with `{where[0]}:{where[1]}`: {reason}")
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        return True


def _refuse_late(until: float, context: Context, what: str) -> None:
    if context.should_stop():
        raise WorkError(f"{what}: stopped")
    if SystemClock().monotonic() > until:
        raise WorkError(f"{what} within {context.timeout_s:g} s", hint="is a firewall in between?")
