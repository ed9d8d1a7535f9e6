"""A secret that an author wrote into a runbook is pointed at and never printed again."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from gonogo.errors import Diagnostic
from gonogo.plan import secretwords
from gonogo.redaction import Redactor
from gonogo.source import Source, Span

_SECRETS = frozenset(("GN306", "GN505"))  # their places are the secrets themselves
_SIGN = "•"
_SHORTEST = 4
_MOST = 1000  # different secrets that are looked for everywhere; all are masked in their places
_WORDS = """pass secret token key auth :// akia asia mysql mariadb redis-cli valkey-cli curl ghp_
    gho_ ghu_ ghs_ ghr_ github_pat glpat xox live_ sk- aiza npm_ sg. dop_ eyj""".split()  # noqa: SIM905
"""One of them stands on every line with a literal secret."""


def hider(source: Source, diagnostics: Iterable[Diagnostic]) -> Callable[[str], str]:
    """Return a function that takes the literal secrets of a runbook out of any text about it."""
    redact = Redactor(_secrets(source, diagnostics))
    return lambda text: redact(secretwords.masked(text))


def hidden(data: object, hide: Callable[[str], str]) -> object:
    """Return JSON-like data with every text in it gone through `hide`; names stay."""
    if isinstance(data, str):
        return hide(data)
    if isinstance(data, dict):
        return {key: hidden(item, hide) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [hidden(item, hide) for item in data]
    return data


def about(diagnostic: Diagnostic, hide: Callable[[str], str]) -> Diagnostic:
    """Return a diagnostic whose words hold no secret."""
    return replace(
        diagnostic,
        message=hide(diagnostic.message),
        label=hide(diagnostic.label),
        hint=hide(diagnostic.hint),
        expected=hide(diagnostic.expected),
        notes=tuple(hide(note) for note in diagnostic.notes),
    )


def masked(source: Source, diagnostics: Iterable[Diagnostic]) -> Source:
    """Return the runbook with a sign for each character of a secret: every column stays."""
    found = tuple(diagnostics)
    lines = list(source.lines)
    spans = [*_places(source), *(one.span for one in found if one.code in _SECRETS)]
    if not spans:
        return source
    known = [one for one in _secrets(source, found) if len(one) >= _SHORTEST]
    if known:
        text = _any_of(known).sub(lambda match: _SIGN * len(match[0]), "\n".join(lines))
        lines = text.split("\n")
    for span in spans:
        _cover(lines, span)
    return Source(source.name, "\n".join(lines))


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(secrets, key=len, reverse=True))))


def _cover(lines: list[str], span: Span) -> None:
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        start = span.column - 1 if number == span.line else 0
        end = span.end_column - 1 if number == span.end_line else len(line)
        covered = "".join(_SIGN if sign.strip() else sign for sign in line[start:end])
        lines[number - 1] = line[:start] + covered + line[end:]


def _secrets(source: Source, diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return the secrets as they are written, each once; they may be repeated anywhere."""
    spans = [one.span for one in diagnostics if one.code in _SECRETS]
    said = [
        source.line(span.line)[span.column - 1 : span.end_column - 1].strip().strip("\"'")
        for span in (*spans, *_places(source))
        if span.line == span.end_line
    ]
    return [one for one in dict.fromkeys(said) if one][:_MOST]


@functools.lru_cache(maxsize=4)
def _places(source: Source) -> tuple[Span, ...]:
    """Return where literal secrets stand in a runbook, on lines that may hold one at all."""
    return tuple(
        Span(number, one.at + 1, number, one.end + 1)
        for number, line in enumerate(source.lines, start=1)
        if _may_hold_one(line.casefold())
        for one in secretwords.find(line)
    )


def _may_hold_one(line: str) -> bool:
    return any(word in line for word in _WORDS)
