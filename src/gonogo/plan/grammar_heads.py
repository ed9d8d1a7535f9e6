"""What stands around the comparisons of a line: severity, `if`, label, action, brackets."""

from __future__ import annotations

from dataclasses import dataclass

from gonogo.errors import Diagnostic
from gonogo.plan.condition import Window
from gonogo.plan.grammar_subject import name_of, strip_verbs
from gonogo.plan.grammar_values import Scope
from gonogo.plan.grammar_windows import read_window
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.words import (
    CONDITION_WORDS,
    DONE_ABOUT_IT,
    FILLERS_BEFORE_OP,
    FOLLOW_UPS,
    GENERIC_LABELS,
    SEVERITIES,
    STATS,
    bag,
    stat_of,
)

_EXPECTED = bag("expect expected expects expectation should")
_FAR = 12  # tokens in which a window may begin
_WAYS = bag("slack email mail ping tell message text sms phone pagerduty opsgenie teams post wake")
_NOT_LABELS = bag("estimated estimate eta duration wait budget timeline schedule")


@dataclass(slots=True)
class Piece:
    """Tokens between two joining words, without END, and the joining words in front of them."""

    tokens: Tokens
    words: frozenset[str]


def split_sentences(tokens: Tokens) -> list[Tokens]:
    """Split at full stops that end a sentence; each part keeps an END of its own."""
    parts: list[Tokens] = []
    start = 0
    for at, token in enumerate(tokens):
        last = token.kind is Kind.END
        stop = token.kind is Kind.SIGN and token.text in ".!?" and not tokens[at + 1].glued
        if last or stop:
            if at > start:
                parts.append(closed(tokens[start:at]))
            start = at + 1
    return parts


def closed(tokens: Tokens) -> Tokens:
    """Return the tokens with an END behind them."""
    last = tokens[-1].end if tokens else 0
    return Tokens([*tokens, Token(Kind.END, "", last, last)])


def has_op(tokens: Tokens) -> bool:
    """Tell whether a comparison stands among the tokens."""
    return any(t.kind is Kind.OP and t.need in {"number", "any"} for t in tokens)


def without_if(tokens: Tokens) -> Tokens:
    """Take `if`, `roll back when`, `alert if the` off the front."""
    for at, token in enumerate(tokens[:7]):
        if token.kind is Kind.OP or token.text in {"(", ","}:
            return tokens
        if token.low in CONDITION_WORDS:
            ordered = all(t.kind in {Kind.WORD, Kind.JOIN, Kind.SIGN} for t in tokens[:at])
            first = tokens[0].low
            orders = first in FOLLOW_UPS | _WAYS or first in SEVERITIES or at == 0
            return tokens[at + 1 :] if ordered and orders else tokens
    return tokens


def refuse_second_if(scope: Scope, tokens: Tokens) -> None:
    """Refuse `errors > 2 %, page; if > 5 %, roll back`: two conditions, and not both at once.

    Raises:
        Misread: GN105, where a second `if` begins.
    """
    for at in range(2, len(tokens) - 1):
        begins = tokens[at - 1].kind is Kind.JOIN or tokens[at - 1].text in {",", ";"}
        if not begins or tokens[at].low not in CONDITION_WORDS:
            continue
        if has_op(tokens[:at]) and has_op(tokens[at:]):
            raise scope.wrong(
                "GN105",
                f"a second condition begins at `{tokens[at].text}`",
                scope.span(tokens[at], tokens[-2]),
                expected="one condition in an item",
                hint="make two list items of it",
            )


def leading_window(scope: Scope, tokens: Tokens) -> tuple[Window | None, Tokens]:
    """Take `for 2 consecutive buckets:` and `at least 3 of 5 buckets:` off the front."""
    least = tokens[0].kind is Kind.OP and tokens[0].op == ">=" and tokens[0].low != "min"
    found = read_window(scope, tokens, int(least), alone=True)
    if found is None:
        return None, tokens
    window, end = found
    marked = tokens[end].low in {":", ",", "with", "have", "having", "where", "show"}
    over = tokens[0].low == "over"  # `over 100 ms, or …` is a comparison
    if over and (not marked or (window.seconds or 60) < 60):
        return None, tokens
    led = tokens[0].low in {"for", "in"} and tokens[end].kind in {Kind.WORD, Kind.STAT}
    rest = tokens[end + marked :]
    return (window, rest) if (marked or led) and has_op(rest) else (None, tokens)


def inner_window(scope: Scope, tokens: Tokens) -> tuple[Window | None, Tokens, Tokens]:
    """Take the window out of `error rate over 10 minutes > 1 %`; return it, its words, the rest.

    `p95 over 1 s or cpu > 90 %` has none: only a comparison of the same name may follow it.
    """
    for at in range(1, min(len(tokens), _FAR)):
        if tokens[at].low not in {"over", "in", "during"}:
            if has_op(tokens[at : at + 1]):
                break
            continue
        found = read_window(scope, tokens, at)
        end = 0 if found is None else found[1]
        while end and tokens[end].low in FILLERS_BEFORE_OP:
            end += 1
        if found is None or not has_op(tokens[end : end + 1]) or (found[0].seconds or 60) < 60:
            continue
        before = tokens[: at - (tokens[at - 1].low == "averaged")]
        return found[0], tokens[at : found[1]], Tokens([*before, *tokens[found[1] :]])
    return None, Tokens(), tokens


