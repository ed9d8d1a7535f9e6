"""What stands behind a value: statistic, rows, window, brackets, remarks, further words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gonogo.errors import Diagnostic, Severity
from gonogo.plan.condition import Op, Quantifier, Value, Window, say_time
from gonogo.plan.grammar_values import Misread, Scope
from gonogo.plan.grammar_windows import is_vague, read_window
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import Dimension, Quantity
from gonogo.plan.words import DONE_ABOUT_IT, PREPOSITIONS, SEVERITIES, STATS, stat_of


@dataclass(slots=True)
class Tail:
    """What stands behind a value."""

    words: Tokens = field(default_factory=Tokens)
    stat: str | None = None
    quantifier: Quantifier | None = None
    window: Window | None = None
    window_at: Token | None = None
    severity: str | None = None
    op: Op | None = None
    remarks: list[Diagnostic] = field(default_factory=list)


def read_tail(scope: Scope, tokens: Tokens, at: int, value: Value) -> Tail:
    """Read statistic, rows, window, brackets and further words behind a value."""
    tail = Tail()
    while tokens[at].kind is not Kind.END:
        token = tokens[at]
        if token.kind is Kind.AFTER:
            tail.op, at = Op(token.op), at + 1
            continue
        step = (
            _stat(tail, tokens, at)
            or _rows(tail, tokens, at)
            or _window(scope, tail, tokens, at, value)
            or _brackets(scope, tail, tokens, at, value)
        )
        if step:
            at = step
        elif token.kind is Kind.OP and token.need in {"number", "any"}:
            raise scope.wrong(
                "GN105",
                "two comparisons without a word between them",
                scope.span(token),
                expected="`and`, `or` or a line for each comparison",
                hint="write the two comparisons in two lines, or join them with `or`",
            )
        elif token.low == "then":
            _remark(scope, tail, tokens[at:])
            break
        elif (token.text in {":", "-", "."} and not token.glued) or token.text in {":", "."}:
            behind = _window_behind(scope, tail, tokens, at + 1)
            if not behind:
                _remark(scope, tail, tokens[at + 1 :])
                break
            at = behind
        else:
            if tail.words or token.kind is not Kind.SIGN or token.text not in "'\"":
                tail.words.append(token)
            at += 1
    return tail


def _remark(scope: Scope, tail: Tail, tokens: Tokens) -> None:
    """Leave out what follows a colon or dash, unless it holds another comparison."""
    for token in tokens:
        if token.kind is Kind.OP and token.need in {"number", "any"}:
            raise scope.wrong(
                "GN105",
                "a second comparison stands behind the first",
                scope.span(token),
                expected="one condition in a line",
                hint="write a line for each threshold",
            )
    words = [token for token in tokens if token.kind is not Kind.END]
    if words and words[0].low not in DONE_ABOUT_IT:
        tail.remarks.append(
            scope.warning(
                "GN115",
                f"`{scope.slice(words[0], words[-1])[:60]}` is left out of the condition",
                scope.span(words[0], words[-1]),
                hint="keep remarks in a line of their own",
            )
        )


def _stat(tail: Tail, tokens: Tokens, at: int) -> int:
    """Read `p95`, `at p95`, `(on) average`, `95th percentile`; return 0 when there is none."""
    start = at
    if tokens[at].low in {"at", "on", "in", "the"} and not tail.words:
        at += 1
        if tokens[at].low == "the":
            at += 1
    found, end = stat_at(tokens, at)
    if found is None or (tokens[at].kind is Kind.WORD and tail.words):
        return 0
    if tokens[end].kind is Kind.WORD and tokens[at].kind is Kind.WORD and start == at:
        behind = tokens[end].low
        if behind not in PREPOSITIONS and tokens[at].low in STATS:
            return 0  # `> 5 max connections`: part of a name
    tail.stat = found
    return end


def stat_at(tokens: Tokens, at: int) -> tuple[str | None, int]:
    """Read a statistic in one or two words."""
    token = tokens[at]
    if token.kind is Kind.STAT or (token.kind is Kind.WORD and token.low in STATS):
        return stat_of(token.text), at + 1
    nth = re.fullmatch(r"(\d{1,2}(?:\.\d{1,3})?)(?:st|nd|rd|th)", token.low)
    if nth:
        behind = at + 1 + (tokens[at + 1].text == "-")
        if tokens[behind].low in {"percentile", "pctl", "percentiles"}:
            found = stat_of("p" + nth[1])
            return found, behind + 1
    return None, at


_EVERY = frozenset({"every", "each", "all"})
_SOME = frozenset({"any", "some"})


def _rows(tail: Tail, tokens: Tokens, at: int) -> int:
    """Read `in every row`, `in at least one row`; return 0 when they are not there."""
    if tokens[at].low not in {"in", "for"}:
        return 0
    words = [token.low for token in tokens[at + 1 : at + 5]]
    if words[:1] and words[0] in _EVERY | _SOME and words[1:2] and words[1] in {"row", "rows"}:
        tail.quantifier = Quantifier.EVERY if words[0] in _EVERY else Quantifier.ANY
        return at + 3
    if words == ["at", "least", "one", "row"]:
        tail.quantifier = Quantifier.ANY
        return at + 5
    return 0


def _window(scope: Scope, tail: Tail, tokens: Tokens, at: int, value: Value) -> int:
    """Read a window behind a value; return 0 when there is none."""
    token = tokens[at]
    found = read_window(scope, tokens, at)
    if found is None:
        if is_vague(token):
            tail.remarks.append(vague(scope, token))
            return at + 1
        return 0
    window, end = found
    no_rate(scope, window, value, tokens[at:end])
    if tail.window is not None and tail.window != window:
        raise two_windows(scope, token)
    tail.window, tail.window_at = window, token
    tail.remarks += no_average(scope, window, tokens[at:end], value)
    return end


def vague(scope: Scope, token: Token) -> Diagnostic:
    """Return the remark on `consistently`, which says for some time, and not for how long."""
    return scope.warning(
        "GN117",
        f"`{token.text}` does not say for how long",
        scope.span(token),
        expected="a number of buckets or a time",
        hint="write `for 3 buckets`",
    )


def no_average(
    scope: Scope, window: Window, said: Tokens, value: Value | None = None
) -> list[Diagnostic]:
    """Remark on `over 1 hour`, which may mean one figure of that hour: every bucket is judged.

    In one bucket of the usual length both are the same, so that it is only a note there.
    """
    if window.seconds is None or said[0].low not in _IN_THAT_TIME or value == Quantity(Decimal(0)):
        return []
    lasts = say_time(window.seconds)
    longer = window.seconds > _USUAL_BUCKET_S
    return [
        Diagnostic(
            "GN124",
            f"`{scope.slice(said[0], said[-1])}` means in every bucket of {lasts}, and no average"
            f" of {lasts}",
            scope.span(said[0], said[-1]),
            hint=f"write `for {lasts}` if that is meant; for one figure give the watch buckets of "
            f"{lasts}, or let the source work it out",
            severity=Severity.WARNING if longer else Severity.NOTE,
        )
    ]


_USUAL_BUCKET_S = 300
_IN_THAT_TIME = frozenset({"in", "over", "during", "within", "rolling", "last", "past"})


def no_rate(scope: Scope, window: Window, value: Value, said: Tokens) -> None:
    """Refuse `> 10 errors in 5 minutes`: so many in that time, and not for so long."""
    counted = isinstance(value, Quantity) and value.dimension in {Dimension.NUMBER, Dimension.COUNT}
    bare = said[0].kind is Kind.NUMBER
    if counted and isinstance(value, Quantity) and (not value.number or value.number % 1):
        return  # none in that time is none in each bucket of it; and 1.5 counts nothing
    if counted and window.count is None and (bare or said[0].low in _IN_THAT_TIME):
        raise scope.wrong(
            "GN118",
            "a number of things in a time is a rate, not a window",
            scope.span(said[0], said[-1]),
            expected="a rate such as `> 2 errors/min`",
            hint="write a rate, `for 5 minutes` if the number must stay there for so long, or let "
            "the source of the metric count that time",
        )


def _window_behind(scope: Scope, tail: Tail, tokens: Tokens, at: int) -> int:
    """Read the window of `P99 > 1.2s - for 2 buckets`; return 0 when it is a remark."""
    found = read_window(scope, tokens, at, alone=True)
    if found is None or tail.window is not None:
        return 0
    tail.window, tail.window_at = found[0], tokens[at]
    return found[1]


def _both(scope: Scope, first: Window | None, second: Window, at: Token) -> Window:
    """Join `for 2 buckets (5-minute buckets)`; any other second window is a mistake."""
    if first is None or first == second:
        return second
    if second == Window(count=1, bucket_s=second.bucket_s) and first.bucket_s is None:
        return replace(first, bucket_s=second.bucket_s)
    raise two_windows(scope, at)


def two_windows(scope: Scope, token: Token) -> Misread:
    """Return the mistake of a second window in a line, at its first word."""
    return scope.wrong(
        "GN119",
        "two different windows in one line",
        scope.span(token),
        expected="one window for the whole line",
        hint="write a line for each window",
    )


def _brackets(scope: Scope, tail: Tail, tokens: Tokens, at: int, value: Value) -> int:
    """Read what stands in brackets behind a value: statistic, window, severity or a remark."""
    if tokens[at].text not in {"(", "["}:
        return 0
    close = ")" if tokens[at].text == "(" else "]"
    end = at + 1
    while tokens[end].kind is not Kind.END and tokens[end].text != close:
        end += 1
    inside = Tokens([*tokens[at + 1 : end], replace(tokens[-1])])
    behind = end + (tokens[end].kind is not Kind.END)
    words = [token.low for token in inside[:-1]]
    if len(words) == 1 and words[0] in SEVERITIES:
        tail.severity = SEVERITIES[words[0]]
        return behind
    stat, stat_end = stat_at(inside, 0)
    if stat is not None and inside[stat_end].kind is Kind.END:
        tail.stat = stat
        return behind
    if stat is not None and read_window(scope, inside, stat_end) is not None:
        tail.stat, inside = stat, inside[stat_end:]  # `(avg over 10 min)`
    found = read_window(scope, inside, 0, alone=True)
    if found is not None and inside[found[1]].kind is Kind.END:
        no_rate(scope, found[0], value, inside[: found[1]])
        tail.remarks += no_average(scope, found[0], inside[: found[1]], value)
        tail.window = _both(scope, tail.window, found[0], inside[0])
        tail.window_at = tail.window_at or inside[0]
        return behind
    _remark(scope, tail, inside)
    return behind
