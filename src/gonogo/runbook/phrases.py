"""Conditions on the page: a text goes to the grammar, its places come back as those of the file."""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import grammar
from gonogo.plan.condition import Condition
from gonogo.plan.grammar import Lead
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.words import Words
from gonogo.source import Span

_FIGURE_OR_SIGN = re.compile(r"[0-9<>≤≥]")


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
    return Said(condition, diagnostics, reading.smells)


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
    said = read(words)
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


def warn_of_bound(words: Words, span: Span, book: Notebook, step: str) -> None:
    """Say that a bound in running text is not judged; a mistake in an explicit runbook."""
    if not smells(words):
        return
    where = "under the step" if step else "in running text"
    book.strict(
        "GN330",
        f"the bound `{_short(words.text)}` {where} is not judged",
        span,
        hint="write `- Expect: …` under the block that shows it, or move it to a watch section",
    )


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


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:57] + "…"
