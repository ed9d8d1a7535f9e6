"""What a comparison is about: the words in front of it, without verbs, with their statistic."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gonogo.plan.grammar_values import Scope
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.words import (
    CHECK_VERBS,
    FILLERS_BEFORE_OP,
    NEGATIONS,
    NOISE,
    STATS,
    is_order,
    stat_of,
)

_MAX_WORDS = 12
_LASTING = frozenset({"sustained", "persistent", "continuous", "consistent"})  # tell how, not what
_NTH = re.compile(r"(\d{1,2}(?:\.\d{1,3})?)(?:st|nd|rd|th)")


@dataclass(frozen=True, slots=True)
class Subject:
    """Name and statistic in front of a comparison, and whether a `not` stands before it."""

    metric: str | None
    stat: str | None
    negated: bool
    obliged: bool  # `should`, `must`
    first: Token | None


def read_subject(scope: Scope, tokens: Tokens) -> Subject | None:
    """Read the words in front of a comparison; None when they are an order or mere prose."""
    obliged = any(token.low in {"should", "must"} for token in tokens)
    start = strip_verbs(tokens)
    words = tokens[start:]
    words, negated = _strip_fillers(words)
    if len(words) > 1 and words[0].low in _LASTING:
        words = words[1:]
    first = words[0] if words else None
    stat, words = _take_stat(scope, words)
    words = _trim_signs(words)
    if stat is not None and words and words[0].text == "(" and words[-1].text == ")":
        words = words[1:-1]  # `p95(latency)`
    words, more = _strip_fillers(words)
    measured = first is not None and (first.kind is Kind.STAT or first.low in STATS)
    if not measured and is_order([word.low for word in words]):
        return None
    if not words and stat is None:
        only = [token for token in tokens if token.kind is not Kind.SIGN]
        if len(only) == 1 and only[0].kind is Kind.WORD and only[0].low not in NOISE:
            words = Tokens(only)  # `a > 5`: a name that looks like an article
    if not words:
        return Subject(None, stat, negated ^ more, obliged, first)
    if len(words) > _MAX_WORDS:
        return None
    return Subject(name_of(words), stat, negated ^ more, obliged, first)


def strip_verbs(tokens: Tokens) -> int:
    """Return where the words begin behind `verify that the` and signs."""
    start = 0
    while start < len(tokens):
        token = tokens[start]
        weak = token.kind is Kind.OP and token.need in {"weak", "none"}
        if (
            (token.kind in {Kind.WORD, Kind.JOIN} and token.low in CHECK_VERBS)
            or (weak and token.low in {"is", "are", "be"})
            or (token.kind is Kind.SIGN and token.text in ":-)]*.!")
        ):
            start += 1
        else:
            break
    return start


def _strip_fillers(tokens: Tokens) -> tuple[Tokens, bool]:
    """Take `should not be` off the end; return the rest and whether it denies."""
    words, negated = tokens[:], False
    while words:
        last = words[-1]
        if last.low in NEGATIONS:
            negated = not negated
        elif not (
            last.low in FILLERS_BEFORE_OP
            or (last.kind is Kind.OP and last.need in {"weak", "none"})
            or (last.kind is Kind.SIGN and last.text in ":-~,'\"")
        ):
            break
        words.pop()
    return words, negated


def _trim_signs(words: Tokens) -> Tokens:
    while words and words[0].kind is Kind.SIGN and words[0].text in ":-'\"/":
        words = words[1:]
    while words and words[0].low in {"of", "the", "for"}:
        words = words[1:]
    return words


def _take_stat(scope: Scope, words: Tokens) -> tuple[str | None, Tokens]:
    """Find the statistic among the words and return it with the others."""
    found: str | None = None
    rest: Tokens = Tokens()
    at = 0
    while at < len(words):
        token, behind = words[at], words[at + 1 : at + 3]
        stat, width = None, 1
        if token.kind is Kind.STAT:
            stat = stat_of(token.text)
        elif token.kind is Kind.WORD and token.low in STATS and _is_outside(words, at):
            stat = STATS[token.low]
        elif _NTH.fullmatch(token.low) and behind:
            gap = behind[0].text == "-"
            if len(behind) > gap and behind[gap].low in {"percentile", "percentiles", "pctl"}:
                nth = _NTH.fullmatch(token.low)
                stat, width = stat_of("p" + nth[1]) if nth else None, 2 + gap
        if stat is None:
            rest.append(token)
        elif found is not None and found != stat:
            raise scope.wrong(
                "GN105", f"two statistics for one number: `{found}` and `{stat}`",
                scope.span(token), expected="one statistic for each comparison",
                hint="write one comparison for each statistic",
            )  # fmt: skip
        else:
            found = stat
        at += width
    return found, _without_empty_brackets(rest)


def _is_outside(words: Tokens, at: int) -> bool:
    """Tell whether a word stands first, last, or alone in brackets."""
    if at in {0, len(words) - 1}:
        return True
    return words[at - 1].text == "(" and words[at + 1].text == ")"


def _without_empty_brackets(words: Tokens) -> Tokens:
    rest: Tokens = Tokens()
    for word in words:
        if word.text == ")" and rest and rest[-1].text == "(":
            rest.pop()
        else:
            rest.append(word)
    return rest


def name_of(words: Tokens) -> str:
    """Return the name that the words make, in small letters; a quoted name stands for itself."""
    if len(words) == 1:
        word = words[0]
        said = word.body if word.kind is Kind.STRING else word.text
        return " ".join(said.lower().split()) or '""'
    parts: list[str] = []
    for at, word in enumerate(words):
        adjacent = at > 0 and word.glued and words[at - 1].end == word.start
        text = (word.body if word.kind is Kind.STRING else word.text).lower()
        if parts and adjacent:
            parts[-1] += text
        else:
            parts.append(text)
    return " ".join(" ".join(parts).split())
