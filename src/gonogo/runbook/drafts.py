"""What was collected from the page before it is bound: steps and rules in the author's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from gonogo.plan.kinds import Role
from gonogo.plan.model import Consequence
from gonogo.runbook.directives import Name, Remark
from gonogo.runbook.outline import Fence
from gonogo.runbook.roles import Topic
from gonogo.runbook.words import Words
from gonogo.source import Span


class Origin(StrEnum):
    """The shape on the page from which a step was read."""

    BOX = "checkbox"
    ITEM = "numbered item"
    BULLET = "item with a block"
    HEADING = "heading with a block"
    PARAGRAPH = "paragraph with a block"
    MARK = "line with a tick"
    ROW = "table row"
    BLOCK = "block"


WHOLE = frozenset(
    {Name.NEEDS, Name.OWNER, Name.CRITICAL, Name.OPTIONAL, Name.NAME, Name.PARALLEL}
    | {Name.ESTIMATE, Name.NOTE, Name.EVIDENCE, Name.NO_DUMP, Name.REQUIRES, Name.BLOCKS}
)
"""Directives that speak of a step as a whole; the others belong to the block before them."""


@dataclass(slots=True)
class Part:
    """One block of a step and the directives written behind it."""

    fence: Fence
    remarks: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A step in the making."""

    title: str
    words: Words
    span: Span
    path: tuple[str, ...]
    origin: Origin
    role: Role
    topic: Topic = Topic.STEPS
    section: tuple[str, ...] = ()  # the headings of its section, from that of the phase down
    critical: bool = False
    claimed: bool = False
    optional: bool = False
    owner: str | None = None
    must_not_be: bool = False  # a question about something bad: its words are no expectation
    left_out: bool = False  # its block says `excludeFromRunAll`
    remarks: list[Remark] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def expects_in_prose(self) -> bool:
        """Whether `Expected:` was the last that was said of it, so that an output may follow."""
        remarks = self.parts[-1].remarks if self.parts else self.remarks
        return bool(remarks) and remarks[-1].prose_expectation

    def attach(self, remark: Remark) -> None:
        """Give a directive to the block before it, or to the step as a whole."""
        if self.parts and remark.name not in WHOLE:
            self.parts[-1].remarks.append(remark)
        else:
            self.remarks.append(remark)


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A line that states a bound, before it is read."""

    words: Words
    span: Span
    topic: Topic
    role: Role
    path: tuple[str, ...]
    lead: str = ""  # the sentence before the list
    consequence: Consequence | None = None  # from a table column
    metric: str = ""  # from a table's first column or a heading, when the line does not say it
    certain: bool = True  # the place on the page is for rules: not understood is a mistake
    within_s: float | None = None  # from a table column: to be mended in this time


_OPTIONAL = re.compile(
    r"[(\[](?:optional|recommended|nice to have)[)\]]|^optional(?:ly)?\b|\brecommended$|"
    r"\bif (?:needed|applicable|necessary|desired|available|possible|required)\b",
    re.IGNORECASE,
)


def is_optional(text: str) -> bool:
    """Tell whether the words of a step say that it may be left out."""
    return _OPTIONAL.search(text) is not None


_SENTENCE = re.compile(r"[:.!](?:\s|$)")
_SHORTENED = re.compile(
    r"(?:^|[\s(\[])(?:approx|appr|ca|circa|est|max|min|no|nr|vs|resp|incl|excl|etc|e\.g|i\.e)\.$",
    re.IGNORECASE,
)
_LONGEST_SHORTENED = 8


def _goes_on(text: str, at: int) -> bool:
    """Tell whether the point before `at` belongs to a word as in `approx. 2 min` or `e.g. this`."""
    after = text[at : at + 1]
    before = text[max(at - _LONGEST_SHORTENED - 2, 0) : at].rstrip()
    return after != "" and not after.isupper() and _SHORTENED.search(before) is not None


def short_title(text: str) -> str:
    """Return the first sentence of a text, without the colon at its end, at most 120 characters."""
    first = text.strip().split("\n", 1)[0]
    ends = (cut.start() for cut in _SENTENCE.finditer(first, 12) if not _goes_on(first, cut.end()))
    first = first[: next(ends, None)].rstrip(" :.—–-")
    return first if len(first) <= 120 else first[:117].rstrip() + "…"
