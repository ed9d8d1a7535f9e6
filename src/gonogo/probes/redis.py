"""Asks a Redis or Valkey server one question that changes nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from gonogo.clock import SystemClock
from gonogo.databases.redis import Connection
from gonogo.errors import Diagnostic, WorkError
from gonogo.foreign import DEEPEST
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Context, Datum, Effect, Looks, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

_READING = frozenset(
    """PING ECHO TIME DBSIZE INFO LASTSAVE ROLE EXISTS TYPE TTL PTTL EXPIRETIME PEXPIRETIME GET MGET
    GETRANGE STRLEN GETBIT BITCOUNT BITPOS HGET HMGET HGETALL HEXISTS HKEYS HVALS HLEN HSTRLEN LLEN
    LRANGE LINDEX LPOS SCARD SISMEMBER SMISMEMBER SMEMBERS SRANDMEMBER ZCARD ZCOUNT ZSCORE ZMSCORE
    ZRANK ZREVRANK ZRANGE ZRANGEBYSCORE ZREVRANGE ZLEXCOUNT XLEN XRANGE XREVRANGE XPENDING PFCOUNT
    EVAL_RO EVALSHA_RO FCALL_RO SORT_RO GEOPOS GEODIST RANDOMKEY TOUCH""".split()  # noqa: SIM905
)
_READING_PAIRS = {
    "CONFIG": "GET",
    "MEMORY": "USAGE STATS DOCTOR",
    "OBJECT": "ENCODING IDLETIME FREQ REFCOUNT",
    "CLIENT": "LIST INFO ID",
    "CLUSTER": "INFO NODES KEYSLOT",
    "SLOWLOG": "GET LEN",
    "LATENCY": "LATEST HISTORY",
    "XINFO": "STREAM GROUPS CONSUMERS",
    "PUBSUB": "NUMSUB CHANNELS NUMPAT",
    "COMMAND": "COUNT",
    "ACL": "WHOAMI",
    "MODULE": "LIST",
    "SCRIPT": "EXISTS",
}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?P<part>\.\d{1,30})?")
_MOST_KEYS = 1_000_000


@dataclass(frozen=True, slots=True)
class Redis(Looks):
    """Ask a Redis or Valkey server one question: a reading command, or how many keys there are."""

    kind: ClassVar[str] = "redis"
    indicators: ClassVar[Mapping[str, str]] = {
        "reply": "what the server answered; numbers as numbers, lists and maps as such",
        "value": "the same as `reply`",
        "keys": "how many keys have the pattern of `keys`",
        "latency": "how long the answer took (s)",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: redis\non: cache\ncommand: INFO\n```\n\n- Expect: evicted_keys = 0\n"
    )

    on: str = says("the target: a name of the front matter, or an address", default="cache")
    command: str = says("a command that only reads: `GET key`, `INFO`, `LLEN queue`")
    keys: str = says("count the keys of this pattern instead: `session:*` (uses SCAN)")
    body: str = says("the text of the block")

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect PONG of PING; anything else must be written."""
        del effect
        return 'reply = "PONG"' if self.command.strip().upper() == "PING" else None

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {"on": self.on, "command": self.command, "keys": self.keys}
        return filling.variables_of(fields, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return whether the command may write or cannot be read."""
        problem = self._problem()
        found = [] if problem is None else [problem]
        return (*found, *shellscript.secrets(self.body))

    def _problem(self) -> Diagnostic | None:
        place = Span.of_line(1)
        if bool(self.command.strip()) == bool(self.keys.strip()):
            hint = "write `command: PING` or `keys: session:*`"
            return Diagnostic("GN517", "one of `command` and `keys` is needed", place, hint=hint)
        if self.keys.strip():
            return None
        try:
            words = shlex.split(self.command)
        except ValueError:
            message = f"the quotes of `{self.command}` are not closed"
            return Diagnostic("GN517", message, place, hint="close them")
        if _only_reads(words):
            return None
        name = " ".join(words[:1]).upper()
        return Diagnostic(
            "GN516", f"`{name}` is no command that only reads", place, hint=_HINTS.get(name, _WRITE)
        )

    def describe(self) -> str:
        """Return the question and whom it is asked."""
        question = self.command or f"count keys {self.keys}"
        return f"{question} on {filling.shown(self.on)}"

    def perform(self, context: Context) -> Observation:
        """Ask once.

        Raises:
            WorkError: no connection, no permission, an error reply, or no answer in time.
        """
        problem = self._problem()
        if problem is not None:
            raise WorkError(problem.message, hint=problem.hint)
        with Connection(self.on, context) as connection:
            return _Question(self, connection, context).ask()


_WRITE = "a check only reads; use redis-cli in a bash block to change something"
_HINTS = {
    "KEYS": "it stops the server while it looks; write `keys: pattern` instead",
    "EVAL": "write `EVAL_RO`, which the server keeps from writing, or `keys: pattern`",
    "EVALSHA": "write `EVALSHA_RO`",
    "SCAN": "write `keys: pattern`, which goes through all of them",
}


def _only_reads(words: list[str]) -> bool:
    names = [word.upper() for word in words]
    if not names or names[0] in _READING:
        return bool(names)
    return len(names) > 1 and names[1] in _READING_PAIRS.get(names[0], "").split()


class _Question:
    """One question on its way."""

    def __init__(self, kind: Redis, connection: Connection, context: Context) -> None:
        self._kind = kind
        self._connection = connection
        self._context = context

    def ask(self) -> Observation:
        clock = SystemClock()
        began = clock.monotonic()
        found: dict[str, Datum] = {}
        if self._kind.keys.strip():
            found["keys"] = found["value"] = self._count()
        else:
            found |= self._replied()
        took = round(clock.monotonic() - began, 6)
        found["latency"] = Quantity(Decimal(str(took)), "s")
        shown = found.get("reply", found["value"])
        text = f"{self._kind.describe()}: {_shown(shown)}"
        return Observation(found, text=self._context.redact(text)[:4000])

    def _replied(self) -> dict[str, Datum]:
        found: dict[str, Datum] = {}
        words = [filling.fill(word, self._context) for word in shlex.split(self._kind.command)]
        reply = _datum(self._connection.say(*words))
        if words[0].upper() == "INFO" and isinstance(reply, str):
            reply = _info(reply)
            found |= reply
        elif " ".join(words[:2]).upper() == "CONFIG GET" and isinstance(reply, list):
            reply = _pairs(reply)
            found |= reply
        elif words[0].upper() == "HGETALL" and isinstance(reply, list):
            reply = _pairs(reply)
        found["reply"] = found["value"] = reply
        return found

    def _count(self) -> int:
        seen: set[bytes] = set()
        for keys in self._connection.scan(filling.fill(self._kind.keys.strip(), self._context)):
            seen.update(keys)
            if len(seen) > _MOST_KEYS:
                raise WorkError(
                    f"more than {_MOST_KEYS} keys have the pattern", hint="count with `DBSIZE`"
                )
        return len(seen)


def _datum(reply: object, depth: int = 0) -> Datum:
    """Return a reply as a value; texts that are plain numbers become numbers."""
    if depth > DEEPEST:
        raise WorkError(
            f"the reply is nested deeper than {DEEPEST} lists", hint="ask for a part of it"
        )
    if reply is None or isinstance(reply, bool | int | float):
        return reply
    if isinstance(reply, bytes):
        return _typed(reply.decode("utf-8", "replace"))
    if isinstance(reply, list | tuple | set):
        return [_datum(item, depth + 1) for item in reply]
    if isinstance(reply, dict):
        return {str(_datum(key)): _datum(value, depth + 1) for key, value in reply.items()}
    return str(reply)


def _typed(text: str) -> Datum:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return Decimal(text) if match["part"] else int(text)


def _info(text: str) -> dict[str, Datum]:
    """Return the fields of INFO by name; `db0` and the like become maps."""
    found: dict[str, Datum] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        if "=" in value and re.match(r"[\w-]+=[^,]*(?:,|$)", value):
            pairs = [part.partition("=") for part in value.split(",")]
            found[name] = {key: _typed(inner) for key, _, inner in pairs}
        else:
            found[name] = _typed(value)
    return found


def _pairs(reply: list[Datum]) -> dict[str, Datum]:
    return {str(key): value for key, value in zip(reply[::2], reply[1::2], strict=False)}


def _shown(value: Datum) -> str:
    return "null" if value is None else str(value)
