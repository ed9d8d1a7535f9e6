"""Finds the values of cookies in the headers that carry them: whoever has one is logged in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gonogo.redaction.keys import Told, secret_from

_HEADERS = frozenset(("cookie", "set-cookie", "cookie2", "set-cookie2"))
_HEADER = re.compile(
    r"(?<![\w-])(?:set-)?cookie2?(?:\\*[\"']?\]?\s?[:=]\s?|\s(?=\\*[\"']))", re.IGNORECASE
)
_LINE = re.compile(r"(?P<open>\\*[\"'\[]*)(?P<pairs>[^\r\n\"'\\]*)")
_PAIR = re.compile(r"(?:^|[;,])\s*(?P<name>[^\s=;,\"'\\]+)=(?P<value>[^\s;,\"'\\]*)")
_ATTRIBUTES = frozenset(
    ("path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment")
)


def are_under(name: str) -> bool:
    """Say whether the value of this name holds cookies: `Set-Cookie`, `header set-cookie`."""
    return name.rpartition(" ")[2].lower() in _HEADERS


def secrets_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of cookies' values behind `Cookie:` and `Set-Cookie:`, in order."""
    for header in _HEADER.finditer(text):
        line = _LINE.match(text, header.end())
        assert line is not None, "it may be empty"
        for start, end in values_in(line["pairs"]):
            yield line.start("pairs") + start, line.start("pairs") + end


def values_in(pairs: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the values in what stands behind such a header; attributes stay."""
    for pair in _PAIR.finditer(pairs):
        if pair["name"].lower() in _ATTRIBUTES:
            continue
        if secret_from(Told.SECRET, pair["value"], quoted=False) is not None:
            yield pair.span("value")
