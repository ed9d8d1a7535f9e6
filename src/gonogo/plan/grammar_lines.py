"""A whole line: severity, `if`, label, predicates joined by and/or, window, action."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from gonogo.errors import Diagnostic
from gonogo.plan.condition import Join, Predicate, Window
from gonogo.plan.grammar_forms import read_form
from gonogo.plan.grammar_heads import (
    Piece,
    closed,
    has_op,
    inner_window,
    label,
    leading_window,
    refuse_second_if,
    split_pieces,
    split_sentences,
    without_action,
    without_brackets,
    without_if,
)
from gonogo.plan.grammar_marks import skip
from gonogo.plan.grammar_predicates import Around, Segment, read_compared, strong_op
from gonogo.plan.grammar_recorded import recorded_name
from gonogo.plan.grammar_relative import read_relative
from gonogo.plan.grammar_severity import LEVELS, take_severity, two_levels
from gonogo.plan.grammar_subject import name_of, strip_verbs
from gonogo.plan.grammar_tails import no_average, no_rate, two_windows
from gonogo.plan.grammar_values import Misread, Scope
from gonogo.plan.grammar_windows import is_vague, read_window
from gonogo.plan.lexer import Kind, Token, Tokens
from gonogo.plan.units import Quantity
from gonogo.plan.words import (
    FOLLOW_UPS,
    is_order,
    stat_of,
)

_ANY_WORDS = frozenset({"or", "||"})
_ALL_WORDS = frozenset({"and", "&&", "&"})


_MAX_NAME = 14


@dataclass(slots=True)
class Line:
    """What one line says, before a lead-in adds to it."""

    predicates: list[Predicate] = field(default_factory=list)
    join: Join = Join.ALL
    window: Window | None = None
    severity: str | None = None
    within_s: Decimal | None = None
    remarks: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True)
class _Piece(Piece):
    """A piece and what it was read as."""

    segment: Segment | None = None


def read_line(
    scope: Scope, tokens: Tokens, metric: str | None, quantifier: Join | None
) -> Line | None:
    """Read a marked line; None when it states no condition."""
    head, tokens = take_severity(tokens)
    found: Line | None = None
    for sentence in split_sentences(tokens):
        line = _sentence(scope, sentence, metric, quantifier)
        if line is None:
            continue
        if found is not None:
            raise scope.wrong(
                "GN105",
                "two conditions in one item",
                scope.span(sentence[0], sentence[-1]),
                expected="one condition in an item",
                hint="make two list items of it",
            )
        found = line
    if found is not None:
        found.severity = head.severity if head else found.severity
        found.within_s = head.within_s if head else None
    return found


def _sentence(
    scope: Scope, tokens: Tokens, metric: str | None, quantifier: Join | None
) -> Line | None:
    tokens = without_if(tokens)
    for token in tokens:
        if token.low == "unless" and has_op(tokens):
            raise scope.wrong(
                "GN121",
                "`unless` turns the comparison round",
                scope.span(token),
                expected="a comparison that says when",
                hint="write the opposite comparison with `if`",
            )
    whole = without_action(scope, tokens)
    ahead, tokens = leading_window(scope, whole)
    said = Tokens(t for t in whole[: len(whole) - len(tokens)] if t.text not in {":", ","})
    tokens = without_if(tokens) if ahead is not None else tokens
    if ahead is None:
        ahead, said, tokens = inner_window(scope, tokens)
    if tokens[0].low == "both" and any(
        t.kind is Kind.JOIN and has_op(tokens[:n]) for n, t in enumerate(tokens)
    ):
        tokens = tokens[1:]
    name, expectation, tokens, remarks = label(scope, tokens)
    tokens = without_brackets(tokens)
    refuse_second_if(scope, tokens)
    around = Around(name or metric, expectation)
    pieces = [_Piece(piece.tokens, piece.words) for piece in split_pieces(tokens)]
    line = _read_pieces(scope, pieces, around) or _in_brackets(scope, tokens)
    if line is None:
        return None
    if ahead is not None and line.window not in {None, ahead}:
        raise two_windows(scope, tokens[0])
    if ahead is not None:
        for predicate in line.predicates:
            no_rate(scope, ahead, predicate.value, said)
        remarks += no_average(scope, ahead, said)
        line.window = ahead
    if remarks and all(predicate.metric in LEVELS for predicate in line.predicates):
        raise two_levels(scope, tokens[:-1])
    line.join = _join(scope, pieces, quantifier)
    line.remarks = [*remarks, *line.remarks]
    return line


def _in_brackets(scope: Scope, tokens: Tokens) -> Line | None:
    """Read `cluster stable (0 crashes)`: the words outside are left out, and said to be."""
    opens = [at for at, token in enumerate(tokens) if token.text == "("]
    closes = [at for at, token in enumerate(tokens) if token.text == ")"]
    if len(opens) != 1 or len(closes) != 1 or not 0 < opens[0] < closes[0]:
        return None
    inside = closed(tokens[opens[0] + 1 : closes[0]])
    pieces = [_Piece(piece.tokens, piece.words) for piece in split_pieces(inside)]
    outside = tokens[: opens[0]]
    claimed = inside[0].low in {"should", "must"} and not _may_be_status(inside)
    name = name_of(outside[strip_verbs(outside) :]) if claimed else None
    line = _read_pieces(scope, pieces, Around(name))
    counted = line and all(p.metric and isinstance(p.value, Quantity) for p in line.predicates)
    if line is None or not counted:
        return None
    if name:
        return line
    said = scope.slice(outside[0], outside[-1])
    line.remarks.append(
        scope.warning(
            "GN115",
            f"`{said[:60]}` is left out of the condition",
            scope.span(outside[0], outside[-1]),
            hint="write a line for what is outside of the brackets",
        )
    )
    return line


def _may_be_status(tokens: Tokens) -> bool:
    """Tell whether a number may be a status code, which says nothing about words outside."""
    if any(token.text == "%" for token in tokens):
        return False
    return any(t.kind is Kind.NUMBER and 100 <= t.number < 600 for t in tokens)


def _read_piece(scope: Scope, tokens: Tokens, around: Around) -> Segment | None:
    """Read one piece: with a comparison, else as one of the forms without."""
    ended = closed(tokens)
    at = strong_op(ended)
    if at is not None:
        return read_compared(scope, ended, at, around)
    form = read_form(scope, ended, around) or read_relative(scope, ended, around)
    if form is not None:
        return form
    for place, token in enumerate(ended):
        if token.kind is Kind.OP and token.need in {"weak", "matcher"}:
            return _weak(scope, ended, place, around)
    return None


def _weak(scope: Scope, tokens: Tokens, at: int, around: Around) -> Segment | None:
    """Read `status is 200`, `output contains "ready"`; prose with `is` stays prose."""
    behind = tokens[at + 1]
    textual = tokens[at].need == "matcher"
    if behind.low in {"not", "never"}:
        behind = tokens[at + 2]
    quoted = behind.kind in {Kind.STRING, Kind.REGEX}
    name = tokens[:at]
    plain = {"output", "body", "log", "logs", "header", "stdout", "stderr", "response", "text"}
    technical = any(t.low in plain or "." in t.text or "_" in t.text for t in name)
    if recorded_name(tokens, skip(tokens, at + 1)) is not None:  # `is recorded well` is prose
        told = textual or "equal" in tokens[at].text
        return read_compared(scope, tokens, at, around) if told else None
    if textual and not quoted and not (technical and tokens[at + 2].kind is Kind.END):
        return None
    literal = {"true", "false", "null", "nil"}
    if not textual and not (
        quoted
        or behind.low in literal
        or behind.kind in {Kind.NUMBER, Kind.BAD_NUMBER, Kind.VERSION, Kind.CLASS, Kind.OP}
        or behind.text in {"$", "-", "a", "the", "exactly"}
    ):
        return None
    return read_compared(scope, tokens, at, around)


def _read_pieces(scope: Scope, pieces: list[_Piece], around: Around) -> Line | None:
    """Read the pieces in order, merge names that contain `and`, and refuse what is left over."""
    _merge_names(scope, pieces, around)
    line = Line()
    for at, piece in enumerate(pieces):
        piece.segment = _read_piece(scope, piece.tokens, around) or _minor(scope, piece)
        if piece.segment is None:
            continue
        _inherit(pieces, at)
        _collect(scope, line, piece)
    if not line.predicates:
        return None
    for at, piece in enumerate(pieces):
        if piece.segment is None:
            joined = piece.words | (pieces[at + 1].words if at + 1 < len(pieces) else frozenset())
            _not_understood(scope, line, piece, joined)
    first = pieces[0].segment
    if first is not None and first.only == "stat":  # `p95 and p99 below 500 ms`
        _not_understood(scope, line, pieces[0], _ALL_WORDS)
    _windows_agree(scope, line, pieces)
    return line


def _merge_names(scope: Scope, pieces: list[_Piece], around: Around) -> None:
    """Join `read and write errors > 5` and `no errors or warnings` again: one name, not two."""
    at = 0
    while at + 1 < len(pieces):
        one, two = pieces[at], pieces[at + 1]
        first = _quick(scope, one, around)
        second = _quick(scope, two, around)
        wide = two.words <= _ALL_WORDS
        name_then_op = not first and strong_op(closed(two.tokens)) not in {None, 0}
        words = all(t.kind is Kind.WORD for t in one.tokens) and len(one.tokens) <= 4
        ordered = is_order([t.low for t in one.tokens])
        short = len(one.tokens) <= _MAX_NAME  # longer names are prose; keeps merging linear
        zero = (
            short
            and _is_zero(one)
            and not second
            and not _is_follow_up(two)
            and len(two.words) == 1
        )
        if (wide and name_then_op and words and not ordered) or (zero and "," not in two.words):
            joiner = Token(
                Kind.WORD, "and" if wide else "or", one.tokens[-1].end, two.tokens[0].start
            )
            pieces[at : at + 2] = [_Piece(Tokens([*one.tokens, joiner, *two.tokens]), one.words)]
        else:
            at += 1


def _is_zero(piece: _Piece) -> bool:
    start = strip_verbs(closed(piece.tokens))
    token = closed(piece.tokens)[start]
    return token.low in {"no", "zero", "without"} or (
        token.kind is Kind.NUMBER and token.number == 0 and start < len(piece.tokens) - 1
    )


def _quick(scope: Scope, piece: _Piece, around: Around) -> bool:
    """Tell whether a piece is something by itself."""
    try:
        return (_read_piece(scope, piece.tokens, around) or _minor(scope, piece)) is not None
    except Misread:
        return True


def _is_follow_up(piece: _Piece) -> bool:
    return piece.tokens[0].low in FOLLOW_UPS and not has_op(piece.tokens)


def _minor(scope: Scope, piece: _Piece) -> Segment | None:
    """Read a piece that is only a window, only a statistic, or an action."""
    tokens = closed(piece.tokens)
    found = read_window(scope, tokens, 0)
    if found is not None and tokens[found[1]].kind is Kind.END:
        return Segment(window=found[0], window_span=tokens[0], only="window")
    if len(piece.tokens) == 1 and tokens[0].kind is Kind.STAT:
        return Segment(stat=stat_of(tokens[0].text), only="stat")
    if is_vague(tokens[0]) and len(piece.tokens) == 1:
        return Segment(only="action")
    return Segment(only="action") if _is_follow_up(piece) else None


def _inherit(pieces: list[_Piece], at: int) -> None:
    """Give `p99 < 1 s` behind `response time p95 < 500 ms` the name that was said once."""
    segment = pieces[at].segment
    before = pieces[at - 1].segment if at else None
    if segment is None or before is None or before.predicate is None:
        return
    if segment.only == "stat" and before.predicate.stat is None:
        before.predicate = replace(before.predicate, stat=segment.stat)
        return
    predicate, previous = segment.predicate, before.predicate
    if predicate is None or predicate.metric is not None:
        return
    if predicate.stat is None:
        segment.predicate = replace(predicate, metric=previous.metric, stat=previous.stat)
    elif previous.stat is not None:
        segment.predicate = replace(predicate, metric=previous.metric)


def _collect(scope: Scope, line: Line, piece: _Piece) -> None:
    segment = piece.segment
    assert segment is not None
    line.remarks += segment.remarks
    if segment.severity and line.severity not in {None, segment.severity}:
        raise two_levels(scope, piece.tokens)
    line.severity = line.severity or segment.severity
    if segment.only == "stat" and line.predicates and line.predicates[-1].stat is None:
        line.predicates[-1] = replace(line.predicates[-1], stat=segment.stat)
    if segment.predicate is not None:
        line.predicates.append(segment.predicate)
    if segment.window is None:
        return
    if line.window is not None and line.window != segment.window:
        raise two_windows(scope, segment.window_span or piece.tokens[0])
    line.window = segment.window


def _windows_agree(scope: Scope, line: Line, pieces: list[_Piece]) -> None:
    """Refuse `A for 2 buckets or B`: the window must stand at the end, where it holds for all."""
    told = [p for p in pieces if p.segment and (p.segment.predicate or p.segment.only == "window")]
    if line.window is None or len(told) < 2:
        return
    final = told[-1].segment
    if final is None or final.window is None:
        place = next(p for p in told if p.segment and p.segment.window)
        span = place.segment.window_span if place.segment else None
        raise scope.wrong(
            "GN119",
            "a window in the middle of a line",
            scope.span(span or place.tokens[0]),
            expected="the window at the end, where it holds for the whole line",
            hint="move the window to the end, or write a line for each window",
        )


def _not_understood(scope: Scope, line: Line, piece: _Piece, words: frozenset[str]) -> None:
    """Refuse a joined piece that says nothing known; only remark on words between commas."""
    said = scope.slice(piece.tokens[0], piece.tokens[-1])
    short = said if len(said) <= 60 else said[:57] + "..."
    span = scope.span(piece.tokens[0], piece.tokens[-1])
    joined = words & (_ANY_WORDS | _ALL_WORDS)
    numbers = any(t.kind in {Kind.NUMBER, Kind.OP} and t.need != "weak" for t in piece.tokens)
    if joined or numbers:
        raise scope.wrong(
            "GN114",
            f"`{short}` is not understood as part of the condition",
            span,
            expected="a comparison on each side of `and` and `or`",
            hint="give it a comparison of its own, or put a name with `and` into quotation marks",
        )
    line.remarks.append(
        scope.warning(
            "GN115",
            f"`{short}` is left out of the condition",
            span,
            hint="keep remarks in a line of their own",
        )
    )


def _join(scope: Scope, pieces: list[_Piece], quantifier: Join | None) -> Join:
    """Return the one word that joins the predicates; both words in one line are refused."""
    told = [p for p in pieces if p.segment and p.segment.predicate]
    any_of = [p for p in told[1:] if p.words & _ANY_WORDS]
    all_of = [p for p in told[1:] if p.words & _ALL_WORDS]
    if any_of and all_of:
        raise scope.wrong(
            "GN123",
            "`and` and `or` in one line",
            scope.span(any_of[0].tokens[0]),
            expected="one of the two words in a line",
            hint="write a list under `if any of these:` or `if all of these:`",
        )
    if any_of:
        return Join.ANY
    return Join.ALL if all_of or quantifier is None else quantifier
