"""Which way a limit points where no word above it says so: bare thresholds, calm tiers, actions."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from gonogo.plan.condition import Op, Predicate
from gonogo.plan.model import Consequence
from gonogo.runbook import phrases
from gonogo.runbook.drafts import RuleDraft
from gonogo.runbook.roles import Topic
from gonogo.runbook.words import Words

_LESS_IS_WORSE = re.compile(
    r"\b(?:throughput|availability|uptime|success\w*|hits?|pass(?:ed|ing)?|conversions?|capacity"
    r"|apdex|satisfaction|free|coverage|crash-free|error-free|rps|qps|completion|completed)\b"
)
_MORE_IS_WORSE = re.compile(
    r"\b(?:latenc(?:y|ies)|errors?|fail\w*|durations?|times?|lag|delays?|backlog|queues?|timeouts?"
    r"|crash(?:es)?|anrs?|faults?|miss(?:es|ing)?|5xx|4xx|memory|cpu|disk|usage|utili[sz]ation"
    r"|pending|stuck|exceptions?|complaints?|restarts?|rejected|retries|lost|losses|burn rate"
    r"|response|load)\b"
)
_CALM = re.compile(
    r"\W*(?:normal(?: operations?| range| behaviou?r)?|healthy|ok(?:ay)?|green|all good|fine"
    r"|acceptable|no actions?(?: (?:needed|required))?|nothing(?: to do)?|as expected)\W*",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"(?::|→|->|=>|⇒|\s[-–—])\s*(?=[^:→<>≤≥]*$)")
_RISES = re.compile(r"\s*(?:[>≥]|(?:above|over|more than|exceed\w*)\b)", re.IGNORECASE)
_FALLS = frozenset({Op.LT, Op.LE})
_CLIMBS = frozenset({Op.GT, Op.GE})


def is_calm(text: str) -> bool:
    """Tell `Normal operation` and `no action needed`, which nobody says of a limit passed."""
    return _CALM.fullmatch(text) is not None


def ends_calmly(text: str) -> bool:
    """Tell whether a line says behind its limit that all is well: `< 5 errors/h: normal`."""
    found = _BEHIND.search(text)
    return found is not None and is_calm(text[found.end() :])


def is_well(words: Words) -> bool | None:
    """Tell whether all is well while a condition holds, by its metric; None when nothing says."""
    condition = phrases.read(words).condition
    if condition is None:
        return None
    found = {_one(predicate) for predicate in condition.predicates}
    return found.pop() if len(found) == 1 else None


def _one(predicate: Predicate) -> bool | None:
    name = (predicate.metric or "").replace("_", " ")
    if predicate.op not in _FALLS | _CLIMBS:
        return None
    if _LESS_IS_WORSE.search(name):
        return predicate.op in _CLIMBS
    if _MORE_IS_WORSE.search(name) or (predicate.stat or "").startswith("p"):
        return predicate.op in _FALLS
    return None


def of_action(action: str, bound: str, words: Words) -> Consequence | None:
    """Return what a row is for by what is done about it; None when that does not tell.

    `action` is its cell, `bound` the cell of the limit, `words` both with the name.
    """
    well = is_well(words)
    if is_calm(action):
        return None if well is False else Consequence.OBJECTIVE
    if well is False or (well is None and _RISES.match(bound)):
        return Consequence.WARN
    return None


def settled(drafts: Sequence[RuleDraft]) -> list[RuleDraft]:
    """Return the lines under a bare `Thresholds:` as objectives where their metric says so.

    A line whose metric says nothing goes with the others of its list, unless those differ.
    """
    known = {id(d): is_well(d.words) for d in drafts if _is_bare(d)}
    lists: dict[tuple[tuple[str, ...], str], set[bool | None]] = {}
    for draft in drafts:
        if id(draft) in known:
            lists.setdefault((draft.path, draft.lead), set()).add(known[id(draft)])
    found = []
    for draft in drafts:
        well = known.get(id(draft))
        if id(draft) in known and well is None:
            around = lists[(draft.path, draft.lead)]
            well = True in around and False not in around
        is_objective = well is True
        found.append(
            dataclasses.replace(draft, consequence=Consequence.OBJECTIVE) if is_objective else draft
        )
    return found


def _is_bare(draft: RuleDraft) -> bool:
    return draft.topic is Topic.THRESHOLDS and draft.consequence is None
