"""Conditions on the page: a text goes to the grammar, its places come back as those of the file."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import grammar
from gonogo.plan.condition import Condition, Op
from gonogo.plan.grammar import Lead
from gonogo.plan.kinds import Role
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.words import Words
from gonogo.source import Span, shortened

_PLACEHOLDER = re.compile(r"<[A-Za-z][\w .-]{0,40}>")  # `<env>` compares nothing
_FIGURE_OR_SIGN = re.compile(r"[0-9<>≤≥]")
_PERCENT = re.compile(
    r"\d\s?%|\bp\d\d\b.*\d\s?m?s\b"
    r"|\b(?:above|over|below|under|than|exceeds?) (?:the |its )?baseline\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\b(?:unter|unterhalb|über|oberhalb|mindestens|höchstens|maximal|weniger als|mehr als"
    r"|größer als|kleiner als)\s+(?:von\s+)?\d+(?:[.,]\d+)?\s?(?:%|ms\b|prozent\b|[kmg]b\b)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"(?<![\w.])\d")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says as a condition; all places are in the runbook."""

    condition: Condition | None
    diagnostics: tuple[Diagnostic, ...]
    smells: bool  # a bound hides in it that was not understood

    @property
    def failed(self) -> bool:
        """Whether the text wanted to be a condition and is none."""
        return self.condition is None and (
            self.smells or any(d.severity is Severity.ERROR for d in self.diagnostics)
        )


def read(words: Words, lead: Lead | None = None) -> Said:
    """Read words as a condition; also those that reach over several lines of the file."""
    text = words.text
    reading = grammar.read(text, _line_of(text), lead=lead)
    condition = reading.condition
    if condition is not None:
        predicates = tuple(
            dataclasses.replace(p, span=_moved(p.span, words)) for p in condition.predicates
        )
        condition = dataclasses.replace(
            condition, predicates=predicates, span=_moved(condition.span, words)
        )
    diagnostics = tuple(
        dataclasses.replace(d, span=_moved(d.span, words)) for d in reading.diagnostics
    )
    foreign = _FOREIGN.search(text) if condition is None and not diagnostics else None
    if foreign is not None:
        diagnostics = (_not_english(words, foreign),)
    return Said(condition, diagnostics, reading.smells or foreign is not None)


def _not_english(words: Words, found: re.Match[str]) -> Diagnostic:
    """Return the mistake of a comparison in German words, which no reader of conditions knows."""
    return Diagnostic(
        "GN104",
        f"`{found[0]}` has no comparison that is read",
        words.place(found.start(), found.end()),
        severity=Severity.ERROR,
        hint="write `<`, `>`, `at least` or `at most` in front of the number",
    )


def read_lead(text: str) -> Lead | None:
    """Read what a lead-in sentence gives to the lines under it."""
    return grammar.read_lead(text, _line_of(text)) if text else None


def join_leads(outer: Lead | None, inner: Lead | None) -> Lead | None:
    """Return a lead-in with what the heading above adds to it."""
    if outer is None or inner is None:
        return inner or outer
    return Lead(
        quantifier=inner.quantifier or outer.quantifier,
        window=inner.window or outer.window,
        metric=inner.metric or outer.metric,
        severity=inner.severity or outer.severity,
        within_s=inner.within_s if inner.severity else outer.within_s,
    )


def smells(words: Words) -> bool:
    """Tell whether a bound stands in a text, understood or not."""
    if not may_hold_a_bound(words.text):
        return False
    plain = _PLACEHOLDER.sub(lambda found: "_" * len(found[0]), words.text)
    said = read(words if plain == words.text else dataclasses.replace(words, text=plain))
    if said.condition is not None:
        return has_bound(said.condition)
    return said.smells


def may_hold_a_bound(text: str) -> bool:
    """Tell quickly whether a text can hold a bound at all: one has a figure or a sign."""
    return _FIGURE_OR_SIGN.search(text) is not None


@functools.cache
def _fixed(text: str) -> Condition:
    """Return a condition that a kind states, parsed once."""
    reading = grammar.read(text, _line_of(text))
    if reading.condition is None:
        message = f"the default expectation cannot be read: {text}"
        raise ValueError(message)
    return reading.condition


