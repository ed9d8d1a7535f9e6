"""Lets only regular expressions through whose time grows with the line, not with its powers.

A pattern of the runbook meets lines that strangers can write (a user agent, a path). So nothing
is allowed in it that makes the matcher try many ways: no repetition inside a repetition, no
references back, no looking around, and at most two places where it is open how far a repetition
reaches (`.*` before something that `.` fits too), or one and a repetition that may fail after it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 2_000
_LONGEST_LINE = 65_536
_LONGEST_SLOW_LINE = 2_048
_HIGHEST_POWER = 2  # of the length of the line, in the number of steps
_ALPHABET = "".join(map(chr, range(256))) + "Ωж漢"
_ALL = frozenset(_ALPHABET)
_ESCAPED = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|\D)")
_TIMES = re.compile(r"(?:[*+?]|\{(\d{0,5})(,?)(\d{0,5})\})([?+]?)")
_GROUP = re.compile(r"\((?:\?P<([A-Za-z_]\w{0,60})>|\?:|(?!\?))")
_NOTHING = frozenset("^$")
_EDGES = frozenset("bBAZ")


class RefusedError(ValueError):
    """A pattern or a format cannot be used; the text says why, `hint` what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Say what was found."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece of a pattern that is repeated as a whole: a character or a group."""

    chars: frozenset[str]  # of a character: what it fits; empty for a group
    branches: tuple[tuple[_Item, ...], ...] = ()  # of a group
    low: int = 1
    high: int = 1
    settled: bool = False  # possessive: never gives back


def compiled(text: str) -> re.Pattern[str]:
    """Return the pattern, ready to match from the start of a line.

    Raises:
        RefusedError: it cannot be read, or could take forever on some line.
    """
    if len(text) > LONGEST:
        raise RefusedError(f"a pattern of {len(text)} characters is too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # `[[`: read in another way one day
            pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError, FutureWarning) as problem:
        raise RefusedError(f"the pattern cannot be read: {problem}") from None
    branches = _Reader(text).whole()
    for branch in branches:
        _refuse_nested(branch, frozenset())
    power = max(map(_power, branches))
    if power > _HIGHEST_POWER:
        raise RefusedError(
            "the pattern could take too long on some line: it is open in too many places how far "
            "a repetition reaches",
            r"say where it ends: `\S+` or `[^,]*` instead of `.*`",
        )
    return pattern


def longest_line(text: str) -> int:
    """Return how long a line may be that meets a pattern that `compiled` lets through."""
    power = max(map(_power, _Reader(text).whole()))
    return _LONGEST_LINE if power < _HIGHEST_POWER else _LONGEST_SLOW_LINE


