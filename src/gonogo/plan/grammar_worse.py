"""What turns with the comparison: which way is worse, and which statistic `99 % of requests` is."""

from __future__ import annotations

import re
from dataclasses import replace

from gonogo.plan.condition import Op, Relative
from gonogo.plan.grammar_marks import skip
from gonogo.plan.grammar_subject import Subject, strip_verbs
from gonogo.plan.grammar_values import Read, Scope, read_quantity
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import Dimension, Quantity
from gonogo.plan.words import BASELINES, NEGATIONS, bag, stat_of

_BAD_ABOVE = re.compile(
    r"\b(?:latenc(?:y|ies)|errors?|fail(?:ures?|ed|ing)|durations?|times?|lag|delay|backlog|queue|timeouts?|crash(?:es)?|faults?|misses|5xx|memory|cpu)\b"
)
_BAD_BELOW = re.compile(
    r"\b(?:throughput|availability|uptime|(?:success|hit|pass|conversion) (?:rate|ratio)|hits"
    r"|requests?(?: rate| per second)|rps|qps|conversions?|capacity|apdex)\b"
)


def read_factor(scope: Scope, tokens: Tokens, start: int, read: Read) -> Read:
    """Return the value of `+20 % baseline`, `baseline + 20 %`, `1.2 * baseline` as the factor.

    Raises:
        Misread: GN111, when a number stands behind the baseline and its sign was lost.
    """
    value, behind = read.value, tokens[read.end]
    start = skip(tokens, start)
    if isinstance(value, Quantity) and not value.unit and behind.low in BASELINES:
        return replace(read, value=Relative(value.number), end=read.end + 1)
    if not isinstance(value, Relative):
        return read
    if tokens[start].text in {"+", "-"} and read.op is None:
        return replace(read, value=Relative(1 + value.factor))
    if tokens[read.end - 1].low not in BASELINES:
        return read
    signed = behind.text in {"+", "-"} or behind.low == "x"
    more, end = read_quantity(scope, tokens, read.end + signed)
    if more is None:
        return read
    if signed and behind.low == "x" and not more.unit:
        return replace(read, value=Relative(more.number), end=end)
    if signed and behind.low != "x" and more.unit == "%":
        share = more.number.scaleb(-2).normalize()
        factor = 1 + share if behind.text == "+" else 1 - share
        return replace(read, value=Relative(factor), end=end)
    raise scope.wrong(
        "GN111",
        f"`{scope.slice(behind, tokens[end - 1])}` behind the baseline is not understood",
        scope.span(behind, tokens[end - 1]),
        expected="one factor on the recorded baseline",
        hint="write for example `> 1.2x baseline`",
    )


def settle_worse(scope: Scope, said: Tokens, subject: Subject, read: Read) -> Read:
    """Return the value of `20 % worse than baseline` with the side on which its metric is bad.

    Raises:
        Misread: GN110, when neither name nor statistic tells which side that is.
    """
    if not isinstance(read.value, Relative) or "worse" not in {token.low for token in said}:
        return read
    share = abs(read.value.factor - 1)
    name = (subject.metric or "").replace("_", " ")
    below = _BAD_BELOW.search(name) is not None
    above = _BAD_ABOVE.search(name) is not None or (not below and (subject.stat or "")[:1] == "p")
    if below is above:
        raise scope.wrong(
            "GN110",
            "`worse` does not say whether more or less is worse here",
            scope.span(said[0], said[-1]),
            expected="`above` or `below` the baseline",
            hint=f"write `> {1 + share}x baseline`, or `< {1 - share}x baseline`",
        )
    if not below:
        return read
    flipped = {Op.GT: Op.LT, Op.GE: Op.LE}
    op = flipped.get(read.op, read.op) if read.op is not None else None
    return replace(read, value=Relative(1 - share), op=op)


_SIDES = frozenset({"<", "<=", ">", ">="})
_FAILS = NEGATIONS | bag("fail fails unable")


def refuse_unmet(scope: Scope, said: Tokens, mark: Token, subject: Subject, read: Read) -> None:
    """Refuse `fails to start within 10 minutes`: longer is meant, and `within` says shorter.

    `no slow calls (> 3 s)` speaks of those that there must not be: `> 3 s` is not what holds. And
    `3 complaints within 1 hour` says how many there are in a time, not how long they take.

    Raises:
        Misread: GN121, where a `not` stands before what is to happen within a time, or a `no`
            before what is compared; GN118, where a number does.
    """
    first = subject.first
    if first is not None and first.low == "no" and mark.op in _SIDES:
        raise scope.wrong(
            "GN121",
            "`no` in front of the name turns the comparison round",
            scope.span(first, mark),
            expected="what is measured, and the bound that it must keep",
            hint="write for example `slow calls = 0`, or `call time <= 3 s`",
        )
    timed = isinstance(read.value, Quantity) and read.value.dimension is Dimension.TIME
    if mark.low != "within" or not timed or subject.negated:
        return
    if said and said[0].kind is Kind.NUMBER and subject.metric is not None:  # else a percentile
        raise scope.wrong(
            "GN118",
            "a number of things in a time is a rate, not how long one takes",
            scope.span(said[0], mark),
            expected="a name, and the bound on it",
            hint=f"write how many: `… >= {said[0].text}`, of a metric that counts that time",
        )
    for token in said:
        if token.kind is Kind.WORD and token.low in _FAILS:
            raise scope.wrong(
                "GN121",
                f"`{token.text} … within` turns the comparison round",
                scope.span(token, mark),
                expected="what takes too long, and the time",
                hint="write for example `start time > 10 minutes`",
            )


_ALL_OF = bag(
    "all the requests calls responses answers complete completed finish are answered served done"
)
_SHARE_OF = (["%", "of"], ["percent", "of"])


def share_of_requests(scope: Scope, words: Tokens, op: Op) -> Subject | None:
    """Read `99 % of requests` in front of `< 500 ms` as p99, `1 % of requests` in front of `>` too.

    None for any other words.

    Raises:
        Misread: GN114, for a share that is no percentile (`99 % of requests > 3 s`).
    """
    words = words[strip_verbs(words) :]
    low = [word.low for word in words]
    if len(low) < 4 or words[0].kind is not Kind.NUMBER or low[1:3] not in _SHARE_OF:
        return None
    if any(word not in _ALL_OF for word in low[3:]):
        return None
    share = words[0].number
    part = share if op in {Op.LT, Op.LE} else 100 - share
    stat = stat_of(f"p{part.normalize():f}") if 0 < share < 100 else None
    if stat is None:
        raise scope.wrong(
            "GN114",
            f"`{scope.slice(words[0], words[-1])}` is no percentile here",
            scope.span(words[0], words[-1]),
            expected="a percentile with its limit",
            hint="write for example `p99 > 3 s`, which is 1 % of requests above 3 s",
        )
    return Subject(None, stat, negated=False, obliged=False, first=words[0])
