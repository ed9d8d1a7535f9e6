"""The name behind `recorded`: a value that an earlier step of the run has kept."""

from __future__ import annotations

from gonogo.plan.grammar_marks import mark
from gonogo.plan.lexer import Kind, Tokens, lex
from gonogo.plan.words import BASELINES, STATES, bag

_WORD = "recorded"
_LONGEST = 6
_ENDS = bag("in for over within during then everywhere each every any all")


def recorded_name(tokens: Tokens, at: int) -> tuple[str, int] | None:
    """Read `recorded previous release` at `at`; None when that is no name of a kept value.

    The name ends before `in every row`, `for 2 buckets` and every sign; in quotation marks it may
    be anything. `recorded baseline` is the baseline, not a name.
    """
    if tokens[at].low != _WORD:
        return None
    at += 1
    if tokens[at].kind is Kind.STRING:
        name = " ".join(tokens[at].body.lower().split())
        return (name, at + 1) if name else None
    words: list[str] = []
    while tokens[at].kind in {Kind.WORD, Kind.STAT} and tokens[at].low not in _ENDS:
        words.append(tokens[at].low)
        at += 1
    if not words or len(words) > _LONGEST or words[0] in BASELINES:
        return None
    return " ".join(words), at


def says_itself(name: str) -> bool:
    """Tell whether a name is read back as it is without quotation marks around it.

    A name that ends in a state (`failed`) would say what the words before it are.
    """
    if STATES & set(name.split()):
        return False
    tokens = mark(lex(f"1 = {_WORD} {name}"))  # a number in front: `minimum` is then no name
    found = recorded_name(tokens, 2)
    return found is not None and found[0] == name and tokens[found[1]].kind is Kind.END
