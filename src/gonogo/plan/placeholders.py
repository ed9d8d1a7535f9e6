"""Finds what was to be filled in and was not: `<sha>`, YOUR_KEY, yourdomain.com, [ISSUE]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """Whose punctuation must not be taken for a placeholder."""

    SHELL = "shell"
    SQL = "sql"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder with its offsets in the text."""

    text: str
    at: int

    @property
    def end(self) -> int:
        """Return the offset behind it."""
        return self.at + len(self.text)


_ANGLE = re.compile(r"(?<![<\w$&-])[A-Za-z]?(?<!<)<(?P<name>[A-Za-z](?:[\w |-]{0,40}\w)?)>")
_ANGLE_AFTER_SIGN = re.compile(r"(?<=[-/.:=@_])<(?P<name>[A-Za-z](?:[\w |-]{0,40}\w)?)>")
_CLOSING = re.compile(r"</([A-Za-z][\w-]*)>")
_HTML = frozenset(
    """a b i p br hr li ul ol td th tr em html head body title div span script style meta link table
    form input button img pre code h1 h2 h3 h4 h5 h6 main nav footer header section strong svg
    label""".split()  # noqa: SIM905 - reads better than forty quoted words
)
_LOG_WORDS = frozenset(
    """OK INFO WARN WARNING ERROR ERR FAIL FAILED PASS PASSED DEBUG NOTICE DONE SKIP SKIPPED FATAL
    CRITICAL SUCCESS TRACE ALERT EMERG CRIT""".split()  # noqa: SIM905
)
_TEMPLATE_WORDS = frozenset(("end", "else", "json", "println", "index", "range", "if", "len"))
_EVERYWHERE = (
    re.compile(r"(?<![\w${-])YOUR[_-]\w+(?:[-.]\w+)*"),
    re.compile(r"(?<![\w${-])[Yy]our[_-]\w+(?:[-.]\w+)*"),
    re.compile(
        r"(?<![\w${-])your(?:domain|app|company|site|server|user|password|org|project|repo|bucket"
        r"|team|service|host|email|token|key)\w*(?:\.\w+)*",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![\w${-])(?:CHANGE_?ME|REPLACE_?(?:ME|THIS|WITH)\w*|INSERT_[A-Z]\w*)\b"),
    re.compile(r"(?<![\w${])[A-Z][A-Z_]*_(?:GOES_)?HERE\b"),
    re.compile(r"(?<![\w${])(?:changeme|change-me)\b"),
    re.compile(r"(?<![\w.$/{#\\-])[xX]{3,}(?![\w{])(?:-[xX]{3,})*"),
    re.compile(r"(?<![\w.])v?X\.Y(?:\.Z)?\b"),
    re.compile(r"(?<![\w])path/to/[\w./-]*"),
    re.compile(r"(?<=://)\[[A-Za-z][\w -]{1,40}\]"),  # an address of IPv6 has colons
)
_ELLIPSIS = re.compile(r"(?:(?<=\s)|^)(?:\.\.\.|…)(?=\s|$)", re.MULTILINE)
_BRACKET = re.compile(
    r"(?<![\w$.\[\])!^-])\[(?P<name>[A-Z][A-Z]+(?:[ _-][A-Z]+)*"
    r"|(?i:your|insert|enter|add|replace|contact|issue|project|name|date|version|link|url|ticket)"
    r"(?:[ _-][\w '-]{1,30})?)\](?!\()"
)
_BRACES = re.compile(r"\{\{-?\s*(?P<name>[A-Za-z_][\w -]*?)\s*-?\}\}")
_DATE = re.compile(r"\bYYYY-?MM(?:-?DD)?\w*\b|\bYYYY\b")
_DATE_FORMAT = re.compile(r"to_char|to_date|to_timestamp|format", re.IGNORECASE)


def find(code: str, language: Language) -> tuple[Placeholder, ...]:
    """Return the placeholders in `code`, in order; comments must be blanked by the caller.

    Not placeholders: HTML that is searched for, Go templates (`{{.Names}}`), log levels in
    brackets, redirections, and in an http block `{{name}}`, which is a variable there.
    """
    found = sorted(_matches(code, language), key=lambda m: (m.start(), -m.end()))
    kept: list[Placeholder] = []
    for match in found:
        if kept and match.start() < kept[-1].end:
            continue
        if match[0].strip("xX") == "" and "mktemp" in _around(code, match.start()):
            continue
        kept.append(Placeholder(match[0], match.start()))
    return tuple(kept)


def _matches(code: str, language: Language) -> Iterator[re.Match[str]]:
    yield from _angles(code, language)
    for pattern in _EVERYWHERE:
        yield from pattern.finditer(code)
    yield from _ELLIPSIS.finditer(code)
    if language is not Language.HTTP:
        for match in _BRACES.finditer(code):
            if match["name"].split()[0] not in _TEMPLATE_WORDS:
                yield match
    if language is not Language.SQL:
        for match in _BRACKET.finditer(code):
            if match["name"] not in _LOG_WORDS:
                yield match
        for match in _DATE.finditer(code):
            if not _DATE_FORMAT.search(_around(code, match.start())):
                yield match


def _angles(code: str, language: Language) -> Iterator[re.Match[str]]:
    closed = set(_CLOSING.findall(code))
    for pattern in (_ANGLE, _ANGLE_AFTER_SIGN):
        for match in pattern.finditer(code):
            name = match["name"]
            if name.lower() in _HTML or name in closed:
                continue
            if language is Language.SQL and " " in name:
                continue  # a < b and c > d
            yield match


def _around(code: str, at: int) -> str:
    """Return the part of the line that stands before and behind an offset."""
    before = code[max(at - 200, 0) : at].rpartition("\n")[2]
    return before + code[at : at + 200].partition("\n")[0]