class _Reader:
    """Takes a pattern that `re` has accepted apart."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> tuple[tuple[_Item, ...], ...]:
        return self._branches()

    def _branches(self) -> tuple[tuple[_Item, ...], ...]:
        found: list[tuple[_Item, ...]] = []
        items: list[_Item] = []
        self._depth += 1
        if self._depth > 20:
            raise RefusedError("the pattern is nested too deep")
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._text[self._at] == "|":
                self._at += 1
                found.append(tuple(items))
                items = []
                continue
            item = self._item()
            if item is not None:
                items.append(item)
        self._depth -= 1
        return (*found, tuple(items))

    def _item(self) -> _Item | None:
        char = self._text[self._at]
        if char == "(":
            item: _Item | None = self._group()
        elif char == "[":
            item = self._character(self._class_end())
        elif char == "\\":
            item = self._escape()
        elif char in _NOTHING:
            self._at += 1
            item = None
        else:
            item = self._character(self._at + 1)
        return self._repeated(item)

    def _group(self) -> _Item:
        opened = _GROUP.match(self._text, self._at)
        if opened is None:
            raise RefusedError(
                f"`{self._text[self._at : self._at + 4]}` is not allowed in a pattern",
                "only named, `(?:…)` and plain groups are",
            )
        self._at = opened.end()
        branches = self._branches()
        self._at += 1  # the closing bracket
        return _Item(frozenset(), branches)

    def _class_end(self) -> int:
        at = self._at + 1
        if self._text[at] == "^":
            at += 1
        first = at  # a bracket in first place is a character
        while at == first or self._text[at] != "]":
            at += 2 if self._text[at] == "\\" else 1
        return at + 1

    def _escape(self) -> _Item | None:
        found = _ESCAPED.match(self._text, self._at)
        if found is None or found[0][1] in "123456789N":
            raise RefusedError(
                f"`{self._text[self._at : self._at + 2]}` is not allowed in a pattern",
                "a pattern may not refer to an earlier group",
            )
        if found[0][1] in _EDGES:
            self._at = found.end()
            return None
        return self._character(found.end())

    def _character(self, end: int) -> _Item:
        piece = self._text[self._at : end]
        self._at = end
        fits = re.compile(piece).match
        return _Item(frozenset(char for char in _ALPHABET if fits(char)))

    def _repeated(self, item: _Item | None) -> _Item | None:
        found = _TIMES.match(self._text, self._at)
        if found is None:
            return item
        sign = found[0][0]
        if sign == "{" and not (found[1] or found[3]):
            return item  # `{` and `{,}` as characters
        self._at = found.end()
        if item is None:
            return None
        low, high = _LIMITS.get(sign, (int(found[1] or 0), int(found[3] or (found[1] or 0))))
        if sign == "{" and found[2] and not found[3]:
            high = 1 << 20
        return _Item(item.chars, item.branches, low, high, found[4] == "+")


_LIMITS = {"*": (0, 1 << 20), "+": (1, 1 << 20), "?": (0, 1)}


def _refuse_nested(items: tuple[_Item, ...], after: frozenset[str]) -> None:
    """Refuse groups that can be repeated in more than one way over the same text."""
    for at, item in enumerate(items):
        behind = _first(items[at + 1 :], after)
        if item.high > 1:
            behind |= _first((item,), frozenset())
        if item.branches and item.high > 1 and _is_risky(item, behind):
            raise RefusedError(
                "the pattern repeats a group that can be repeated in several ways",
                "write the repetition out, or use one class: `[^,]*`",
            )
        for branch in item.branches:
            _refuse_nested(branch, behind)


def _is_risky(group: _Item, behind: frozenset[str]) -> bool:
    return any(
        all(map(_may_be_empty, branch)) or next(_open_ends(branch, behind), None) is not None
        for branch in group.branches
    ) or _starts_alike(group)


def _starts_alike(group: _Item) -> bool:
    starts = [_first(branch, frozenset()) for branch in group.branches]
    return any(one & other for at, one in enumerate(starts) for other in starts[:at])


def _may_be_empty(item: _Item) -> bool:
    if item.low == 0:
        return True
    return any(all(map(_may_be_empty, branch)) for branch in item.branches)


def _first(items: tuple[_Item, ...], after: frozenset[str]) -> frozenset[str]:
    """Return which characters can come first; `after` are those behind the items."""
    found: frozenset[str] = frozenset()
    for item in items:
        inner = item.chars
        for branch in item.branches:
            inner |= _first(branch, frozenset())
        found |= inner
        if not _may_be_empty(item):
            return found
    return found | after


def _power(branch: tuple[_Item, ...]) -> int:
    """Return with which power of the length the number of steps can grow."""
    items = _flat(branch)
    ends = [
        sum(1 for _ in _open_ends((item,), _first(items[at + 1 :], frozenset())))
        for at, item in enumerate(items)
    ]
    if not any(ends):
        return 1
    last = max(at for at, number in enumerate(ends) if number)
    may_fail = any(
        item.high > item.low and not all(map(_may_be_empty, items[at + 1 :]))
        for at, item in enumerate(items)
        if at > last
    )
    return sum(ends) + may_fail


def _flat(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    """Write groups out that stand there once and have no alternatives."""
    found: list[_Item] = []
    for item in items:
        plain = len(item.branches) == 1 and item.low == item.high == 1
        found += _flat(item.branches[0]) if plain else (item,)
    return tuple(found)


def _open_ends(items: tuple[_Item, ...], after: frozenset[str]) -> Iterator[_Item]:
    """Yield the pieces after which there is more than one way to go on over the same text."""
    for at, item in enumerate(items):
        behind = _first(items[at + 1 :], after)
        start = _first((item,), frozenset())
        for branch in item.branches:
            yield from _open_ends(branch, behind | start if item.high > 1 else behind)
        if (item.high > item.low and not item.settled and start & behind) or (
            item.branches and _starts_alike(item)
        ):
            yield item
