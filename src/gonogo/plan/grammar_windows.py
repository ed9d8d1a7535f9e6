"""For how long: `for 2 consecutive 5-minute buckets`, `2 of 3 checks`, `for 5+ minutes`."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from gonogo.plan.condition import Window
from gonogo.plan.grammar_values import Scope
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import Quantity, is_time, unit_of
from gonogo.plan.words import BUCKET_WORDS, bag

_LEADS = bag("for over sustained in during lasting across persisting persists lasts")
_ROLLING = bag("rolling last past sliding trailing within")  # in brackets also without `over`
_BETWEEN = bag(
    "the last past at least more than longer over any a an full of sustained continuous "
    "continuously about consistently single"
)
_ONE = frozenset({"single", "any", "a"})
_SLICES = bag("bucket buckets window windows interval intervals period periods")
_IN_A_ROW = frozenset({"consecutive", "successive", "straight", "sequential"})
_NUMBER_WORDS = {
    word: n
    for n, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=1
    )
}
_VAGUE = frozenset({"consistently", "sustained", "persistently", "continuously", "repeatedly"})


def is_vague(token: Token) -> bool:
    """Tell whether a word says "for some time" without saying how long."""
    return token.low in _VAGUE


def _number(token: Token) -> Decimal | None:
    if token.kind is Kind.NUMBER:
        return token.number
    count = _NUMBER_WORDS.get(token.low)
    if token.low == "twice":
        count = 2
    return None if count is None else Decimal(count)


def _time_word(token: Token) -> str | None:
    unit = unit_of(token.text) if token.kind is Kind.WORD else None
    return unit if is_time(unit) else None


def _seconds(number: Decimal, unit: str) -> Decimal:
    return Quantity(number, unit).si


def read_window(
    scope: Scope, tokens: Tokens, at: int, *, alone: bool = False
) -> tuple[Window, int] | None:
    """Read the window that begins at `at`; None when no window begins here.

    `2 buckets` without `for` is one only where nothing else can be meant: `alone`, as in brackets.
    """
    led, start = _lead(tokens, at)
    short = _short(tokens, at) or (_without_number(tokens, start) if led else None)
    if short is not None:
        return short
    if alone and not led and tokens[at].low in _ROLLING:
        led, start = True, at + 1
    number = _number(tokens[start])
    if number is None and led and tokens[start - 1].low in {"a", "an", "last", "past"}:
        number, start = Decimal(1), start - 1
    if number is None:
        return None
    end = start + 1
    window, end = _count_or_time(tokens, _or_more(tokens, end), number) or (None, end)
    if window is None:
        return None
    window, end = _in_a_row(tokens, end, window)
    if window.count is not None and _said_more_than(tokens[at:start]):
        window = replace(window, count=window.count + 1)
    said = window.of is not None or window.consecutive
    said = said or (alone and tokens[end - 1].low in _SLICES)
    timed = alone and window.seconds is not None and tokens[end].kind is Kind.END
    if not led and not timed and (not said or window.count is None):
        return None
    _check(scope, window, tokens[at], tokens[end - 1])
    return window, end


def _short(tokens: Tokens, at: int) -> tuple[Window, int] | None:
    """Read `x2 buckets`, `x 2 buckets`, `twice in a row`."""
    if tokens[at].low == "twice":
        window, end = _in_a_row(tokens, at + 1, Window(count=2))
        return (window, end) if window.consecutive else None
    found = re.fullmatch(r"[x\u00d7](\d{1,4})?", tokens[at].low)
    if found is None:
        return None
    number = Decimal(found[1]) if found[1] else _number(tokens[at + 1])
    end = at + 1 + (found[1] is None)
    if number is None or tokens[end].low not in _SLICES:
        return None
    return _whole(Window(), number, None), end + 1


def _without_number(tokens: Tokens, at: int) -> tuple[Window, int] | None:
    """Read the rest of `for half an hour` and `in any single bucket`."""
    if tokens[at].low == "half" and tokens[at + 1].low in {"a", "an"}:
        unit = _time_word(tokens[at + 2])
        if unit is not None:
            return Window(seconds=_seconds(Decimal("0.5"), unit)), at + 3
    if tokens[at].low == "bucket" and tokens[at - 1].low in _ONE:
        return Window(count=1), at + 1
    return None


def _or_more(tokens: Tokens, at: int) -> int:
    """Skip `+` or `or more` behind a number: a window says at least how long."""
    token = tokens[at]
    plus = token.text == "+" and token.glued
    return at + (plus or (token.kind is Kind.AFTER and token.op == ">="))


def _said_more_than(lead: Tokens) -> bool:
    """Tell whether `more than` stands in front; `over 2 buckets` means in them."""
    signs = any(t.kind is Kind.OP and t.op == ">" and t.low != "over" for t in lead)
    return signs or "than" in {token.low for token in lead}


def _lead(tokens: Tokens, at: int) -> tuple[bool, int]:
    """Skip `for`, `over the last`, `for more than`; tell whether there was such a word."""
    start = at
    first = tokens[at]
    spoken = first.kind is Kind.WORD and first.low == "within"  # `within an hour`
    if not (first.low in _LEADS or spoken or (first.kind is Kind.OP and first.low == "over")):
        return False, at
    start += spoken
    while tokens[start].kind in {Kind.WORD, Kind.OP}:
        token = tokens[start]
        lower_bound = token.kind is Kind.OP and token.op in {">", ">="}
        if not (token.low in _LEADS or token.low in _BETWEEN or lower_bound):
            break
        start += 1
    return True, start


def _count_or_time(tokens: Tokens, at: int, number: Decimal) -> tuple[Window, int] | None:
    """Read what is behind the first number: buckets, `of 3 buckets`, a time."""
    token = tokens[at]
    if token.low in {"of", "out"} or (token.text == "/" and token.glued):
        return _of(tokens, at, number)
    consecutive = token.low in _IN_A_ROW
    if consecutive:
        at += 1
    # `5 minute buckets` are of that length, not five of a minute
    size, at = (None, at) if not consecutive and _time_word(tokens[at]) else _size(tokens, at)
    token = tokens[at]
    if token.low in BUCKET_WORDS and token.kind is Kind.WORD:
        return _whole(Window(consecutive=consecutive, bucket_s=size), number, None), at + 1
    if size is not None:
        return None
    dash = token.text == "-" and token.glued
    unit = _time_word(tokens[at + dash])
    if unit is None:
        return None
    seconds = _seconds(number, unit)
    behind = at + dash + 1
    rest = _number(tokens[behind]) if tokens[behind].kind is Kind.NUMBER else None
    smaller = None if rest is None else _time_word(tokens[behind + 1])
    if (
        rest is not None
        and smaller is not None
        and _seconds(Decimal(1), smaller) < _seconds(Decimal(1), unit)
    ):
        seconds, behind = seconds + _seconds(rest, smaller), behind + 2  # `1h 30m`
    if tokens[behind].low in {"bucket", "buckets"}:
        return Window(count=1, bucket_s=seconds), behind + 1
    if tokens[behind].low in BUCKET_WORDS and tokens[behind].low not in {"time", "times"}:
        behind += 1
    return Window(seconds=seconds, consecutive=consecutive), behind


def _of(tokens: Tokens, at: int, number: Decimal) -> tuple[Window, int] | None:
    """Read `of the last 3 5-minute buckets` behind the first number."""
    at += 1
    while tokens[at].low in {"of", "the", "last", "any", "past"}:
        at += 1
    total = _number(tokens[at])
    if total is None:
        return None
    at += 1
    consecutive = tokens[at].low in _IN_A_ROW
    size, at = _size(tokens, at + consecutive)
    if tokens[at].low not in BUCKET_WORDS:
        return None
    return _whole(Window(bucket_s=size), number, total), at + 1


def _whole(window: Window, count: Decimal, total: Decimal | None) -> Window:
    """Set the counts; a fraction becomes 0 and is refused by `_check`."""
    of = None if total is None else int(total) if total == int(total) else 0
    return replace(window, count=int(count) if count == int(count) else 0, of=of)


def _size(tokens: Tokens, at: int) -> tuple[Decimal | None, int]:
    """Read the bucket's length: `5-minute`, `5 min`, `minute`."""
    number = _number(tokens[at])
    if number is None:
        unit = _time_word(tokens[at])
        if unit is not None and tokens[at + 1].low in {"bucket", "buckets"} and unit != "s":
            return _seconds(Decimal(1), unit), at + 1
        return None, at
    dash = tokens[at + 1].text == "-"
    unit = _time_word(tokens[at + 1 + dash])
    return (None, at) if unit is None else (_seconds(number, unit), at + 2 + dash)


def _in_a_row(tokens: Tokens, at: int, window: Window) -> tuple[Window, int]:
    words = [token.low for token in tokens[at : at + 3]]
    if words == ["in", "a", "row"]:
        return replace(window, consecutive=True), at + 3
    if words[:1] == ["consecutively"] or words[:1] == ["running"]:
        return replace(window, consecutive=True), at + 1
    return window, at


def _check(scope: Scope, window: Window, first: Token, last: Token) -> None:
    """Refuse a window that can never be filled."""
    said = scope.slice(first, last)
    span = scope.span(first, last)
    if window.count == 0 or window.of == 0 or 0 in (window.bucket_s, window.seconds):
        raise scope.wrong(
            "GN106", f"`{said}` is no length of time", span,
            expected="a whole number of buckets, or a time above zero",
            hint="write `for 2 buckets` or `for 5 minutes`",
        )  # fmt: skip
    if window.of is not None and window.count is not None and window.count > window.of:
        raise scope.wrong(
            "GN106", f"`{said}` can never happen", span,
            expected=f"at most {window.of} of {window.of}",
            hint=f"write `for {window.of} of {window.count} buckets`",
        )  # fmt: skip
