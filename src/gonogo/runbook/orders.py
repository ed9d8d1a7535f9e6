"""What the words of a rule order: `Warn if …`, `→ page`, one line with a limit for each level."""

from __future__ import annotations

import re

from gonogo.plan.condition import Condition, Join, Predicate
from gonogo.plan.grammar import Lead
from gonogo.plan.lexer import clean
from gonogo.plan.model import Consequence
from gonogo.plan.units import Quantity
from gonogo.runbook.drafts import RuleDraft
from gonogo.runbook.roles import Topic
from gonogo.runbook.tables import join, prefixed, severity_of
from gonogo.runbook.words import Words

SEVERITIES: dict[str, Consequence] = {
    "info": Consequence.WARN,
    "warn": Consequence.WARN,
    "page": Consequence.PAGE,
    "critical": Consequence.CRITICAL,
    "p0": Consequence.P0,
    "p1": Consequence.P1,
    "p2": Consequence.P2,
    "p3": Consequence.P3,
    "p4": Consequence.P3,
    "sev0": Consequence.CRITICAL,
    "sev1": Consequence.CRITICAL,
    "sev2": Consequence.PAGE,
    **dict.fromkeys(("sev3", "sev4", "sev5", "medium", "low", "yellow"), Consequence.WARN),
    "high": Consequence.PAGE,
    "red": Consequence.CRITICAL,
}
"""What a rule of each severity does."""
# `Warn if p95 > 600 ms`, `Roll back when p99 > 2 s`, and `p95 > 600 ms → warn the team`
_ORDER_FIRST = re.compile(
    r"\W*(warn\w*|page|critical|crit|p[0-4]|sev[\s-]?\d|notify|roll(?:s|ing)?[\s-]?back|revert)\b"
    r"[^<>=≤≥]*?\b(?:if|when|whenever|once|as soon as)\b",
    re.IGNORECASE,
)
_ORDER_LAST = re.compile(r"(?:→|->|=>|⇒)(?P<order>[^<>=≤≥]*)$")
_ROLLS_BACK = re.compile(
    r"(?:→|->|=>|—|–|:|;|,|\bthen\b)\s*(?:immediate(?:ly)? |automatic(?:ally)? )?roll(?:s|"
    r"ing)?[\s-]?back\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"[<>≤≥]\s*\S")
_AND = re.compile(r"\b(?:and|both)\b|&", re.IGNORECASE)
_LEVEL = (
    r"(?P<level>warn(?:ing)?|page|crit(?:ical)?)\s*(?:[:@]|if|when|at)?\s*"
    r"(?=[<>≤≥]|(?:above|over|below|under|at (?:least|most)|more|less|fewer|higher|lower|exceeds"
    r"|drops)\b)"
)
_LEVELS = re.compile(rf"(?P<name>[^<>=≤≥:,;]{{2,60}}?)\s*[:\-–—]?\s+(?={_LEVEL})", re.IGNORECASE)
_MARKED = re.compile(r"[:\-–—]")  # between a name and its only level
_NONE = re.compile(
    r"(?P<name>[^\W\d][^<>=≤≥:()]{1,80}?)(?::\s*|\s*\((?:target|goal|expected|must be):?\s*)"
    r"(?P<zero>0)\s?\)?\s?[.]?"
)
_FIRST = re.compile(_LEVEL, re.IGNORECASE)
_NEXT = re.compile(rf"\s*(?:[,;/]|\band\b)\s*(?:and\s+)?{_LEVEL}", re.IGNORECASE)


def ordered(draft: RuleDraft) -> Consequence | None:
    """Return what a line orders before `if` or, among alerts, behind an arrow."""
    text = clean(draft.words.text)
    first = _ORDER_FIRST.match(text)
    if first is not None:
        return severity_of(first[1])
    last = _ORDER_LAST.search(text) if draft.topic in (Topic.ALERTS, Topic.RED_FLAGS) else None
    return None if last is None else severity_of(last["order"])


def rolls_back(text: str) -> bool:
    """Tell whether a line says that it rolls back, wherever it stands."""
    return _ROLLS_BACK.search(text) is not None


def compares(text: str) -> bool:
    """Tell whether a comparison sign stands in words, understood or not."""
    return _COMPARES.search(text) is not None


def lasts(condition: Condition) -> bool:
    """Tell whether a window is a time, which is judged bucket by bucket."""
    return condition.window is not None and condition.window.count is None


def by_level(words: Words) -> list[Words]:
    """Split `Error rate: warn > 1 %, page > 2 %` into a line for each level; [] for any other.

    A window at the end holds for the whole line, as everywhere.
    """
    head = _LEVELS.match(words.text)
    if head is None:
        return []
    first = _FIRST.match(words.text, head.end())
    assert first is not None
    cuts = [first, *_NEXT.finditer(words.text, first.end())]
    if len(cuts) == 1 and not _MARKED.search(words.text, head.end("name"), first.start()):
        return []  # `Home page > 50 %`: the word belongs to the name
    name = words.part(0, head.end("name"))
    found = []
    for at, cut in enumerate(cuts):
        end = cuts[at + 1].start() if at + 1 < len(cuts) else len(words.text)
        level = f"{cut['level']}: "
        found.append(join([prefixed(level, name), words.part(cut.end(), end)]))
    return found


def none_of(words: Words) -> Words | None:
    """Read `Failed logins: 0` and `Rollbacks (target: 0)` as `… = 0`; None for other words."""
    found = _NONE.fullmatch(words.text)
    if found is None:
        return None
    name = words.part(0, found.end("name"))
    return join([name, prefixed("= ", words.part(found.start("zero"), found.end("zero")))])


def any_of_list(condition: Condition, lead: Lead | None) -> bool:
    """Tell whether commas join limits that must not be passed: one of them is enough."""
    if condition.join is not Join.ALL or len(condition.predicates) < 2:
        return False
    return (lead is None or lead.quantifier is None) and not _AND.search(condition.text)


def counted_thing(predicate: Predicate) -> str:
    """Return what `more than 5 errors per minute` counts; empty when it counts nothing."""
    unit = predicate.value.unit if isinstance(predicate.value, Quantity) else ""
    return unit.rpartition("/")[0]
