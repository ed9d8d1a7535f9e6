"""One comparison of a line: its subject, its comparison, its value and what is said behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gonogo.errors import Diagnostic
from gonogo.plan.condition import Null, Op, Predicate, Quantifier, Recorded, Value, Window
from gonogo.plan.grammar_changes import check_change
from gonogo.plan.grammar_marks import skip
from gonogo.plan.grammar_subject import Subject, read_subject
from gonogo.plan.grammar_tails import Tail, read_tail, vague
from gonogo.plan.grammar_values import Misread, Read, Scope, check_pair, read_value
from gonogo.plan.grammar_windows import is_vague
from gonogo.plan.grammar_worse import read_factor, refuse_unmet, settle_worse, share_of_requests
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import MONEY_SIGNS, Quantity, is_time, unit_of
from gonogo.plan.words import (
    BASELINES,
    NEGATED,
    NEGATIONS,
    PREPOSITIONS,
    REASONS,
    STATES,
    is_plain_name,
)
from gonogo.source import Span

_ORDER = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN})
_TEXTUAL = frozenset({Op.CONTAINS, Op.LACKS, Op.MATCHES, Op.DIFFERS})
_NOUN = re.compile(r"[a-z][a-z-]{2,}")
_SHARE = re.compile(r"\b(rate|ratio|percent|percentage|share|usage|utili[sz]ation)\b")
_IN_SO_MUCH = re.compile(r"/\s?\d")  # `10 errors/5min` is no plain 10
_UNITS_OF_OTHERS = re.compile(
    r"[\u2030\u00b0%]|percentage points?\b|p\.?p\.?$|bps\b|basis points?\b"
)
_MAX_TAIL = 8
_EVERYWHERE = (
    ["in", "production"], ["in", "prod"], ["in", "staging"], ["in", "total"], ["immediately"],
    ["at", "any", "time"], ["at", "all", "times"], ["at", "any", "point"], ["at", "once"],
    ["of", "requests"], ["of", "all", "requests"], ["of", "the", "requests"], ["of", "traffic"],
    ["of", "calls"],
)  # fmt: skip
_ABOVE_WHAT = frozenset({"above", "below", "over", "under", "higher", "lower"})  # `normal`
_MONEY_OR_RATE = frozenset({*MONEY_SIGNS, "/"})
_PARTS = frozenset({"free", "available", "remaining", "left", "used"})  # `< 10 GB free`


@dataclass(slots=True)
class Segment:
    """What one piece of a line between `and`, `or` and commas says."""

    predicate: Predicate | None = None
    window: Window | None = None
    window_span: Token | None = None
    severity: str | None = None
    remarks: list[Diagnostic] = field(default_factory=list)
    only: str = ""  # what a piece without a comparison is: window, stat, action
    stat: str | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What the line around a piece gives to it."""

    metric: str | None = None  # from a label, a table row or a heading
    expectation: bool = False  # under `Expected:`


