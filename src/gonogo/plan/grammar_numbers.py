"""Numbers that are said in words: `1.5 million`, `under one second`."""

from __future__ import annotations

import re
from decimal import Decimal

from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import is_time, unit_of
from gonogo.plan.words import bag

_TIMES = {
    "hundred": Decimal(100),
    "thousand": Decimal(10) ** 3,
    "million": Decimal(10) ** 6,
    "billion": Decimal(10) ** 9,
}
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_THOUSANDS, _REST = re.compile(r"[1-9][0-9]{0,2}"), re.compile(r"[0-9]{3}")
_SMALL = {word: Decimal(number) for number, word in enumerate(_WORDS, 1)}
_IN_FRONT = bag(
    "under below over above than exceed exceeds exceeding exceeded within least most beyond"
)


def in_figures(tokens: Tokens) -> Tokens:
    """Return the tokens with figures for words, where nothing but a number can be meant.

    `5 million` is one number; `one` is one only between a comparison and a time.
    """
    made: Tokens = Tokens()
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if _is_small(tokens, at):
            token = _number(token, token, _SMALL[token.low])
        if _is_spaced(tokens, at):
            at += 1
            token = _number(token, tokens[at], token.number * 1000 + tokens[at].number)
        while token.kind is Kind.NUMBER and tokens[at + 1].low in _TIMES:
            at += 1
            token = _number(token, tokens[at], _product(token.number, _TIMES[tokens[at].low]))
        made.append(token)
        at += 1
    return made


def _is_spaced(tokens: Tokens, at: int) -> bool:
    """Tell `> 10 000`, two numbers that can only be one, from `5 minutes` and `200 404`."""
    first, second = tokens[at], tokens[at + 1]
    if not (_THOUSANDS.fullmatch(first.text) and _REST.fullmatch(second.text)) or second.glued:
        return False
    before = tokens[at - 1] if at else first
    return before.low in _IN_FRONT or (
        before.kind is Kind.OP and before.text not in {"=", "==", "!="}
    )


def _is_small(tokens: Tokens, at: int) -> bool:
    if tokens[at].low not in _SMALL or at == 0 or tokens[at - 1].low not in _IN_FRONT:
        return False
    behind = tokens[at + 1]
    return behind.low in _TIMES or (behind.kind is Kind.WORD and is_time(unit_of(behind.text)))


def _product(number: Decimal, factor: Decimal) -> Decimal:
    """Multiply exactly; a whole number has no point: 2.5 million is 2500000."""
    product = number * factor
    whole = product.to_integral_value()
    return whole if whole == product else product


def _number(first: Token, last: Token, number: Decimal) -> Token:
    said = first.text if first is last else f"{first.text} {last.text}"
    return Token(Kind.NUMBER, said, first.start, last.end, first.glued, number=number)
