"""One connection to a Redis or Valkey server for one block: asks, watches the time, explains."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gonogo.clock import SystemClock
from gonogo.databases.deadline import Deadline
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.redaction import Redactor

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface

_clock = SystemClock()
SCHEMES = ("redis://", "rediss://", "unix://", "valkey://", "valkeys://")
_SCAN_COUNT = 1000
_STEP_S = 0.1  # how often a wish to stop is looked at
_SPARE_S = 1.0  # how long a reply that has begun may go on when the time is over
GARBLED = (OSError, ValueError, ArithmeticError, RecursionError)
"""What the library raises beside its own errors when a reply is none of the protocol."""


class Connection:
    """A connection that ends with its block; whatever goes wrong is a `WorkError` with a hint."""

    def __init__(self, on: str, context: Context, deadline: Deadline | None = None) -> None:
        """Remember what to connect to; `on` is a target of the front matter, or an address.

        `deadline` is that of the block, where the connection is not all that it does.

        Raises:
            WorkError: it is no address of a Redis or Valkey server.
        """
        address = filling.target(on, context)
        if not address.startswith(SCHEMES):
            raise WorkError(
                f"target `{filling.shown(on)}` is no address of a Redis or Valkey server",
                hint="write `redis://:${PASSWORD}@host:6379/0`",
            )
        self._address = address.replace("valkey", "redis", 1)
        self._name = filling.shown(on)
        self._where = context.redact(without_user(self._address))
        self._context = context
        self._deadline = deadline or Deadline(context)
        self._connection: ConnectionInterface
        self._done = threading.Event()
        self._reading_since: float | None = None
        self._was_cut = False

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            WorkError: it cannot be reached, or refuses the password.
        """
        import redis

        try:
            self._connection = open_at(self._address, self._deadline.left_s())
        except (redis.RedisError, *GARBLED) as error:
            raise self._explained(error) from None
        threading.Thread(target=self._watch, name="gonogo-redis", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of it."""
        self._done.set()
        self._connection.disconnect()  # type: ignore[no-untyped-call]

    def say(self, *words: object) -> Any:
        """Send one command and return its reply, undecoded.

        Raises:
            WorkError: an error reply, no answer in time, or somebody asked to stop.
        """
        import redis

        try:
            self._connection.send_command(*words)  # type: ignore[no-untyped-call]
            return self._reply()
        except (redis.RedisError, *GARBLED) as error:
            raise self._explained(error) from None

    def say_all(self, commands: Sequence[Sequence[object]]) -> list[Any]:
        """Send commands together and return their replies, undecoded; it saves the way there.

        Raises:
            WorkError: as for `say`.
        """
        import redis

        if not commands:
            return []
        try:
            packed = self._connection.pack_commands(commands)  # type: ignore[no-untyped-call]
            self._connection.send_packed_command(packed)  # type: ignore[no-untyped-call]
            return [self._reply() for _ in commands]
        except (redis.RedisError, *GARBLED) as error:
            raise self._explained(error) from None

    def scan(self, pattern: str) -> Iterator[list[bytes]]:
        """Yield the keys of a pattern, some at a time; a key may come twice.

        Raises:
            WorkError: as for `say`.
        """
        cursor: object = b"0"
        while True:
            reply = self.say("SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_COUNT)
            match reply:
                case [bytes() as cursor, list() as keys] if all(isinstance(k, bytes) for k in keys):
                    yield keys
                case _:
                    raise WorkError(
                        f"the answer of `{self._where}` to SCAN is none",
                        hint=f"is target `{self._name}` a Redis or Valkey server?",
                    )
            if cursor == b"0":
                return
            self.refuse_late("the keys were not counted")

    @property
    def database(self) -> str:
        """Return what tells this database from others, without user and password."""
        from redis.connection import parse_url

        known: Mapping[str, Any] = parse_url(self._address)  # type: ignore[no-untyped-call]
        where = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', 6379)}"
        return f"{where}/{known.get('db') or 0}"

    def refuse_late(self, what: str) -> None:
        """Stop when the time is over or somebody asked to stop.

        Raises:
            WorkError: one of the two.
        """
        why = self._deadline.why()
        if why == "stopped":
            raise WorkError(f"{what}: stopped")
        if why:
            raise WorkError(
                f"{what} within {self._context.timeout_s:g} s",
                hint="is it busy, or a firewall in between? `timeout:` allows more time",
            )

    def _reply(self) -> Any:
        while not self._connection.can_read(timeout=_STEP_S):
            self.refuse_late("the server did not answer")
        self._reading_since = _clock.monotonic()
        try:
            return self._connection.read_response(disable_decoding=True)
        finally:
            self._reading_since = None

    def _watch(self) -> None:
        """Cut the connection when the time is over and a reply that has begun does not end."""
        while not self._done.wait(_STEP_S):
            since = self._reading_since
            if since is None or not self._deadline.why():
                continue
            if _clock.monotonic() - since > _SPARE_S:
                self._was_cut = True
                cut(self._connection)
                return

    def _explained(self, error: Exception) -> WorkError:
        context = self._context
        if self._was_cut:
            self.refuse_late("the server did not end its answer")
        message, hint = reason(error, self._where, context.timeout_s, context.redact)
        return WorkError(message, hint=hint.format(name=self._name))


def cut(connection: ConnectionInterface) -> None:
    """End a connection, whose reply never ends, from outside."""
    mine: socket.socket | None = getattr(connection, "_sock", None)
    if mine is not None:
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(mine.fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)


def without_user(address: str) -> str:
    """Return an address without scheme, user and password."""
    return re.sub(r"^\w+://(?:[^@/]*@)?", "", address)


def open_at(address: str, limit_s: float) -> ConnectionInterface:
    """Connect; nothing is tried twice.

    Raises:
        redis.RedisError: it cannot be reached, or refuses; `reason` says it in our words.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = redis.ConnectionPool.from_url(
        address,
        socket_timeout=limit_s,
        socket_connect_timeout=min(limit_s, 10.0),
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,  # no introduction: without a password nothing is said on connecting
    )
    connection = pool.make_connection()
    connection.connect()  # type: ignore[no-untyped-call]
    return connection


def reason(error: Exception, where: str, limit_s: float, redact: Redactor) -> tuple[str, str]:
    """Return in our words what went wrong, and what to do; `{name}` in it is the target."""
    import redis

    said = redact(str(error).strip() or type(error).__name__)
    if isinstance(error, redis.AuthenticationError) or "WRONGPASS" in said or "NOAUTH" in said:
        return f"`{where}` refuses the password", "look at the password in target `{name}`"
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return f"`{where}` did not answer within {limit_s:g} s", _BUSY
    if isinstance(error, redis.BusyLoadingError):
        return f"`{where}` is still loading its data", "wait until it has, or look at its log"
    if isinstance(error, redis.ResponseError):
        return f"`{where}` answered with an error: {said}", ""
    garbled = isinstance(error, redis.InvalidResponse | ArithmeticError | RecursionError)
    if garbled or "invalid literal" in said or "Exceeds the limit" in said:  # a length, a number
        return f"what answers at `{where}` does not speak as Redis does", _OTHER
    if "resolve" in said or "Name or service" in said or "-2" in said[:12]:
        return f"the host of `{where}` cannot be resolved", "target `{name}`"
    if "refused" in said:
        return f"nothing answers at `{where}`: connection refused", _DOWN
    return f"no answer from `{where}`: {said}", "look at target `{name}`"


_BUSY = "is it busy, or a firewall in between?"
_OTHER = "is it another service, or something in between? (target `{name}`)"
_DOWN = "is the server running, and does it listen there? (target `{name}`)"


def fields(reply: object) -> dict[str, str]:
    """Return the fields of INFO; `db0:keys=1,expires=0` gives `db0.keys` and the like too."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        found[name] = value
        if "=" in value:
            for part in value.split(","):
                key, _, inner = part.partition("=")
                found[f"{name}.{key}"] = inner
    return found