def strong_op(tokens: Tokens) -> int | None:
    """Return where the comparison of a piece stands; `for more than 5 minutes` is none."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")")
        if depth or token.kind is not Kind.OP or token.need not in {"number", "any"}:
            continue
        if at and tokens[at - 1].low in {"for", "sustained", "lasting"} and token.need == "number":
            continue
        if token.low == "over" and tokens[0].low in {"no", "zero"}:
            continue  # `zero errors over 15 minutes`
        return at
    return None


def read_compared(scope: Scope, tokens: Tokens, at: int, around: Around) -> Segment | None:
    """Read a piece whose comparison stands at `at`; None when it is not one after all."""
    mark = tokens[at]
    subject = share_of_requests(scope, tokens[:at], Op(mark.op)) or read_subject(scope, tokens[:at])
    if subject is None:
        return None
    op = Op(NEGATED.get(mark.op, mark.op) if subject.negated else mark.op)
    start = at + 1
    if tokens[start].low in NEGATIONS and mark.need != "number":
        op, start = Op(NEGATED[op.value]), start + 1
    version = (subject.metric or "").split(" ")[-1:] == ["version"]
    read = read_value(scope, tokens, start, op, version=version)
    if read is None:
        read = _other_value(scope, tokens, start, op)
    if read is None:
        return None
    check_change(scope, tokens, at, read)
    refuse_unmet(scope, tokens[:at], mark, subject, read)
    read = settle_worse(scope, tokens[start : read.end], subject, read)
    read = read_factor(scope, tokens, start, read)
    named = subject.metric or subject.stat or around.metric
    if mark.need == "weak" and not (named or subject.obliged or around.expectation):
        return None
    made = finish(scope, tokens, (subject, op, read), mark, around)
    said = next((token for token in tokens[:at] if is_vague(token)), None)
    if made is not None and said is not None and made.window is None and mark.need != "weak":
        made.remarks.append(vague(scope, said))
    return made


def _other_value(scope: Scope, tokens: Tokens, at: int, op: Op) -> Read | None:
    """Read a bare text behind `=`; refuse `<` without a number; None for a path, A > B."""
    token = tokens[at]
    if op in {Op.EQ, Op.NE} | _TEXTUAL and token.kind in {Kind.WORD, Kind.OTHER, Kind.STAT}:
        end = at + 1
        while (
            end - at < 4 and tokens[end].kind is Kind.WORD and tokens[end].low not in PREPOSITIONS
        ):
            end += 1
        return Read(scope.slice(token, tokens[end - 1]), end, explicit=False)
    if op is Op.GT or token.kind in {Kind.OP, Kind.ARROW}:
        return None
    if token.kind in {Kind.WORD, Kind.END}:
        said = f"`{token.text}`" if token.text else "nothing"
        raise scope.wrong(
            "GN101",
            f"{said} stands where the comparison needs a number",
            scope.span(token if token.text else tokens[at - 1]),
            expected="a number with its unit",
            hint="write the number that decides, such as `< 500 ms`",
        )
    return None


def finish(
    scope: Scope,
    tokens: Tokens,
    found: tuple[Subject, Op, Read],
    mark: Token,
    around: Around,
) -> Segment | None:
    """Read what stands behind the value, check everything, and make the predicate."""
    subject, op, read = found
    op = read.op if read.op is not None and (op is Op.EQ or read.op is not Op.GE) else op
    tail = read_tail(scope, tokens, read.end, read.value)
    if tail.op is not None:
        op = _both_ways(scope, op, tail.op, mark)
    if mark.need == "weak" and tail.words and not _is_reason(tail.words):
        return None
    metric, value = _metric(scope, subject, read.value, tail, around)
    stat = _one_stat(scope, subject, tail, mark)
    first = subject.first or mark
    last = tokens[read.end - 1]
    span = scope.span(first, last)
    _check(scope, op, value, span)
    tail.remarks += _fraction(scope, metric, value, span)
    predicate = Predicate(metric, stat, op, value, span, tail.quantifier)
    return Segment(predicate, tail.window, tail.window_at, tail.severity, tail.remarks, stat=stat)


_UPWARDS, _DOWNWARDS = frozenset({Op.GT, Op.GE}), frozenset({Op.LT, Op.LE})


def _both_ways(scope: Scope, before: Op, behind: Op, mark: Token) -> Op:
    """Return the comparison of `5 or more`; `may reach 2 % at most` is one, `> 5 at most` none."""
    if before is Op.EQ or (before is Op.GE and mark.low in {"reach", "reaches"}):
        return behind
    if (before in _UPWARDS and behind in _DOWNWARDS) or (
        before in _DOWNWARDS and behind in _UPWARDS
    ):
        raise scope.wrong(
            "GN105",
            f"`{mark.text}` in front of the value, and `{behind.value}` behind it",
            scope.span(mark),
            expected="one comparison for each value",
            hint="keep the one that is meant",
        )
    return before


def _fraction(scope: Scope, metric: str | None, value: Value, span: Span) -> list[Diagnostic]:
    """Remark on `error rate > 0.01`: it may be a fraction or a percentage."""
    if not isinstance(value, Quantity) or value.unit or not 0 < value.number < 1:
        return []
    if not _SHARE.search((metric or "").replace("_", " ")):
        return []
    percent = Quantity(value.number.scaleb(2), "%").say()
    return [
        scope.warning(
            "GN113",
            f"`{value.say()}` has no unit: a fraction is not a percentage",
            span,
            expected="a number with %, unless the source gives a fraction",
            hint=f"write `{percent}` if percent is meant",
        )
    ]


def _one_stat(scope: Scope, subject: Subject, tail: Tail, mark: Token) -> str | None:
    if subject.stat and tail.stat and subject.stat != tail.stat:
        raise scope.wrong(
            "GN105",
            f"two statistics for one number: `{subject.stat}` and `{tail.stat}`",
            scope.span(mark),
            expected="one statistic for each comparison",
            hint="write one comparison for each statistic",
        )
    return subject.stat or tail.stat


def _is_reason(words: Tokens) -> bool:
    return " ".join(word.low for word in words) in REASONS


def _metric(
    scope: Scope, subject: Subject, value: Value, tail: Tail, around: Around
) -> tuple[str | None, Value]:
    """Find the name: before the comparison, behind the value (`>= 99.9 % uptime`), or around."""
    name = subject.metric or around.metric
    words = tail.words
    if not words or _is_reason(words):
        return name, value
    said = scope.slice(words[0], words[-1])
    _refuse_rest(scope, words)
    if [word.low for word in words] in _EVERYWHERE:
        return name, value
    if name is None and words[0].low not in PREPOSITIONS:
        return _bounded(scope, said.lower(), words), value
    if words[0].low in PREPOSITIONS and name is not None and subject.metric is not None:
        return _bounded(scope, f"{name} {said.lower()}", words), value
    if said.lower() in _PARTS and name is not None:
        return (name if said.lower() in name.split(" ") else f"{name} {said.lower()}"), value
    counted = _counted(value, said.lower())
    if counted is not None:
        return name, counted
    if any(word.kind is Kind.NUMBER for word in words) or _IN_SO_MUCH.search(said):
        raise _left_over(scope, words)
    if isinstance(value, Quantity) and _UNITS_OF_OTHERS.match(said.lower()):
        raise scope.wrong(
            "GN102", f"`{said}` is no unit that is known", scope.span(words[0], words[-1]),
            expected="a unit such as ms, s, min, MB, GiB or %",
            hint="leave it out, or name the unit in the metric",
        )  # fmt: skip
    tail.remarks.append(
        scope.warning(
            "GN115",
            f"`{said}` is left out of the condition",
            scope.span(words[0], words[-1]),
            hint="put words that belong to the name in front of the comparison",
        )
    )
    return name, value


def _refuse_rest(scope: Scope, words: Tokens) -> None:
    """Refuse words behind a value that change what it says: a second number, `/h`, buckets."""
    first = words[0]
    rate = first.low == "per" and len(words) > 1 and is_time(unit_of(words[1].text))
    told = any(word.kind is Kind.NUMBER or word.low in {"bucket", "buckets"} for word in words)
    told = told or any(word.low in BASELINES for word in words)
    rate = rate or first.text in _MONEY_OR_RATE or first.low in _ABOVE_WHAT
    if rate or (first.low in PREPOSITIONS and told):
        raise _left_over(scope, words)


def _counted(value: Value, noun: str) -> Value | None:
    """Give bare numbers the thing that they count: `< 1000 jobs`, `between 3 and 4 rows`."""
    if not _NOUN.fullmatch(noun) or not is_plain_name(noun):
        return None
    if isinstance(value, Quantity) and not value.unit:
        return Quantity(value.number, noun)
    if isinstance(value, tuple) and not any(part.unit for part in value):
        return tuple(Quantity(part.number, noun) for part in value)
    return None


def _bounded(scope: Scope, name: str, words: Tokens) -> str:
    if len(name.split(" ")) > _MAX_TAIL + 4:
        raise _left_over(scope, words)
    return name


def _left_over(scope: Scope, words: Tokens) -> Misread:
    said = scope.slice(words[0], words[-1])
    short = said if len(said) <= 60 else said[:57] + "..."
    return scope.wrong(
        "GN114",
        f"`{short}` behind the value is not understood",
        scope.span(words[0], words[-1]),
        expected="a statistic, a window (`for 2 buckets`) or the end of the condition",
        hint="write a second condition in a line of its own",
    )


def _check(scope: Scope, op: Op, value: Value, span: Span) -> None:
    """Refuse a comparison that its value cannot have."""
    if isinstance(value, tuple) and op is Op.BETWEEN:
        check_pair(scope, value, span)
    elif op in _ORDER and isinstance(value, str | bool | Null):
        raise scope.wrong(
            "GN109",
            f"`{op.value}` needs a number and got a text",
            span,
            expected="a number with its unit",
            hint="texts take `=`, `!=`, `contains` or `matches`",
        )
    elif op is Op.BETWEEN or (isinstance(value, tuple) and op is not Op.IN):
        raise scope.wrong(
            "GN109",
            f"`{op.value}` cannot be used with this value",
            span,
            expected="two ends of a range behind `between`, one value behind anything else",
            hint="write `between 3 and 4`, or one number",
        )
    elif op in _TEXTUAL:
        _check_text(scope, op, value, span)


def _check_text(scope: Scope, op: Op, value: Value, span: Span) -> None:
    if isinstance(value, Recorded) and op in {Op.CONTAINS, Op.LACKS}:
        return
    if not isinstance(value, str):
        raise scope.wrong(
            "GN109",
            f"`{op.value}` needs a text",
            span,
            expected="a text in quotation marks",
            hint='write `contains "404"`',
        )
    if op in {Op.MATCHES, Op.DIFFERS}:
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise scope.wrong(
                "GN116", f"the regular expression cannot be read: {error}", span,
                expected="a regular expression between slashes", hint=r"such as `/ready \d+/`",
            ) from None  # fmt: skip


def state_value(tokens: Tokens, at: int) -> tuple[str | None, bool, int]:
    """Read a state such as `running`, `not ready`; return it, whether it is denied, and the end."""
    denied = False
    at = skip(tokens, at, frozenset({"all", "still", "both", "now", "fully", "currently"}))
    if tokens[at].low in NEGATIONS:
        denied, at = True, at + 1
    token = tokens[at]
    if token.kind is Kind.WORD and token.low in STATES:
        return token.text, denied, at + 1
    return None, denied, at


def made_predicate(
    scope: Scope, tokens: Tokens, metric: str | None, read: Read, op: Op = Op.EQ
) -> Segment | None:
    """Finish a predicate whose name is known."""
    subject = Subject(metric, None, negated=False, obliged=True, first=tokens[0])
    return finish(scope, tokens, (subject, op, read), tokens[0], Around())


def in_every(predicate: Predicate) -> Predicate:
    """Return the predicate, said of every row."""
    return Predicate(
        predicate.metric, predicate.stat, predicate.op, predicate.value, predicate.span,
        Quantifier.EVERY,
    )  # fmt: skip