def fixed(text: str, span: Span) -> Condition:
    """Return the condition that a kind states for its blocks, with the place of the block.

    Raises `ValueError` when the kind states none: a bug of the kind.
    """
    condition = _fixed(text)
    predicates = tuple(dataclasses.replace(p, span=span) for p in condition.predicates)
    return dataclasses.replace(condition, predicates=predicates, span=span)


def has_bound(condition: Condition) -> bool:
    """Tell whether a condition compares a number, so that it cannot be mere prose."""
    return any(p.op.value in {"<", "<=", ">", ">=", "between"} for p in condition.predicates)


def states_level(text: str, metrics: Iterable[str]) -> bool:
    """Tell `error rate of 5 %` and `latency 200 ms` from words with some number in them."""
    low = text.casefold().replace("_", " ")
    named = any(name.casefold().replace("_", " ") in low for name in metrics)
    return _PERCENT.search(text) is not None or (named and _DIGIT.search(text) is not None)


def warn_of_bound(
    words: Words, span: Span, book: Notebook, step: str, role: Role | None = None
) -> None:
    """Say that a bound in running text is not judged; a mistake in an explicit runbook."""
    if words.code[:1] and not words.code[0].start and _ASSIGNS.match(words.text):
        return  # `TAG=2024-05-06-1 make ship` is a command
    if not (smells(words) or _bare_share(words.text) or (step and _asks_for_text(words))):
        return
    where = "under the step" if step else "in running text"
    warn_of_place(f"the bound `{shortened(words.text)}` {where}", span, book, role, step=bool(step))


def warn_of_place(
    what: str, span: Span, book: Notebook, role: Role | None, *, step: bool = False
) -> None:
    """Say that a bound is not judged where it stands, and where one of this phase would be."""
    hint = "write `- Expect: …` under the block that shows it"
    place = _JUDGED.get(role) if role is not None else None
    if place is None:
        hint += ", or move it to a watch section"
    else:
        hint = f"{hint}, or put it as {place}" if step else f"put it as {place}"
    book.strict("GN330", f"{what} is not judged", span, hint=hint)


_JUDGED = {
    Role.ROLLBACK: "a list item under `### Triggers`",
    Role.WATCH: "a list item under `### Objectives` or `### Alerts`",
    Role.SIGNOFF: "a box of its own: `- [ ] error rate < 1 %`",
}
_SHARE = re.compile(r"(?:(?P<label>[^\W\d][\w ]{0,30}):\s*)?\d{1,3}(?:\.\d+)?\s?%")
_PARTS = re.compile(r"traffic|canary|progress|rollout|roll-out|weight|share|ramp|step|done|split")
_ASSIGNS = re.compile(r"[A-Z_][A-Z0-9_]*=\S")
_TEXTUAL = frozenset({Op.CONTAINS, Op.LACKS, Op.MATCHES, Op.DIFFERS})
_ASKING = re.compile(r"contain|match|include", re.IGNORECASE)


def _bare_share(text: str) -> bool:
    """Tell `SLO: 99.9 %`, which lost its comparison, from `Traffic: 10 %`."""
    said = _SHARE.fullmatch(text.strip())
    return said is not None and not _PARTS.search((said["label"] or "").casefold())


def _asks_for_text(words: Words) -> bool:
    """Tell whether a text says what an output must hold: `output contains "done"`."""
    if len(words.text) > 300 or not _ASKING.search(words.text):
        return False
    condition = read(words).condition
    return condition is not None and any(p.op in _TEXTUAL for p in condition.predicates)


def not_a_condition(words: Words) -> Diagnostic:
    """Return the diagnostic for words that had to be a condition."""
    found = grammar.not_a_condition(words.text, words.place())
    return dataclasses.replace(found, span=words.place())


def _line_of(text: str) -> Span:
    return Span.of_line(1, 1, len(text))


def _moved(span: Span, words: Words) -> Span:
    start = min(max(span.column - 1, 0), max(len(words.text) - 1, 0))
    end = min(max(span.end_column - 1, start + 1), max(len(words.text), 1))
    return words.place(start, end)
