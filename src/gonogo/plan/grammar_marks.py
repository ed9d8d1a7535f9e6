"""Comparison words among the words of a line: `no more than` becomes one mark, `<=`."""

from __future__ import annotations

from gonogo.plan.grammar_numbers import in_figures
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import MONEY_SIGNS
from gonogo.plan.words import (
    AFTER_PHRASES,
    ALONE_PHRASES,
    ANY_PHRASES,
    LONGEST,
    NUMBER_PHRASES,
    SYMBOLS,
    bag,
)

ABOUT = bag("a an the about approximately around roughly only just exactly ~")
_NUMBERS = frozenset({Kind.NUMBER, Kind.BAD_NUMBER, Kind.VERSION})
_SKIP_BETWEEN = 7  # tokens between `between` and its `and`


def skip(tokens: Tokens, at: int, words: frozenset[str] = ABOUT) -> int:
    """Return the first place at or after `at` that is none of `words`."""
    while tokens[at].kind is Kind.WORD and tokens[at].low in words:
        at += 1
    return at


def starts_number(tokens: Tokens, at: int) -> bool:
    """Tell whether a number, or a placeholder for one, begins at `at`."""
    at = skip(tokens, at)
    token = tokens[at]
    if token.kind in _NUMBERS or is_placeholder(tokens, at):
        return True
    if token.kind is Kind.SIGN and (token.text in MONEY_SIGNS or token.text in "-+~"):
        following = tokens[at + 1]
        return following.kind in _NUMBERS and (following.glued or token.text in MONEY_SIGNS)
    return False


def is_placeholder(tokens: Tokens, at: int) -> bool:
    """Tell whether something that the author has still to fill in stands here: X %, [N], {{n}}."""
    token = tokens[at]
    if token.kind is Kind.OTHER and token.text.startswith("<"):
        return True
    if token.kind is Kind.WORD and token.text in {"X", "Y", "Z", "N", "XX", "XXX", "TBD", "YY"}:
        return True
    return (token.text in {"[", "{"} and tokens[at + 1].kind is not Kind.END) or (
        token.text == "$" and tokens[at + 1].text == "{"
    )


_EXISTS = frozenset({"exists", "exist"})
_TRUTHS = frozenset({"true", "false", "yes", "no"})


def mark(tokens: Tokens) -> Tokens:
    """Replace comparison phrases by one token each, longest first."""
    marked: Tokens = Tokens()
    tokens = in_figures(_angled(tokens))
    at = 0
    while tokens[at].kind is not Kind.END:
        token, at = _mark_one(tokens, at, marked)
        marked.append(token)
    marked.append(tokens[at])
    _keep_pairs(marked)
    _keep_names(marked)
    return marked


def _keep_names(marked: Tokens) -> None:
    """Take `exists` for a name where a truth value follows: `path exists is false`."""
    for at, token in enumerate(marked):
        follows = marked[at + 1]
        if (
            token.op == "exists"
            and token.low in _EXISTS
            and follows.op in {"=", "!="}
            and marked[at + 2].low in _TRUTHS
        ):
            token.kind, token.op, token.need = Kind.WORD, "", ""


def _angled(tokens: Tokens) -> Tokens:
    """Make one token of `<sha>`: a word in angle brackets is a placeholder or a tag."""
    made: Tokens = Tokens()
    at = 0
    while at < len(tokens):
        token = tokens[at]
        inside = tokens[at + 1 : at + 3]
        if token.text == "<" and len(inside) == 2 and inside[0].kind is Kind.WORD:
            word, close = inside
            if close.text == ">" and word.glued and close.glued:
                made.append(
                    Token(Kind.OTHER, f"<{word.text}>", token.start, close.end, token.glued)
                )
                at += 3
                continue
        made.append(token)
        at += 1
    return made


def _mark_one(tokens: Tokens, at: int, before: Tokens) -> tuple[Token, int]:
    token = tokens[at]
    if token.kind is Kind.OP:
        token.op, token.need = SYMBOLS[token.text], "any"
        return token, at + 1
    if token.kind not in {Kind.WORD, Kind.JOIN}:
        return token, at + 1
    words = [t.low for t in tokens[at : at + LONGEST] if t.kind in {Kind.WORD, Kind.JOIN}]
    for length in range(len(words), 0, -1):
        phrase = tuple(words[:length])
        end = at + length
        if tokens[end - 1].low != phrase[-1]:
            continue
        found = _phrase(phrase, tokens, end, before)
        if found is not None:
            kind, op, need = found
            text = " ".join(phrase)
            made = Token(
                kind, text, token.start, tokens[end - 1].end, token.glued, op=op, need=need
            )
            return made, end
    return token, at + 1


def _phrase(
    phrase: tuple[str, ...], tokens: Tokens, end: int, before: Tokens
) -> tuple[Kind, str, str] | None:
    """Return kind, op and need of a phrase that ends before `end`; None when it is just words."""
    if phrase in NUMBER_PHRASES and starts_number(tokens, end):
        op = NUMBER_PHRASES[phrase]
        return None if op == "between" and not _has_pair(tokens, end) else (Kind.OP, op, "number")
    unit = phrase == ("min",) and bool(before) and before[-1].kind is Kind.NUMBER
    if phrase in AFTER_PHRASES and _behind_value(before) and tokens[end].low != "than" and not unit:
        return Kind.AFTER, AFTER_PHRASES[phrase], ""
    if phrase in ALONE_PHRASES:
        return Kind.OP, ALONE_PHRASES[phrase], "none"
    if phrase in ANY_PHRASES:
        op = ANY_PHRASES[phrase]
        if op == "in":
            listed = tokens[end].kind is Kind.NUMBER and tokens[end + 1].text == "/"
            return (Kind.OP, op, "any") if listed else None
        return Kind.OP, op, "matcher" if op in {"contains", "matches"} else "weak"
    return None


def _behind_value(before: Tokens) -> bool:
    """Tell whether a number stands among the last few tokens: `8 GB RAM` before `minimum`."""
    for token in reversed(before[-4:]):
        if token.kind in {Kind.NUMBER, Kind.VERSION}:
            return True
        if token.kind not in {Kind.WORD, Kind.SIGN}:
            return False
    return False


def _has_pair(tokens: Tokens, at: int) -> bool:
    return any(token.low in {"and", "to", "-"} for token in tokens[at : at + _SKIP_BETWEEN])


def _keep_pairs(tokens: Tokens) -> None:
    """Make the `and` of `between 3 and 4` a plain word, so that it joins nothing."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.OP and token.op == "between":
            for other in tokens[at : at + _SKIP_BETWEEN]:
                if other.low == "and":
                    other.kind = Kind.WORD
                    break