def without_action(scope: Scope, tokens: Tokens) -> Tokens:
    """Cut `→ page the owner`; keep `GET /x → 404` as a status."""
    for at, token in enumerate(tokens):
        if token.kind is not Kind.ARROW:
            continue
        before, behind = tokens[:at], tokens[at + 1 :]
        if not has_op(before) and behind[0].kind in {Kind.NUMBER, Kind.CLASS}:
            made = Token(Kind.WORD, "returns", token.start, token.end)
            return Tokens([*before, made, *behind])
        if has_op(before) and has_op(behind):
            place = next(t for t in behind if t.kind is Kind.OP)
            raise scope.wrong(
                "GN105", "two thresholds with arrows in one line", scope.span(place),
                expected="one condition in a line", hint="write a line for each threshold",
            )  # fmt: skip
        return closed(before)
    return _without_order(tokens)


def _without_order(tokens: Tokens) -> Tokens:
    """Cut what is done behind a colon or dash: `cpu > 90 %: scale or tune`; no other limit."""
    for at, token in enumerate(tokens[:-2]):
        if token.kind is not Kind.SIGN or token.text not in {":", "-"} or not has_op(tokens[:at]):
            continue
        before, behind = tokens[:at], tokens[at + 1 :]
        ends = token.text == ":" or not (token.glued or behind[0].glued)
        joined = any(t.kind is Kind.JOIN for t in behind)
        if ends and joined and behind[0].low in DONE_ABOUT_IT and not _states(behind):
            return closed(before)
    return tokens


def _states(tokens: Tokens) -> bool:
    """Tell whether words hold a figure or comparison, so that nothing of them is left out."""
    return any(t.kind in {Kind.OP, Kind.NUMBER} and t.need != "weak" for t in tokens)


def label(scope: Scope, tokens: Tokens) -> tuple[str | None, bool, Tokens, list[Diagnostic]]:
    """Split `Response time: p95 < 500 ms` into a name for what follows, or a mere heading."""
    depth = 0
    for at, token in enumerate(tokens[:-1]):
        depth += (token.text == "(") - (token.text == ")")
        if token.kind is Kind.OP and token.need in {"number", "any"} and not depth:
            break
        if token.text != ":" or token.kind is not Kind.SIGN or depth:
            continue
        words, rest = tokens[:at], tokens[at + 1 :]
        if not words or rest[0].kind is Kind.END:
            break
        return _labelled(scope, words, rest)
    return None, False, tokens, []


def _labelled(
    scope: Scope, words: Tokens, rest: Tokens
) -> tuple[str | None, bool, Tokens, list[Diagnostic]]:
    low = {word.low for word in words}
    if low & _EXPECTED and len(words) <= 3:
        return None, True, rest, []
    if low & _NOT_LABELS and not has_op(rest):
        return None, False, closed(Tokens()), []
    if low & {"any", "all", "either"} and low & {"of", "these", "following"}:
        return None, False, rest, []
    if all(word.low in GENERIC_LABELS for word in words):
        return None, False, rest, []
    bare = _is_bare(rest)
    if bare and any(word.kind is Kind.STAT or word.low in STATS for word in words):
        return None, False, Tokens([*words, *rest]), []
    name = name_of(words[strip_verbs(words) :] or words)
    if bare or not has_op(rest) or _all_statistics(rest):
        return name, False, rest, []
    if strip_verbs(words) == len(words) or words[0].low in CONDITION_WORDS:
        return None, False, rest, []
    remark = scope.warning(
        "GN122", f"`{name}` is read as a heading, not as part of the name",
        scope.span(words[0], words[-1]), hint="put it into the name if it says what is measured",
    )  # fmt: skip
    return None, False, rest, [remark]


def _is_bare(rest: Tokens) -> bool:
    """Tell whether a comparison begins without a name: `< 5 %`, `p95 < 1 s`."""
    at = strip_verbs(rest)
    while rest[at].kind is Kind.STAT or (rest[at].kind is Kind.WORD and rest[at].low in STATS):
        at += 1
    return rest[at].kind is Kind.OP and rest[at].need in {"number", "any"}


def _all_statistics(rest: Tokens) -> bool:
    """Tell whether each piece behind a label is a statistic with its comparison."""
    return all(
        _is_bare(closed(piece.tokens)) and stat_of(piece.tokens[0].text) is not None
        for piece in split_pieces(rest)
    )


def without_brackets(tokens: Tokens) -> Tokens:
    """Open brackets that hold the comparison: `page load (target: < 2 s)`, `(A or B)`."""
    start = -1
    depth = 0
    for at, token in enumerate(tokens):
        if token.text == "(" and token.kind is Kind.SIGN:
            start = at if depth == 0 else start
            depth += 1
        elif token.text == ")" and token.kind is Kind.SIGN and depth:
            depth -= 1
            if depth == 0 and has_op(tokens[start:at]):
                return _opened(tokens, start, at)
        elif depth == 0 and token.kind is Kind.OP and token.need in {"number", "any"}:
            return tokens
    return tokens


def _opened(tokens: Tokens, start: int, end: int) -> Tokens:
    inside = tokens[start + 1 : end]
    if inside and inside[0].low in GENERIC_LABELS:
        colon = len(inside) > 1 and inside[1].text == ":"
        inside = inside[1 + colon :]
    if _is_bare(closed(inside)):
        return Tokens([*tokens[:start], *inside, *tokens[end + 1 :]])
    return Tokens([*inside, *tokens[end + 1 :]])


def split_pieces(tokens: Tokens) -> list[Piece]:
    """Split a line at its joining words, outside of brackets."""
    pieces: list[Piece] = []
    current: Tokens = Tokens()
    words: set[str] = set()
    depth = 0
    for token in tokens:
        depth = max(depth + (token.text == "(") - (token.text == ")"), 0)
        if token.kind is Kind.END or (token.kind is Kind.JOIN and not depth):
            if current:
                pieces.append(Piece(current, frozenset(words)))
                current, words = Tokens(), set()
            words.add(token.low)
        else:
            current.append(token)
    return pieces
