"""Conditions without a comparison sign: `no errors in logs`, `all pods Running`, `returns 404`."""

from __future__ import annotations

from decimal import Decimal

from gonogo.plan.condition import Null, Op, Predicate
from gonogo.plan.grammar_predicates import (
    Around,
    Segment,
    finish,
    in_every,
    made_predicate,
    state_value,
)
from gonogo.plan.grammar_status import read_end, read_status
from gonogo.plan.grammar_subject import Subject, name_of, read_subject, strip_verbs
from gonogo.plan.grammar_tails import read_tail
from gonogo.plan.grammar_values import Read, Scope, read_value
from gonogo.plan.grammar_windows import is_vague, read_window
from gonogo.plan.lexer import Kind, Tokens
from gonogo.plan.units import Dimension, Quantity
from gonogo.plan.words import (
    ACTION_VERBS,
    BAD_STATES,
    FILLERS_BEFORE_OP,
    NEEDED,
    NEGATED,
    NOT_ZERO,
    PREPOSITIONS,
    SIZE_NOUNS,
    bag,
)

_LISTS = bag("return returns list lists show shows see contain contains have has be")


def read_form(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read a piece that has no comparison sign; None when it is no condition."""
    if not tokens or tokens[0].kind is Kind.END:
        return None
    forms = (_zero, read_status, _stated, _all, _version, _sized, _between, _lasting, _listed)
    for form in (read_end, *forms):
        found = form(scope, tokens, around)
        if found is not None:
            return found
    return None


def _zero(scope: Scope, tokens: Tokens, _: Around) -> Segment | None:
    """Read `no errors in logs`, `zero downtime`, `0 critical bugs`, `starts without errors`."""
    at = strip_verbs(tokens)
    lead = _zero_word(tokens, at)
    before: Tokens = Tokens()
    if not lead:
        found = _inner_zero(tokens, at)
        if found is None:
            return None
        before, at, lead = found
    start = at + lead
    end = start
    unit = ""
    if tokens[start].text == "%":
        unit, start, end = "%", start + 1, start + 1
    while tokens[end].kind in {Kind.WORD, Kind.NUMBER, Kind.JOIN, Kind.STRING, Kind.CLASS} or (
        tokens[end].text in {"+", "-", "/"} and tokens[end].kind is Kind.SIGN
    ):
        if read_window(scope, tokens, end) is not None or is_vague(tokens[end]):
            break
        end += 1
    words = tokens[start:end]
    if not words or len(words) > 12 or not _is_thing(words):
        return None
    if words[-2:] and [w.low for w in words[-2:]] == ["in", "place"]:
        words = words[:-2]
    if not words:
        return None
    metric = name_of(Tokens([*before, *words]))
    tail = read_tail(scope, tokens, end, Quantity(Decimal(0)))
    span = scope.span(before[0] if before else tokens[at], words[-1])
    predicate = Predicate(metric, None, Op.EQ, Quantity(Decimal(0), unit), span, tail.quantifier)
    return Segment(predicate, tail.window, tail.window_at, tail.severity, tail.remarks)


def _zero_word(tokens: Tokens, at: int) -> int:
    """Return how many tokens say "none" at this place."""
    token = tokens[at]
    if token.kind is Kind.WORD and token.low in {"no", "zero", "without"}:
        return 1
    if token.kind is Kind.WORD and token.low == "with" and tokens[at + 1].low in {"no", "zero"}:
        return 2
    if token.kind is Kind.NUMBER and token.number == 0:
        following = tokens[at + 1]
        return int((following.kind is Kind.WORD and not following.glued) or following.text == "%")
    return 0


def _inner_zero(tokens: Tokens, at: int) -> tuple[Tokens, int, int] | None:
    """Find `without errors`, `has no errors` behind a name; return name, place and length."""
    if tokens[at].low in ACTION_VERBS and tokens[at].low not in {"start", "deploy", "test"}:
        return None
    shows = FILLERS_BEFORE_OP | {"shows", "show", "reports", "report", "contains", "reads"}
    for place in range(at + 1, min(len(tokens) - 1, at + 9)):
        lead = _zero_word(tokens, place)
        if not lead:
            continue
        said = tokens[place].low
        if said in {"without", "with"} or tokens[place - 1].low in shows - {"in", "to", "by", "at"}:
            before = tokens[at:place]
            while before and before[-1].low in shows:
                before = before[:-1]
            return (before, place, lead) if before else None
    return None


def _is_thing(words: Tokens) -> bool:
    """Tell a thing that can be counted from a phrase such as `no action needed`."""
    if words[0].low in NOT_ZERO or words[-1].low in NEEDED or words[0].low in PREPOSITIONS:
        return False
    if len(words) > 1 and words[1].low in {"can", "may", "must", "should", "will"}:
        return False
    return any(word.kind is Kind.WORD and len(word.text) > 1 for word in words)


def _stated(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `has_unique_index is true`, `table x exists`, `pods are all running`."""
    for at, token in enumerate(tokens):
        if token.kind is not Kind.OP or token.need not in {"weak", "none"} or not at:
            continue
        subject = read_subject(scope, tokens[:at])
        bracket = any(word.text == "(" for word in tokens[:at])
        if subject is None or subject.metric is None or bracket:
            return None
        every, name = False, subject.metric
        if subject.first is not None and subject.first.kind is not Kind.STRING:
            every, name = _without_all(name)
        if token.need == "none" and not _ends(tokens, at + 1):
            return None
        if token.need == "none":
            op = Op(NEGATED[token.op] if subject.negated else token.op)
            made = finish(
                scope, tokens, (_named(subject, name), op, Read(Null(), at + 1)), token, around
            )
        else:
            state, denied, end = state_value(tokens, at + 1)
            if state is None or not _ends(tokens, end):
                return None
            op = Op.NE if denied ^ subject.negated else Op.EQ
            every = every or any(word.low in {"all", "both"} for word in tokens[at + 1 : end])
            made = finish(
                scope, tokens, (_named(subject, name), op, Read(state, end)), token, around
            )
        if made is not None and made.predicate is not None and every:
            made.predicate = in_every(made.predicate)
        return made
    return None


_PLACES = bag("in on across for at after during when under within over sustained")


def _ends(tokens: Tokens, at: int) -> bool:
    """Tell whether a claim ends here, or goes on with a place, a time or brackets."""
    return tokens[at].kind is not Kind.WORD or tokens[at].low in _PLACES


def _named(subject: Subject, name: str) -> Subject:
    return Subject(name, subject.stat, negated=False, obliged=subject.obliged, first=subject.first)


def _without_all(name: str) -> tuple[bool, str]:
    words = name.split(" ")
    start = 0
    while start < len(words) - 1 and words[start] in {"all", "every", "each", "both"}:
        start += 1
    return start > 0, " ".join(words[start:])


def _all(scope: Scope, tokens: Tokens, _: Around) -> Segment | None:
    """Read `all pods Running`, `all health checks pass`."""
    at = strip_verbs(tokens)
    if tokens[at].low not in {"all", "every", "each", "both"} or tokens[at].kind is not Kind.WORD:
        return None
    start = at + 1
    while tokens[start].low in {"of", "the", "our"}:
        start += 1
    for place in range(start + 1, min(len(tokens), start + 8)):
        state, denied, end = state_value(tokens, place)
        if state is not None and _ends(tokens, end):
            name = name_of(tokens[start:place])
            made = made_predicate(scope, tokens, name, Read(state, end), Op.NE if denied else Op.EQ)
            if made is not None and made.predicate is not None:
                made.predicate = in_every(made.predicate)
            return made
    return None


_NEWER = frozenset({"newer", "later", "higher"})
_INSTALLS = bag("install deploy use upgrade to running minimum")


def _version(scope: Scope, tokens: Tokens, _: Around) -> Segment | None:
    """Read `Docker 24.0+`, `PostgreSQL 15 or newer`, `Redis version 7+`."""
    for at, token in enumerate(tokens[:-1]):
        if not at or token.kind not in {Kind.NUMBER, Kind.VERSION} or not _is_least(tokens, at):
            continue
        name = _product(tokens[:at])
        read = read_value(scope, tokens, at, Op.GE, version=True)
        if name is None or read is None or read.end - at > 2:
            return None
        behind = tokens[at + 1]
        end = at + 2 + (tokens[at + 2].text == ")")
        return made_predicate(scope, tokens, name, Read(read.value, end), Op(behind.op or ">="))
    return None


def _is_least(tokens: Tokens, at: int) -> bool:
    """Tell whether `+` or `or newer` stands behind a number, and nothing that it would count."""
    token, behind, third = tokens[at], tokens[at + 1], tokens[min(at + 2, len(tokens) - 1)]
    if behind.kind is Kind.AFTER:
        return behind.low.split(" ")[-1] in _NEWER or token.kind is Kind.VERSION
    if behind.text != "+" or not behind.glued or third.kind is Kind.NUMBER:
        return False
    return third.kind is not Kind.WORD or (not third.glued and third.low in PREPOSITIONS)


def _product(tokens: Tokens) -> str | None:
    """Return `docker version` for the words in front of a version; None when they are no name."""
    words = Tokens(word for word in tokens if word.text not in {"(", ":"})
    start = strip_verbs(words)
    while start < len(words) and words[start].low in _INSTALLS:
        start += 1
    words = words[start:]
    if not 1 <= len(words) <= 5 or any(word.kind is not Kind.WORD for word in words):
        return None
    name = name_of(words)
    if name.split(" ")[-1] in _COUNTED:
        return None  # `Queue depth 500+` is no release
    return name if name.endswith("version") else f"{name} version"


_COUNTED = bag("depth count length size rate errors failures users requests jobs rows items lag")


def _counts(subject: Subject) -> bool:
    return (subject.metric or "").split(" ")[-1] in _COUNTED


def _sized(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `8 GB RAM minimum`, `16+ GB RAM`, `error rate of 5 % or more`."""
    marks = [at for at, token in enumerate(tokens) if token.kind is Kind.AFTER]
    at = next((n for n, token in enumerate(tokens) if token.kind is Kind.NUMBER), -1)
    plus = at >= 0 and tokens[at + 1].text == "+" and tokens[at + 1].glued
    subject = read_subject(scope, tokens[:at]) if at >= 0 and (marks or plus) else None
    read = read_value(scope, tokens, at, Op.EQ) if subject is not None else None
    if subject is None or read is None:
        return None
    behind = tokens[read.end]
    if not marks:
        sized = isinstance(read.value, Quantity) and read.value.dimension is Dimension.SIZE
        sized = sized or behind.low in SIZE_NOUNS or _counts(subject)
        return finish(scope, tokens, (subject, Op.GE, read), tokens[0], around) if sized else None
    nameless = subject.metric is None and around.metric is None
    if nameless and behind.kind is Kind.AFTER and tokens[read.end + 1].kind is not Kind.WORD:
        return None
    return finish(scope, tokens, (subject, Op(tokens[marks[0]].op), read), tokens[0], around)


def _between(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `3-4 queries per request`; a bare `2-3 minutes` is an estimate, not a condition."""
    at = next((n for n, token in enumerate(tokens) if token.kind is Kind.NUMBER), -1)
    if at < 0 or tokens[at + 1].text != "-" or tokens[at + 2].kind is not Kind.NUMBER:
        return None
    read = read_value(scope, tokens, at, Op.EQ)
    if read is None or not isinstance(read.value, tuple) or read.op is not Op.BETWEEN:
        return None
    if read.value[0].dimension is Dimension.TIME:
        return None
    subject = read_subject(scope, tokens[:at])
    per = any(token.low == "per" for token in tokens[read.end - 1 : read.end + 3])
    counted = read.value[0].unit.startswith("per ")
    if subject is None or not (per or counted):
        return None
    if subject.metric is None and around.metric is None and counted:
        return None
    return finish(scope, tokens, (subject, Op.EQ, read), tokens[0], around)


def _lasting(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `service down for 2+ consecutive minutes`: a bad state and how long it lasts."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.WORD and token.low in BAD_STATES and at:
            found = read_window(scope, tokens, at + 1)
            subject = read_subject(scope, tokens[:at])
            if found is None or subject is None or subject.metric is None:
                return None
            return finish(scope, tokens, (subject, Op.EQ, Read(token.text, at + 1)), token, around)
    return None


def _listed(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read `should list 7 policies`, `returns 3 rows`, a text in quotation marks by itself."""
    at = strip_verbs(tokens)
    first = tokens[at]
    if first.kind is Kind.STRING and tokens[at + 1].kind is Kind.END and at in {0, 1}:
        return made_predicate(scope, tokens, "output", Read(first.body, at + 1), Op.CONTAINS)
    obliged = any(token.low in {"should", "must", "expected", "expect"} for token in tokens[:at])
    obliged = obliged or around.expectation
    verb = first.low in _LISTS
    at += verb
    if tokens[at].low == "exactly":
        at += 1
    if tokens[at].kind is not Kind.NUMBER or tokens[at].number == 0:
        return None
    words = tokens[at + 1 : -1]
    rows = len(words) == 1 and words[0].low in {"row", "rows"}
    if not (rows and (verb or obliged)) and not (obliged and verb):
        return None
    if not 1 <= len(words) <= 4 or any(word.kind is not Kind.WORD or word.glued for word in words):
        return None
    name = "rows" if rows else name_of(words)
    return made_predicate(
        scope,
        Tokens([*tokens[: at + 1], tokens[-1]]),
        name,
        Read(Quantity(tokens[at].number), at + 1),
    )
