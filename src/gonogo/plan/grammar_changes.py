"""Changes that look like levels: `drops by more than 20 %` says nothing about where it stands."""

from __future__ import annotations

from decimal import Decimal

from gonogo.plan.condition import Relative
from gonogo.plan.grammar_values import Misread, Read, Scope
from gonogo.plan.lexer import Tokens
from gonogo.plan.units import Quantity
from gonogo.plan.words import BASELINES, bag

_DOWN = bag(
    "drop drops dropped fall falls fell fallen dip dips decline declines decrease decreases shrink "
    "shrinks sink sinks"
)
_UP = bag(
    "rise rises rose increase increases increased climb climbs jump jumps spike spikes grow grows "
    "grew surges soars"
)
_EITHER = bag("degrades worsens regresses deteriorates improves deviates")
_LESS = bag("drop decrease dip fall decline reduction")
_NOUNS = _LESS | bag("regression increase rise jump growth degradation deviation drift change")
_SIGNS = frozenset({"<", ">", "<=", ">=", "=<", "more than", "at least", "exceeds", "exceeding"})
_BY_HOW_MUCH = bag("more less at no up")  # `more than`, `at least`, `up to`; never `above`


def check_change(scope: Scope, tokens: Tokens, at: int, read: Read) -> None:
    """Refuse a comparison at `at` that says by how much something changes, not where it stands.

    Raises:
        Misread: GN111, unless the value is one of a baseline.
    """
    if at == 0 or isinstance(read.value, Relative):
        return
    if at > 1 and tokens[at - 1].low == "by" and tokens[at - 2].low in BASELINES:
        raise _over_baseline(scope, tokens, at, read)
    noun = at - 1 - (tokens[at - 1].low == "of")
    if noun > 0 and tokens[noun].low in _NOUNS and tokens[at].low in _SIGNS and _is_share(read):
        raise _of_what(scope, tokens, noun, at)
    if at > 1 and tokens[0].low in _NOUNS and tokens[1].low == "in" and _is_share(read):
        raise _of_what(scope, tokens, 0, at)  # `drop in conversion of more than 5 %`
    verb = at - 1 - (tokens[at - 1].low == "by")
    if verb < 0 or tokens[verb].low not in _DOWN | _UP | _EITHER:
        return
    by = verb < at - 1
    rather = tokens[at].low.split(" ")[0] in _BY_HOW_MUCH
    if by or rather or (tokens[verb].low in _DOWN and tokens[at].op in {">", ">="}):
        raise _of_what(scope, tokens, verb, at)


def _is_share(read: Read) -> bool:
    return isinstance(read.value, Quantity) and read.value.unit == "%"


def _over_baseline(scope: Scope, tokens: Tokens, at: int, read: Read) -> Misread:
    """Return the mistake of `exceeds baseline by more than 50 %`, with the factor that it means."""
    factor = Decimal(1)
    if isinstance(read.value, Quantity) and _is_share(read):
        factor += read.value.number.scaleb(-2)
    return scope.wrong(
        "GN111",
        f"`{scope.slice(tokens[at - 2], tokens[at])}` is not understood",
        scope.span(tokens[at - 2], tokens[at]),
        expected="one factor on the recorded baseline",
        hint=f"write for example `> {factor}x baseline`",
    )


def _of_what(scope: Scope, tokens: Tokens, verb: int, at: int) -> Misread:
    rising, falling = "`> 120 % of baseline`", "`< 80 % of baseline`"
    hint = f"write for example {rising}, or `rises above` and the level"
    if tokens[verb].low in _DOWN | _LESS:
        hint = f"write for example {falling}, or `drops below` and the level"
    elif tokens[verb].low in _EITHER:
        hint = f"write for example {rising} of what should be low, {falling} of what should be high"
    return scope.wrong(
        "GN111",
        f"`{scope.slice(tokens[verb], tokens[at])}` is a change, and of what is not said",
        scope.span(tokens[verb], tokens[at]),
        expected="a level, or a share of the recorded baseline",
        hint=hint,
    )
