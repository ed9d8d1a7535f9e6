"""Bounds in the words of headings and steps, where the reader sees them and nobody judges them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gonogo.plan.condition import Predicate, Version
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Step
from gonogo.plan.units import Dimension, Quantity
from gonogo.runbook import phrases
from gonogo.runbook.drafts import Draft
from gonogo.runbook.labels import numbered
from gonogo.runbook.layout import Place
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.words import Words
from gonogo.source import shortened

_ORDERS = re.compile(
    r"(?:wait|sleep|pause|allow|delete|remove|drop|purge|prune|clear|archive|rotate|keep|retain|"
    r"upgrade|update|install|scale|ramp|shift|route|send|limit|set|configure|raise|lower|increase|"
    r"reduce|select|insert|migrate|deploy|roll|move|copy|use|approve)\b",
    re.IGNORECASE,
)
"""What is done and not looked at: the number says how much of it."""
_COMPARES = re.compile(
    r"[<>≤≥]|\b(?:below|under|above|over|at most|at least|less|more|fewer|exceeds?|within)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d\s?(?:%|ms\b)|\bp\d\d", re.IGNORECASE)
_OF_TIME = re.compile(r"latency|lag|delay|response|age|old|older|behind|freshness", re.IGNORECASE)
_SHARE_OF_TRAFFIC = re.compile(r"traffic|canary|users|tenants|customers|pods", re.IGNORECASE)
_DECIDES = re.compile(
    r"\s-(?:lt|le|gt|ge|eq|ne)\s|\(\(|\bexit\b|\bawk\b|\bjq\s+-\w*e|--exit-code|\bassert\b|"
    r"\bgrep\s+-\w*q|\bdiff\b|\bcmp\b"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def has_bound(words: Words) -> bool:
    """Tell whether a heading or title states a bound; a time that it takes and a version do not."""
    number, text = numbered(words.text)
    words = words.part(words.text.find(text)) if number else words
    if _ORDERS.match(text) or not phrases.smells(words):
        return False
    condition = phrases.read(words).condition
    if condition is None:
        return _COMPARES.search(text) is not None and _FIGURE.search(text) is not None
    return any(_is_bound(one, text) for one in condition.predicates)


def _is_bound(one: Predicate, text: str) -> bool:
    if one.op.value not in {"<", "<=", ">", ">=", "between"} or isinstance(one.value, Version):
        return False
    value = one.value[0] if isinstance(one.value, tuple) else one.value
    if isinstance(value, Quantity) and value.dimension is Dimension.TIME:
        return one.stat is not None or value.unit == "ms" or _OF_TIME.search(text) is not None
    return True


def report_heading(place: Place, drafts: Sequence[Draft], book: Notebook) -> None:
    """Say that a bound in a heading is not judged, unless the heading is the title of a step."""
    words = place.section.words
    if not words.text or _SHARE_OF_TRAFFIC.search(words.text) or not has_bound(words):
        return
    if any(draft.words == words for draft in drafts):
        return
    what = f"the bound in the heading `{shortened(words.text)}`"
    phrases.warn_of_place(what, place.section.span, book, place.role)


def report_title(draft: Draft, steps: Sequence[Step], book: Notebook) -> None:
    """Say that what the words of a step promise is not judged: its blocks have only defaults."""
    expect = [one for step in steps for one in step.expect]
    if not expect or not all(one.default for one in expect) or not has_bound(draft.words):
        return
    if any(note.startswith(("Expected", "Expect:")) for step in steps for note in step.notes):
        return
    if any(_decides(step, draft.words.text) for step in steps):
        return
    place = draft.words.place()
    if book.has_noted("GN330", place.line):
        return
    default = expect[-1].condition.say()
    book.warn(
        "GN335",
        f"the title states a bound, and its block is only held to `{default}`",
        place,
        label="nobody compares it",
        hint=f"write under the block: `- Expect: {_proposal(draft, steps[-1])}`; or"
        f" `- Expect: {default}` where the block itself compares",
    )


def _decides(step: Step, title: str) -> bool:
    """Tell whether a block compares by itself: it tests, or it holds the figure of the title."""
    if step.block is None or step.effect is Effect.MANUAL:
        return False
    body = step.block.text
    figures = set(_NUMBER.findall(title))
    return _DECIDES.search(body) is not None or not figures.isdisjoint(_NUMBER.findall(body))


def _proposal(draft: Draft, step: Step) -> str:
    """Return the line that would judge the title, by a name that the kind of the block gives."""
    condition = phrases.read(draft.words).condition
    names = step.block.work.indicators if step.block is not None else {}
    fallback = next((n for n in ("output", "value", "duration") if n in names), None)
    if condition is None or len(condition.predicates) != 1:
        return f"{fallback or '…'} < …"
    one = condition.predicates[0]
    timed = isinstance(one.value, Quantity) and one.value.dimension is Dimension.TIME
    name = "duration" if timed and "status" in names else fallback
    if one.metric in names or name is None:
        return condition.say()
    said = condition.say()
    at = said.find(f" {one.op.value} ")
    return f"{name}{said[at:]}" if at > 0 else said
