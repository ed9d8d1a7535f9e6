"""What stands behind a comparison: numbers with units, texts, ranges, versions, baselines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from gonogo.errors import Diagnostic, Severity
from gonogo.plan.condition import Null, Op, Recorded, Relative, Value, Version
from gonogo.plan.grammar_marks import is_placeholder, skip
from gonogo.plan.grammar_recorded import recorded_name
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import (
    MONEY_SIGNS,
    UNITS,
    Quantity,
    comparable,
    is_time,
    nearest_unit,
    rate_of,
    unit_of,
)
from gonogo.plan.words import BASELINES, PREPOSITIONS, bag
from gonogo.source import Span

_TOWARDS = bag("of the our than times recorded previous pre-deploy pre-deployment its")
_UP = frozenset({"above", "over", "higher", "more", "worse", "greater", "slower"})
_DOWN = frozenset({"below", "under", "lower", "less", "fewer", "faster"})
_NOT_UNITS = bag("cpu cpus req reqs row rows pod pods job jobs log logs vms bug bugs")
_NOT_NEAR = bag(
    "times item items points checks users tests more hosts events nodes steps hits words "
    "records hooks seats threads needs ways other posts"
)


class Misread(Exception):  # noqa: N818 - never leaves the grammar
    """A text that looks like a condition and cannot be understood; carries its diagnostic."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        """Carry the diagnostic to the reader of the line."""
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Scope:
    """The cleaned text, where it stands in the source, and where its characters came from."""

    text: str
    places: tuple[int, ...]
    at: Span

    def span(self, first: Token, last: Token | None = None) -> Span:
        """Return the place of tokens in the source."""
        return self.between(first.start, (last or first).end)

    def between(self, start: int, end: int) -> Span:
        """Return the place of a piece of the cleaned text in the source."""
        begin = self.places[min(start, len(self.places) - 1)]
        last = self.places[min(max(end - 1, start), len(self.places) - 1)] + 1
        return Span.of_line(self.at.line, self.at.column + begin, last - begin)

    def slice(self, first: Token, last: Token) -> str:
        """Return the words from one token to another."""
        return self.text[first.start : last.end]

    def wrong(self, code: str, message: str, span: Span, **more: str) -> Misread:
        """Return a mistake, ready to raise."""
        return Misread(Diagnostic(code, message, span, **more))  # type: ignore[arg-type]

    def warning(self, code: str, message: str, span: Span, **more: str) -> Diagnostic:
        """Return a remark that does not refuse the condition."""
        return Diagnostic(code, message, span, severity=Severity.WARNING, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Read:
    """A value, the place behind it, and how it changes the comparison."""

    value: Value
    end: int
    op: Op | None = None  # `5+` and `20 % below baseline` turn the comparison
    explicit: bool = True  # false for bare words


def read_value(
    scope: Scope, tokens: Tokens, at: int, op: Op, *, version: bool = False
) -> Read | None:
    """Read the value that begins at `at`; None when there is none."""
    at = skip(tokens, at)
    token = tokens[at]
    if token.kind in {Kind.STRING, Kind.REGEX}:
        return Read(token.body, at + 1)
    if token.kind is Kind.VERSION:
        end = at + 2 if tokens[at + 1].text == "+" else at + 1
        return Read(Version(token.text.lstrip("vV")), end, Op.GE if end == at + 2 else None)
    if token.kind is Kind.CLASS:
        low = Decimal(int(token.text[0]) * 100)
        turned = {Op.EQ: Op.BETWEEN}.get(op)
        return Read((Quantity(low), Quantity(low + 99)), at + 1, turned) if turned else None
    if token.kind is Kind.WORD:
        kept = recorded_name(tokens, at)
        found = Read(Recorded(kept[0]), kept[1]) if kept else _word_value(tokens, at)
        if found is not None:
            return found
    if version and token.kind is Kind.NUMBER:
        return _version(tokens, at)
    if is_placeholder(tokens, at):
        last = tokens[min(at + 2, len(tokens) - 2)] if token.kind is Kind.SIGN else token
        said = scope.slice(token, last)
        raise scope.wrong(
            "GN112", f"the value is still a placeholder: `{said}`", scope.span(token),
            expected="a number with its unit", hint="write the number that decides, such as `1 %`",
        )  # fmt: skip
    return _number_value(scope, tokens, at, op)


def _word_value(tokens: Tokens, at: int) -> Read | None:
    if tokens[at].low == "recorded" and tokens[at + 1].low in BASELINES:
        at += 1
    match tokens[at].low:
        case "true" | "false":
            return Read(tokens[at].low == "true", at + 1)
        case "null" | "nil":
            return Read(Null(), at + 1)
        case word if word in BASELINES:
            return Read(Relative(Decimal(1)), at + 1)
        case _:
            return None


def _version(tokens: Tokens, at: int) -> Read:
    plus = tokens[at + 1].text == "+"
    return Read(Version(tokens[at].text), at + 1 + plus, Op.GE if plus else None)


def _number_value(scope: Scope, tokens: Tokens, at: int, op: Op) -> Read | None:
    start = at
    first, at = read_quantity(scope, tokens, at)
    if first is None:
        return None
    turned: Op | None = None
    if tokens[at].text == "+" and tokens[at].glued:
        turned, at = Op.GE, at + 1
        if not first.unit:
            unit, at = read_unit(scope, tokens, at)
            first = Quantity(first.number, unit)
    if first.unit in {"x", "%"}:
        relative = _baseline(scope, tokens, at, op, first)
        if relative is not None:
            return relative
    if first.unit == "x":
        raise scope.wrong(
            "GN111", f"`{first.say()}` of what is not said",
            scope.span(tokens[start], tokens[at - 1]),
            expected="a factor on a recorded baseline",
            hint=f"write `{first.number}x baseline`, or `{first.number}`",
        )  # fmt: skip
    if (
        op in {Op.EQ, Op.IN, Op.NE}
        and tokens[at].text == "/"
        and tokens[at + 1].kind is Kind.NUMBER
    ):
        return _listed(tokens, at, first)
    if tokens[at].text == "-" and op in {Op.LT, Op.LE, Op.GT, Op.GE}:
        return _not_dashed(scope, tokens, at, op, first)
    pair = _pair(scope, tokens, at, first)
    if pair is not None:
        return pair
    return Read(first, at, turned)


def _not_dashed(scope: Scope, tokens: Tokens, at: int, op: Op, first: Quantity) -> Read:
    """Leave a dash behind `> 1.2s` to what follows it; `< 3-5 s` is neither limit nor range."""
    pair = _pair(scope, tokens, at, first) if tokens[at].glued else None
    if pair is None:
        return Read(first, at)
    raise scope.wrong(
        "GN105", f"`{op.value}` stands in front of a range", scope.span(tokens[at - 1], tokens[at]),
        expected="one limit, or a range alone",
        hint=f"write `{op.value} {first.say()}`, or `between … and …`",
    )  # fmt: skip


def _listed(tokens: Tokens, at: int, first: Quantity) -> Read:
    """Read the rest of `301/302`."""
    found = [first]
    while tokens[at].text == "/" and tokens[at + 1].kind is Kind.NUMBER:
        found.append(Quantity(tokens[at + 1].number))
        at += 2
    return Read(tuple(found), at, Op.IN)


def _pair(scope: Scope, tokens: Tokens, at: int, first: Quantity) -> Read | None:
    """Read the rest of `3-4`, `3 to 4`, `between 3 and 4`."""
    token = tokens[at]
    joined = token.low in {"to", "and"} and token.kind is Kind.WORD
    dashed = token.text == "-" and tokens[at + 1].glued == token.glued
    if not (joined or dashed) or tokens[at + 1].kind not in {Kind.NUMBER, Kind.SIGN}:
        return None
    second, end = read_quantity(scope, tokens, at + 1)
    if second is None:
        return None
    if not first.unit:
        first = Quantity(first.number, second.unit)
    elif not second.unit:
        second = Quantity(second.number, first.unit)
    return Read((first, second), end, Op.BETWEEN)


def check_pair(scope: Scope, pair: tuple[Quantity, ...], span: Span) -> None:
    """Refuse a range whose ends cannot be compared or stand the wrong way round."""
    low, high = pair[0], pair[-1]
    said = f"`{low.say()}` to `{high.say()}`"
    if not comparable(low, high):
        raise scope.wrong(
            "GN107", f"the two ends of the range have different units: {said}", span,
            expected="one unit for both ends", hint="write both ends in the same unit",
        )  # fmt: skip
    if low.si > high.si:
        raise scope.wrong(
            "GN108", f"the range is empty: {said}", span,
            expected="the smaller number first",
            hint=f"write `between {high.say()} and {low.say()}`",
        )  # fmt: skip


def read_quantity(scope: Scope, tokens: Tokens, at: int) -> tuple[Quantity | None, int]:
    """Read sign, money sign, number and unit; (None, at) when there is no number."""
    start, minus, money = at, False, ""
    if tokens[at].text == "~":
        at += 1
    if tokens[at].kind is Kind.SIGN and tokens[at].text in "-+" and tokens[at + 1].glued:
        minus, at = tokens[at].text == "-", at + 1
    if tokens[at].kind is Kind.SIGN and tokens[at].text in MONEY_SIGNS:
        money, at = tokens[at].text, at + 1
    token = tokens[at]
    if token.kind is Kind.BAD_NUMBER:
        raise scope.wrong(
            "GN103", f"`{token.text}` can be read in two ways", scope.span(token),
            expected="a point before decimals, commas only between thousands",
            hint=f"write `{token.text.replace(',', '.', 1).replace('_', '')}`, or no comma at all",
        )  # fmt: skip
    if token.kind is not Kind.NUMBER:
        return None, start
    number = -token.number if minus else token.number
    if money:
        return Quantity(number, money), at + 1
    if tokens[at + 1].glued and tokens[at + 1].text == "k":
        return Quantity(number * 1000), at + 2
    unit, end = read_unit(scope, tokens, at + 1)
    return Quantity(number, unit), end


def read_unit(scope: Scope, tokens: Tokens, at: int) -> tuple[str, int]:
    """Read the unit behind a number; ("", at) when there is none."""
    token = tokens[at]
    if token.text == "%" and token.kind is Kind.SIGN:
        return "%", at + 1
    if token.text == "/" and token.glued and is_time(unit_of(tokens[at + 1].text)):
        return f"/{unit_of(tokens[at + 1].text)}", at + 2
    if token.kind is not Kind.WORD:
        return "", at
    if token.low == "times" and tokens[at + 1].low in BASELINES | {"the", "of"}:
        return "x", at + 1
    found = _known_unit(tokens, at) or _rate(tokens, at)
    if found is not None:
        return found
    if token.glued or _is_near_miss(token.text):
        raise _unknown_unit(scope, token)
    if token.low in {"per", "a", "an"} and is_time(unit_of(tokens[at + 1].text)):
        return f"/{unit_of(tokens[at + 1].text)}", at + 2
    if token.low == "per" and tokens[at + 1].kind is Kind.WORD and not unit_of(tokens[at + 1].text):
        return f"per {tokens[at + 1].low}", at + 2
    return "", at


def _known_unit(tokens: Tokens, at: int) -> tuple[str, int] | None:
    """Read a unit of the table, and `MB per second`."""
    known = unit_of(tokens[at].text) or rate_of(tokens[at].text)
    if known is None or "/" in known or is_time(known) or tokens[at + 1].low != "per":
        return None if known is None else (known, at + 1)
    per = unit_of(tokens[at + 2].text)
    return (rate_of(f"{known}/{per}") or known, at + 3) if is_time(per) else (known, at + 1)


def _rate(tokens: Tokens, at: int) -> tuple[str, int] | None:
    """Read `jobs per minute`, `failed jobs / hour`, `failed jobs/hour`."""
    behind = tokens[at + 1]
    if behind.kind is Kind.WORD and "/" in behind.text and tokens[at].low not in PREPOSITIONS:
        found = rate_of(f"{tokens[at].text} {behind.text}")
        if found:
            return found, at + 2
    for length in (1, 2):
        words = tokens[at : at + length]
        sign = tokens[min(at + length, len(tokens) - 1)]
        if any(word.kind is not Kind.WORD or word.low in PREPOSITIONS for word in words):
            return None  # `> 2 failures in an hour` is no rate of `in`
        if sign.low in {"per", "/", "a", "an"}:
            per = unit_of(tokens[at + length + 1].text)
            if is_time(per):
                found = rate_of(" ".join(word.text for word in words) + f"/{per}")
                return (found, at + length + 2) if found else None
            return None
    return None


def _is_near_miss(word: str) -> bool:
    """Tell a mistyped unit behind a number from a thing that is counted."""
    low = word.lower()
    if re.fullmatch(r"[KMGTP]i?b", word):
        return True
    if low in _NOT_UNITS or low in _NOT_NEAR or not low.isalpha():
        return False
    if len(low) == 2:
        near_two = any(len(u) == 2 and u[0] == low[0] and u[1] != low[1] for u in UNITS)
        return near_two and not set(low) & set("aeiou")
    near = nearest_unit(low) if len(low) > 4 else None
    if near is None:
        return False
    spelled = [word for word, unit in UNITS.items() if unit == near and len(word) > 4]
    return any(_one_apart(low, word) for word in spelled)


def _one_apart(a: str, b: str) -> bool:
    """Tell whether one letter added, dropped, changed or swapped makes `a` out of `b`."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    rest_a, rest_b = a[head:], b[head:]
    swapped = len(rest_a) > 1 and rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
    return swapped or rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]


