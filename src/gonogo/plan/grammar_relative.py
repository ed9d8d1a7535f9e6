"""Shares of the baseline in words: `20 % worse than baseline`, `25 % above baseline`."""

from __future__ import annotations

from dataclasses import replace

from gonogo.plan.condition import Op, Relative
from gonogo.plan.grammar_predicates import Around, Segment, finish
from gonogo.plan.grammar_subject import read_subject
from gonogo.plan.grammar_values import Scope, read_value
from gonogo.plan.grammar_worse import settle_worse
from gonogo.plan.lexer import Kind, Tokens
from gonogo.plan.words import BASELINES


def read_relative(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `p95 latency 20 % above baseline`, which needs no sign; None when it is no such thing.

    `20 % of baseline` alone says neither above nor below, and is none.
    """
    at = next((n for n, token in enumerate(tokens) if token.kind is Kind.NUMBER), -1)
    told = any(token.low in BASELINES for token in tokens)
    if (
        at < 0
        or not told
        or any(token.kind is Kind.OP and token.need != "weak" for token in tokens[:at])
    ):
        return None
    read = read_value(scope, tokens, at, Op.EQ)
    if read is None or not isinstance(read.value, Relative) or read.op is None:
        return None
    subject = read_subject(scope, tokens[:at])
    if subject is None or (subject.metric or subject.stat or around.metric) is None:
        return None
    whole = replace(subject, metric=subject.metric or around.metric)
    read = settle_worse(scope, tokens[at : read.end], whole, read)
    made = finish(scope, tokens, (subject, read.op or Op.GT, read), tokens[at], around)
    if made is None or made.predicate is None or made.predicate.metric != whole.metric:
        return None  # prose: words behind it belong to no name
    return None if any(remark.code == "GN115" for remark in made.remarks) else made
