"""Labels in the words of a runbook: `Expect: status = 403`, `Step 3: Apply`, `2.1 Backup`."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from gonogo.runbook.outline import Item, Node, Paragraph, Quote
from gonogo.runbook.words import Range, Words
from gonogo.source import Span

_NUMBER = re.compile(
    r"(?P<word>(?:step|phase|stage|part|option|section)\s+(?:\d+(?:\.\d+)*[a-z]?|[a-z]|[ivx]+)\b)"
    r"|(?P<plain>\d+(?:\.\d+)*+)(?=[.):](?:\s|$))"
    r"|(?P<dotted>\d+(?:\.\d+)++[a-z]?)(?=\s+[^\W\d_])"
    r"(?!\s+(?:x|s|ms|h|hours?|hrs?|min(?:utes?)?|sec(?:onds?)?|days?|weeks?|[kmgt]i?b)\b)",
    re.IGNORECASE,
)


def numbered(text: str) -> tuple[str | None, str]:
    """Split `Step 3: Apply` into (`Step 3`, `Apply`) and `2.1 Apply` into (`2.1`, `Apply`)."""
    found = _NUMBER.match(text)
    if found is None:
        return None, text
    rest = text[found.end() :].lstrip(".):")
    return found.group(0), rest.strip().lstrip("–—-").strip()


class Directive(NamedTuple):
    """`Name: value` as the author wrote it; whether the name means something is settled later."""

    name: str
    value: Words
    name_span: Span
    value_span: Span


_DIRECTIVE = re.compile(r"([^\W\d_][\w'’/-]+(?:[ ][\w'’/-]+){0,2})\s*:(?=\s|$)\s*")


def directive_of(node: Node) -> Directive | None:
    """Read `Name: rest` from an item, paragraph or quote; the name has at most three words.

    The bold forms `**Name**: rest` and `**Name:** rest` are the same. None for anything else.
    """
    if not isinstance(node, Item | Paragraph | Quote):
        return None
    found = _DIRECTIVE.match(node.words.text)
    if found is None:
        return None
    return _directive(node.words, found.start(1), found.end(1), found.end(), None)


def _directive(words: Words, start: int, colon: int, begin: int, end: int | None) -> Directive:
    value = words.part(begin, end)
    anchor = value.place() if value.text else words.place(max(begin - 1, 0), begin)
    return Directive(words.text[start:colon].strip(), value, words.place(start, colon), anchor)


_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")


@lru_cache(maxsize=8)
def _heads(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(
        rf"(?<!\S)({'|'.join(re.escape(n) for n in longest_first)})\s*:(?=\s|$)\s*", re.IGNORECASE
    )


def split_folded(words: Words, names: Collection[str]) -> list[Directive]:
    """Split `Expect: status = 403 Retry: 3 times` at the known `names`.

    The first name may be in any letter case; a later one must start with a capital or be bold, as
    it did on the line of its own that a formatter folded. Names in quotation marks or inline code
    do not count. An empty list when the text does not begin with a known name.
    """
    if not names:
        return []
    pattern = _heads(tuple(names))
    hidden = [*words.code, *(Range(*m.span()) for m in _QUOTED.finditer(words.text))]
    bold = {r.start for r in words.bold}
    heads = [
        m
        for m in pattern.finditer(words.text)
        if not any(a <= m.start() < b for a, b in hidden)
        and (m.start() == 0 or m.start() in bold or m.group(1)[0].isupper())
    ]
    if not heads or heads[0].start() != 0:
        return []
    ends = [*(m.start() for m in heads[1:]), len(words.text)]
    return [
        _directive(words, m.start(1), m.end(1), m.end(), end)
        for m, end in zip(heads, ends, strict=True)
    ]
