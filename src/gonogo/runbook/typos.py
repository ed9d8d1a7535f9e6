"""YAML blocks that look like a check or an action whose first line was mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PAIR = re.compile(
    r"(?P<indent>[ \t]*)[\"']?(?P<key>[A-Za-z][\w-]{2,9})[\"']?[ \t]{0,3}(?P<sign>[:=])[ \t]{0,3}"
    r"[\"']?(?P<value>[A-Za-z][\w-]{1,30})[\"']?[ \t]*(?:#.*)?$"
)
_KEYS = ("check", "action", "probe", "load", "kind")
_SHORT = 4  # one other letter makes another word of these: `lead`, `mind`
_ELSEWHERE = ("check", "action")  # keys that also count when they do not stand first
_MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class Nearly:
    """A line that nearly names a kind: where it stands in the body, and what was likely meant."""

    row: int
    start: int
    length: int
    said: str
    meant: str


def nearly_typed(body: str, kinds: Iterable[str]) -> Nearly | None:
    """Return the line that was likely meant to say what a YAML block is; None for any other YAML.

    Both must fit: the key is `check`, `action`, `probe`, `load` or `kind` but for one slip or its
    place, and the value is a kind, but for one slip. Other YAML stays documentation.
    """
    words = {word for name in kinds for word in (name, name.rpartition(" ")[2])}
    is_first = True
    for row, line in enumerate(body.split("\n")[:_MOST_LINES]):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _PAIR.match(line)
        meant = None if found is None else _meant(found, words, is_first=is_first)
        if found is not None and meant is not None:
            return Nearly(row, found.start("key"), len(found["key"]), found["key"], meant)
        is_first = False
    return None


def _meant(found: re.Match[str], words: set[str], *, is_first: bool) -> str | None:
    value = found["value"].casefold()
    if not is_first:
        sure = found["key"] in _ELSEWHERE and found["sign"] == ":" and value in words
        return f"{found['key']}: {value}" if sure and not found["indent"] else None
    kind = value if value in words else next((w for w in sorted(words) if _near(value, w)), None)
    key = next((known for known in _KEYS if _near(found["key"].casefold(), known)), None)
    return f"{key}: {kind}" if key is not None and kind is not None else None


def _near(word: str, known: str) -> bool:
    """Say whether two words are equal but for one slip: a letter more, less, other, or two swapped.

    Of a short word only swapped letters are a slip.
    """
    if word == known:
        return True
    if len(word) == len(known):
        other = [at for at, (a, b) in enumerate(zip(word, known, strict=True)) if a != b]
        swapped = len(other) == 2 and other[1] == other[0] + 1
        if swapped and word[other[0]] == known[other[1]] and word[other[1]] == known[other[0]]:
            return True
        return len(other) == 1 and len(known) > _SHORT
    longer, shorter = (word, known) if len(word) > len(known) else (known, word)
    if len(longer) - len(shorter) != 1 or len(known) <= _SHORT:
        return False
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
