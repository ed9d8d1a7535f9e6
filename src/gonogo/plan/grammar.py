"""Conditions in the words of real runbooks, read into typed values; pure, linear, never a guess.

A text gives a condition, or diagnostics, or neither when it states no threshold at all. Whatever
looks like a threshold and was not understood is marked (`Reading.smells`), so that no caller can
take it for a remark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from gonogo.errors import Diagnostic
from gonogo.plan.condition import Condition, Join, Predicate, Window
from gonogo.plan.grammar_lines import Line, read_line
from gonogo.plan.grammar_marks import mark, starts_number
from gonogo.plan.grammar_severity import lead_head
from gonogo.plan.grammar_values import Misread, Scope, read_quantity
from gonogo.plan.grammar_windows import read_window
from gonogo.plan.lexer import Cleaned, Kind, Tokens, clean, clean_with_places, lex
from gonogo.plan.units import Dimension, Quantity
from gonogo.plan.words import SEVERITIES, bag
from gonogo.source import Span

_MAX_TEXT = 2_000  # a longer text is prose or an attack, not a condition
_SYMBOLS = frozenset({"<", ">", "<=", ">=", "=<", "<>"})


@dataclass(frozen=True, slots=True)
class Lead:
    """What a lead-in sentence or a heading gives to the list below it."""

    quantifier: Join | None = None
    window: Window | None = None
    metric: str | None = None
    severity: str | None = None
    within_s: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: a condition, mistakes and remarks, and whether a threshold hides in it."""

    condition: Condition | None
    diagnostics: tuple[Diagnostic, ...]
    smells: bool


def read(text: str, at: Span, *, lead: Lead | None = None) -> Reading:
    """Read the inline text of a list item, cell or directive; `at` is where the text begins.

    With an error among the diagnostics there is no condition, and `smells` is true.
    """
    lead = lead or Lead()
    cleaned = clean_with_places(text)
    scope = Scope(cleaned.text, cleaned.places, at)
    tokens = mark(lex(cleaned.text))
    if len(cleaned.text) > _MAX_TEXT:
        return _too_long(scope, tokens)
    try:
        line = read_line(scope, tokens, (lead.metric or "").lower() or None, lead.quantifier)
        if line is None:
            remark = _bare_value(scope, tokens)
            return Reading(None, remark, smells=bool(remark) or _smells(tokens))
        return _reading(scope, cleaned, line, lead)
    except Misread as misread:
        return Reading(None, (misread.diagnostic,), smells=True)


def _reading(scope: Scope, cleaned: Cleaned, line: Line, lead: Lead) -> Reading:
    predicates = tuple(_scoped(predicate, lead) for predicate in line.predicates)
    condition = Condition(
        join=line.join if len(predicates) > 1 else Join.ALL,
        predicates=predicates,
        window=line.window or lead.window,
        severity=line.severity or lead.severity,
        within_s=line.within_s if line.severity else lead.within_s,
        text=cleaned.text,
        span=scope.between(0, len(cleaned.text)),
    )
    return Reading(condition, tuple(line.remarks), smells=False)


def _scoped(predicate: Predicate, lead: Lead) -> Predicate:
    if predicate.metric is None and lead.metric:
        return replace(predicate, metric=lead.metric.lower())
    return predicate


def _too_long(scope: Scope, tokens: Tokens) -> Reading:
    if not _smells(tokens):
        return Reading(None, (), smells=False)
    place = next(t for at, t in enumerate(tokens) if _is_threshold(tokens, at))
    remark = Diagnostic(
        "GN120", f"a text of {len(scope.text)} characters is too long for a condition",
        scope.span(place), expected=f"at most {_MAX_TEXT} characters",
        hint="put the condition into a list item of its own",
    )  # fmt: skip
    return Reading(None, (remark,), smells=True)


def _is_threshold(tokens: Tokens, at: int) -> bool:
    token = tokens[at]
    return (
        token.kind is Kind.OP
        and token.op not in {"=", "in"}
        and (token.need == "number" or token.text in _SYMBOLS)
        and starts_number(tokens, at + 1)
    )


def _smells(tokens: Tokens) -> bool:
    """Tell whether a comparison with a number stands in a text that was not understood."""
    for at, token in enumerate(tokens):
        if _is_threshold(tokens, at):
            before = tokens[at - 1].low if at else ""
            first = tokens[0].low
            if token.need == "number" and (
                before in {"for", "wait"} or first in {"wait", "sleep", "pause", "allow"}
            ):
                continue
            return True
    return False