def _unknown_unit(scope: Scope, token: Token) -> Misread:
    near = nearest_unit(token.text)
    hint = f"did you mean `{near}`?" if near else "put a space before a word that is no unit"
    return scope.wrong(
        "GN102", f"`{token.text}` is no unit that is known", scope.span(token),
        expected="a time, a size, %, a count or a rate such as `jobs/min`", hint=hint,
    )  # fmt: skip


def _baseline(scope: Scope, tokens: Tokens, at: int, op: Op, value: Quantity) -> Read | None:
    """Read `x baseline`, `% of baseline`, `% above baseline` behind a number."""
    end, turn = at, 0
    while tokens[end].kind in {Kind.WORD, Kind.AFTER} and end - at < 6:
        low = tokens[end].low
        if low in BASELINES:
            break
        if low in _UP | _DOWN:
            turn = 1 if low in _UP else -1
        elif low not in _TOWARDS:
            return None
        end += 1
    if tokens[end].low not in BASELINES:
        return None
    factor = value.number if value.unit == "x" else _share(value.number)
    if turn and value.unit == "x":
        raise scope.wrong(
            "GN110", f"`{value.say()}` more can mean {factor}x or {factor + 1}x",
            scope.span(tokens[at - 1], tokens[end]), expected="one factor on the baseline",
            hint=f"write `> {factor}x baseline`",
        )  # fmt: skip
    if turn:
        return _distance(factor, turn, op, end + 1)
    if op is Op.LE and value.unit == "%" and value.number < 100 and _said_within(tokens, at):
        raise scope.wrong(
            "GN110", "`within` a share of the baseline can mean up, down or both",
            scope.span(tokens[at - 1], tokens[end]), expected="a comparison with one factor",
            hint=f"write `<= {1 + factor}x baseline`, or `>= {1 - factor}x baseline`",
        )  # fmt: skip
    return Read(Relative(factor), end + 1)


def _share(percent: Decimal) -> Decimal:
    """Return 1.2 for 120, without the zero of 1.20."""
    factor = percent.scaleb(-2)
    return factor.normalize() if len(factor.as_tuple().digits) <= 28 else factor


def _said_within(tokens: Tokens, at: int) -> bool:
    return any(token.low == "within" for token in tokens[max(at - 4, 0) : at])


def _distance(factor: Decimal, turn: int, op: Op, end: int) -> Read:
    """Turn `more than 20 % below baseline` into `< 0.8x baseline`."""
    flipped = {Op.GT: Op.LT, Op.GE: Op.LE, Op.LT: Op.GT, Op.LE: Op.GE}
    if op is Op.EQ:
        op = Op.GT if turn > 0 else Op.LT
    elif turn < 0:
        op = flipped.get(op, op)
    return Read(Relative(1 + factor if turn > 0 else 1 - factor), end, op)
