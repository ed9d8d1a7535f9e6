"""What the variables of a shell text hold, where the text itself says it: `SQL='DROP TABLE a'`.

A statement or a target that is kept in a variable first is the same statement: whoever reads what a
text destroys must not lose sight of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from gonogo.plan.shellwords import Script, Word

_MOST = 8  # ways to fill that are looked at; one per value of the name with the most values
_SETTERS = frozenset(("export", "local", "declare", "readonly", "typeset"))
_SET = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)", re.DOTALL)
_USED = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?::?\?[^}]*)?\}|([A-Za-z_][A-Za-z0-9_]*))")


def fillings(script: Script) -> tuple[Mapping[str, str], ...]:
    """Return ways to fill the variables that a text sets itself; at least one, maybe empty.

    A name with several values (set in two branches, say) has each of them in one of the ways.
    """
    values: dict[str, list[str]] = {}
    for word in _settings(script):
        match = _SET.match(word.value)
        if match is None:
            continue
        known = values.setdefault(match[1], [])
        value = filled(match[3], {name: held[-1] for name, held in values.items() if held})
        value = (known[-1] if known and match[2] else "") + value
        if value not in known:
            known.append(value)
    most = min(max(map(len, values.values()), default=1), _MOST)
    return tuple(
        {name: held[min(way, len(held) - 1)] for name, held in values.items() if held}
        for way in range(max(most, 1))
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the variables filled that have a value; others stay as written."""
    return _USED.sub(lambda m: values.get(m[1] or m[2], m[0]), text)


def _settings(script: Script) -> Iterator[Word]:
    for command in islice(script.commands, 2_000):
        if not command.words:
            yield from command.assignments  # `A=1 program` sets it for that program alone
        elif command.words[0].value in _SETTERS:
            yield from command.words[1:]
