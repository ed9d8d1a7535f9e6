"""What a line says of its severity: `P1 (4 h):`, `[Page]`, `Critical -`, `Medium (P2):`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from gonogo.plan.grammar_values import Misread, Scope
from gonogo.plan.lexer import Kind, Tokens, clean, lex
from gonogo.plan.units import is_time, parse_quantity
from gonogo.plan.words import SEVERITIES, bag

CLOCKED = frozenset({"p0", "p1", "p2", "p3", "p4", *(f"sev{n}" for n in range(6))})
"""Severities that are numbers: a time in brackets behind them is a deadline, not a window."""
LEVELS = bag("warn warning page crit critical")
"""Severities that nobody calls a metric: `error rate: warn > 1 %, page > 2 %`."""
_CALLED = bag("threshold level limit alert severity alarm bound")
_LEVELS = bag(
    "critical crit urgent highest high major medium moderate normal minor low lowest severe "
    "priority severity level issue issues incident incidents alert alerts problem problems bug bugs"
)
_DEADLINES = bag(
    "fix fixed mend mended resolve resolved repair investigate and respond response act within in "
    "before a an deadline clock sla"
)
_AT_ONCE = bag("immediate immediately now asap")
_MOST_AHEAD = 12  # tokens in which a head must end


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in front of a line: how bad it is, and in which time it is to be mended."""

    severity: str
    within_s: Decimal | None
    size: int  # tokens that are read


def two_levels(scope: Scope, tokens: Tokens) -> Misread:
    """Return the mistake of two severities, each with a limit of its own, in one condition."""
    return scope.wrong(
        "GN105",
        "a severity with a limit of its own stands behind the name",
        scope.span(tokens[0], tokens[-1]),
        expected="the severity in front, and one limit",
        hint="write a line for each, such as `Warn: error rate > 1 %`",
    )


def take_severity(tokens: Tokens) -> tuple[Head | None, Tokens]:
    """Take `[P1]`, `Page:`, `Critical -`, `sev 2:`, `P1 (4 h):`, `P2 - Medium:` off the front."""
    head = _in_brackets(tokens) or _plain(tokens) or _numbered(tokens) or _level_first(tokens)
    return head, tokens[head.size :] if head is not None else tokens


def lead_head(tokens: Tokens) -> Head | None:
    """Read a heading that is nothing but a severity: `P1 (4 h)`, `High priority (P1) alerts`."""
    ended = Tokens([*tokens[:-1], replace(tokens[-1], kind=Kind.SIGN, text=":"), tokens[-1]])
    head = _numbered(ended) or _level_first(ended)
    return head if head is not None and head.size >= len(tokens) - 1 else None


def _in_brackets(tokens: Tokens) -> Head | None:
    low = [token.low for token in tokens[:4]]
    enclosed = low[:1] + low[2:3] in (["[", "]"], ["(", ")"])
    if len(tokens) > 4 and enclosed and low[1] in SEVERITIES:
        return Head(SEVERITIES[low[1]], None, 3 + (low[3] in {":", "-"}))
    return None


def _plain(tokens: Tokens) -> Head | None:
    """Read a word and the sign behind it; what follows `P2 -` may still be the name of a level."""
    low = [token.low for token in tokens[:3]]
    if len(tokens) > 4 and low[0] == "sev" and f"sev{low[1]}" in SEVERITIES and low[2] in ":-":
        return Head(f"sev{low[1]}", None, 3)
    if len(tokens) <= 2 or low[0] not in SEVERITIES:
        return None
    mark, severity = tokens[1], SEVERITIES[low[0]]
    if low[0] in LEVELS and low[1] in _CALLED and low[2] == ":":
        return Head(severity, None, 3)  # `Warning threshold: …`
    if mark.text == ":":
        return Head(severity, None, 2)
    if mark.text == "-" and not mark.glued and not tokens[2].glued:
        return (_numbered(tokens) if severity in CLOCKED else None) or Head(severity, None, 2)
    if severity in CLOCKED and mark.kind is Kind.ARROW:
        return Head(severity, None, 2)
    return None


def _numbered(tokens: Tokens) -> Head | None:
    """Read `P1 (4 h):`, `P2 - Medium:`, `P1 (High, fix within 4 hours) -`."""
    severity = SEVERITIES.get(tokens[0].low) if tokens else None
    if severity not in CLOCKED or severity is None:
        return None
    return _described(tokens, severity, 1)


def _level_first(tokens: Tokens) -> Head | None:
    """Read `High priority (P1):` and `Critical issues (P0) -`."""
    at = 0
    while at < min(len(tokens), _MOST_AHEAD) and tokens[at].low in _LEVELS:
        at += 1
    if not at or len(tokens) < at + 4:
        return None
    severity = SEVERITIES.get(tokens[at + 1].low)
    if tokens[at].text != "(" or tokens[at + 2].text != ")" or severity not in CLOCKED:
        return None
    return _described(tokens, str(severity), at + 3)


def _described(tokens: Tokens, severity: str, at: int) -> Head | None:
    """Read on behind the number: a level, a time in brackets, and the sign that ends the head."""
    within: Decimal | None = None
    begun = at
    while at < min(len(tokens) - 1, begun + _MOST_AHEAD):
        token = tokens[at]
        if token.text == "(":
            found = _bracket(tokens, at)
            if found is None:
                return None
            within, at = found[0] if found[0] is not None else within, found[1]
        elif token.low in _LEVELS or (token.text in {"-", ","} and tokens[at + 1].low in _LEVELS):
            at += 1
        elif token.text in {":", "-"} or token.kind is Kind.ARROW:
            return Head(severity, within, at + 1)
        else:
            return None
    return None


def _bracket(tokens: Tokens, at: int) -> tuple[Decimal | None, int] | None:
    """Return the deadline between brackets and the place behind them; None when it is another."""
    end = at + 1
    while tokens[end].text != ")":
        if tokens[end].kind is Kind.END or end - at > _MOST_AHEAD:
            return None
        end += 1
    inside = [token for token in tokens[at + 1 : end] if token.text != ","]
    words = [token for token in inside if token.low not in _DEADLINES | _LEVELS]
    if all(token.low in _AT_ONCE for token in words):
        return None, end + 1
    within = time_of(" ".join(token.text for token in words))
    return None if within is None else (within, end + 1)


def deadline(text: str) -> Decimal | None:
    """Return the deadline that a cell states: `4 h`, `P1 (4 h)`, `fix within 24 hours`."""
    tokens = lex(clean(text))
    inside = [t for t in tokens if t.kind is not Kind.END and t.text not in {"(", ")", ",", ":"}]
    words = [t for t in inside if t.low not in _DEADLINES | _LEVELS and t.low not in CLOCKED]
    return time_of(" ".join(t.text for t in words))


def clock_of(text: str) -> tuple[str, Decimal] | None:
    """Return the deadline that a line sets for a whole severity: `P1: fix within 4 hours`."""
    head, rest = take_severity(lex(clean(text)))
    if head is None or head.severity not in CLOCKED:
        return None
    words = [t for t in rest if t.kind is not Kind.END and t.low not in _DEADLINES]
    within = time_of(" ".join(t.text for t in words)) or (None if words else head.within_s)
    return None if within is None else (head.severity, within)


def time_of(text: str) -> Decimal | None:
    """Return a duration in seconds: `4 h`, `24 hours`; None when the text is anything else."""
    found = parse_quantity(text)
    return found.si if found is not None and is_time(found.unit) and found.si > 0 else None