def _bare_value(scope: Scope, tokens: Tokens) -> tuple[Diagnostic, ...]:
    """Remark on a percentage or money that stands alone: its comparison may have been lost."""
    quantity, end = read_quantity(scope, tokens, 0)
    if quantity is None or tokens[end].kind is not Kind.END or not _decides(quantity):
        return ()
    said = quantity.say()
    return (
        Diagnostic(
            "GN104", f"`{said}` has no comparison", scope.span(tokens[0], tokens[end - 1]),
            expected="a comparison in front of the number",
            hint=f"write `>= {said}`, `<= {said}` or `= {said}`",
        ),
    )  # fmt: skip


def _decides(quantity: Quantity) -> bool:
    """Tell a share or a rate, which nobody writes alone, from a time or a plain number."""
    return quantity.unit == "%" or quantity.dimension is Dimension.RATE


def not_a_condition(text: str, at: Span) -> Diagnostic:
    """Return the diagnostic for a text that had to be a condition and states none."""
    short = clean(text)[:60]
    return Diagnostic(
        "GN100", f"`{short}` states no condition", at,
        expected="a name, a comparison and a value, such as `error rate < 1 %`",
        hint="see the table of forms in the page about conditions",
    )  # fmt: skip


_ANY = frozenset({"any", "either", "one"})
_ALL = frozenset({"all", "every", "each", "both"})
_TREND = bag("high low elevated increased excessive decreased rising poor slow degraded reduced")
_MEASURES = bag(
    "rate rates time times latency usage utilization utilisation count depth lag size ratio "
    "throughput duration uptime load errors failures availability length"
)
_SEVERITY_NOUNS = bag(
    "alert alerts alarm alarms threshold thresholds condition conditions trigger triggers "
    "severity level if when"
)


def read_lead(text: str, at: Span) -> Lead | None:
    """Read what a lead-in sentence or heading says for its list; None when it says nothing."""
    cleaned = clean_with_places(text)
    if len(cleaned.text) > _MAX_TEXT:
        return None
    scope = Scope(cleaned.text, cleaned.places, at)
    tokens = mark(lex(cleaned.text))
    head = lead_head(tokens)
    lead = Lead(
        quantifier=_quantifier(tokens),
        window=_lead_window(scope, tokens),
        metric=_lead_metric(tokens),
        severity=head.severity if head else _lead_severity(tokens),
        within_s=head.within_s if head else None,
    )
    return None if lead == Lead() else lead


def _quantifier(tokens: Tokens) -> Join | None:
    for at, token in enumerate(tokens):
        behind = tokens[at + 1].low if at + 1 < len(tokens) else ""
        points = behind in {"of", "these", "following", "the", ":", "", "condition", "criteria"}
        points = points or behind in {"conditions", "trigger", "criterion", "apply", "applies"}
        if token.kind is Kind.WORD and points:
            if token.low in _ANY and (token.low != "one" or behind in {"of", "or"}):
                return Join.ANY
            if token.low in _ALL:
                return Join.ALL
    return None


def _lead_window(scope: Scope, tokens: Tokens) -> Window | None:
    for at in range(len(tokens) - 1):
        try:
            found = read_window(scope, tokens, at)
        except Misread:
            return None
        if found is not None and tokens[at].low not in {"in", "during"}:
            return found[0]
    return None


def _lead_metric(tokens: Tokens) -> str | None:
    words = [token for token in tokens if token.kind is not Kind.END]
    while words and (words[-1].text == ":" or words[0].kind is Kind.NUMBER or words[0].text == "."):
        words = words[:-1] if words[-1].text == ":" else words[1:]
    if not 1 <= len(words) <= 5 or any(word.kind is not Kind.WORD for word in words):
        return None
    trend = words[0].low in _TREND
    name = words[1:] if trend else words
    if not name or not (trend or name[-1].low in _MEASURES) or name[-1].low not in _MEASURES:
        return None
    if len(name) == 1 and not trend and name[0].low in {"load", "time", "times", "count", "size"}:
        return None
    return " ".join(word.low for word in name)


def _lead_severity(tokens: Tokens) -> str | None:
    first, second = tokens[0], tokens[min(1, len(tokens) - 1)]
    severity = SEVERITIES.get(first.low)
    if severity is None or severity in {"high", "low", "medium", "red", "yellow"}:
        return None
    ends = second.kind is Kind.END or second.text in {":", "-", "("}
    return severity if ends or second.low in _SEVERITY_NOUNS else None
