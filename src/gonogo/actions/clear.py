"""Clears what a release left in a cache: the keys of one pattern, and nothing that looks like work.

A cache often shares its server with a queue. Keys of a pattern are removed only when they hold a
plain value (a string or a hash); lists, sets and streams stay, and are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from gonogo.clock import SystemClock
from gonogo.databases.redis import Connection
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Acts, Context, Datum, Destruction, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

_PLAIN = (b"string", b"hash")
_SHORTEST_PREFIX = 2
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Clear(Acts):
    """Remove the keys of a pattern from a Redis or Valkey cache; running it again is harmless."""

    kind: ClassVar[str] = "clear"
    indicators: ClassVar[Mapping[str, str]] = {
        "removed": "how many keys were removed",
        "value": "how many keys of the pattern are left that could have been removed",
        "left": "the same as `value`",
        "kept": "how many keys of the pattern hold a list, a set or a stream, and were not touched",
        "duration": "how long it took (s)",
    }
    example: ClassVar[str] = (
        "```yaml\naction: clear\non: cache\nkeys: search:v2:*\n```\n\n- Expect: left = 0\n"
    )
    expects: ClassVar[str | None] = "left = 0"

    on: str = says("the target: a name of the front matter, or an address", default="cache")
    keys: str = says("the pattern of the keys: `search:v2:*`; it begins with a fixed prefix")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        return filling.variables_of({"on": self.on, "keys": self.keys}, self.body)

    def destroys(self) -> tuple[Destruction, ...]:
        """Return the whole cache when the pattern has no fixed beginning: it may hold anything."""
        if len(prefix_of(self.keys)) >= _SHORTEST_PREFIX or not self.keys.strip():
            return ()
        statement = f"remove the keys {self.keys.strip()}"
        return (Destruction(statement, filling.shown(self.on), Span.of_line(1)),)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return whether the pattern is missing."""
        found = list(shellscript.secrets(self.body))
        if not self.keys.strip():
            hint = "write `keys: search:v2:*`"
            found.insert(0, Diagnostic("GN517", "`keys` is missing", Span.of_line(1), hint=hint))
        return tuple(found)

    def describe(self) -> str:
        """Return what is removed, and where."""
        return f"clear {self.keys} on {filling.shown(self.on)}"

    def perform(self, context: Context) -> Observation:
        """Remove the keys, some at a time.

        Raises:
            WorkError: no connection, no permission, an error reply, or no answer in time.
        """
        pattern = filling.fill(self.keys.strip(), context)
        if not pattern:
            raise WorkError("`keys` is empty", hint="write `keys: search:v2:*`")
        if self.destroys() == () and len(prefix_of(pattern)) < _SHORTEST_PREFIX:
            raise WorkError(
                f"the pattern is `{pattern}` after its variables were filled in",
                hint="it must begin with a fixed prefix, as it does on the page",
            )
        clock = SystemClock()
        began = clock.monotonic()
        removed, kept = 0, set[bytes]()
        with Connection(self.on, context) as connection:
            for keys in connection.scan(pattern):
                gone, other = _remove(connection, keys)
                removed += gone
                kept.update(other)
            left = {key for keys in connection.scan(pattern) for key in keys} - kept
        took = Quantity(Decimal(str(round(clock.monotonic() - began, 6))), "s")
        found: dict[str, Datum] = {
            "removed": removed,
            "left": len(left),
            "value": len(left),
            "kept": len(kept),
            "duration": took,
        }
        return Observation(found, text=context.redact(_said(removed, kept)))


def prefix_of(pattern: str) -> str:
    """Return the fixed beginning of a pattern; variables in it are not fixed."""
    return re.split(r"[*?\[\\]|\$\{|\{\{", pattern.strip(), maxsplit=1)[0]


def _remove(connection: Connection, keys: Iterable[bytes]) -> tuple[int, list[bytes]]:
    """Remove the plain ones; return how many that were, and the others."""
    plain: list[bytes] = []
    other: list[bytes] = []
    for key in keys:
        kind = connection.say("TYPE", key)
        if kind in _PLAIN:
            plain.append(key)
        elif kind != b"none":  # gone meanwhile
            other.append(key)
    gone = connection.say("UNLINK", *plain) if plain else 0
    if not isinstance(gone, int):
        raise WorkError(
            "the answer to UNLINK is no number, so nobody knows how many keys were removed",
            hint="is the target a Redis or Valkey server?",
            failed=True,
        )
    return gone, other


def _said(removed: int, kept: set[bytes]) -> str:
    text = f"{removed} keys removed"
    if kept:
        names = ", ".join(key.decode("utf-8", "replace") for key in sorted(kept)[:_SHOWN])
        more = f" and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
        text += f"; not touched, since they hold lists, sets or streams: {names}{more}"
    return text
