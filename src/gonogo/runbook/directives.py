"""Directives: the lines under a step that say more than its text, `- Expect: status = 403`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gonogo.runbook import phrases
from gonogo.runbook.labels import Directive, directive_of, split_folded
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence, Item, Node, Paragraph, Quote
from gonogo.runbook.words import Words
from gonogo.source import Span


class Name(StrEnum):
    """The directives, by the name that the documentation uses."""

    EXPECT = "Expect"  # a condition that what was seen must meet; may be repeated
    UNLESS = "Unless"  # how to see that the step is already done
    UNDO = "Undo"  # how to take the step back
    NEEDS = "Needs"  # steps or phases that must have passed
    REQUIRES = "Requires"  # the same, and above all steps also a ticket or another release
    BLOCKS = "Blocks"  # what waits for this release; information only
    RETRY = "Retry"  # try again while the expectation is not met
    TIMEOUT = "Timeout"  # how long one attempt may take
    EVERY = "Every"  # the beat of a watch
    FOR = "For"  # how long a watch lasts
    OWNER = "Owner"  # who does or answers it
    RECORD = "Record"  # indicators to keep in the evidence
    NAME = "Name"  # the identity of the step
    KIND = "Kind"  # check or action, when the block itself does not tell
    CRITICAL = "Critical"  # its failure stops everything behind it
    OPTIONAL = "Optional"  # may be left out, with a reason
    INTERRUPTED = "If interrupted"  # ask or rerun
    IDEMPOTENT = "Idempotent"  # yes: the same as `If interrupted: rerun`
    ESTIMATE = "Estimate"  # how long it should take
    PHASE = "Phase"  # what the section is for
    PARALLEL = "Parallel"  # may run beside its neighbours
    EVIDENCE = "Evidence"  # what a person is to attach
    WINDOW = "Window"  # when a phase may begin
    DEADLINE = "Deadline"  # until when a question must be answered
    LOSES = "Loses"  # what is gone after a way back
    ONLY_IF = "Only if"  # when a way back is open
    GREEN = "Green"  # how many good buckets end a rollback
    RTO = "RTO"  # how long going back may take
    NO_DUMP = "No dump"  # why something may be destroyed without a dump of it
    NOTE = "Note"  # shown beside the step, nothing more


DIRECTIVES: dict[Name, tuple[str, str]] = {
    Name.EXPECT: ("a condition that what was seen must meet", "- Expect: status = 200"),
    Name.UNLESS: ("already done when this block or command succeeds", "- Unless: `test -e done`"),
    Name.UNDO: ("a block or command that takes the step back", "- Undo: `./migrate down`"),
    Name.NEEDS: ("steps or phases that must have passed before", "- Needs: Take a dump"),
    Name.REQUIRES: (
        "steps as in `Needs`; above all steps also a ticket or a release: a person answers",
        "- Requires: ticket SHOP-12",
    ),
    Name.BLOCKS: ("what waits for this release, nothing more", "- Blocks: the mobile release"),
    Name.RETRY: ("tries again while it does not pass", "- Retry: 3 times every 10s"),
    Name.TIMEOUT: ("how long one attempt may take", "- Timeout: 2m"),
    Name.EVERY: ("the beat of a watch", "- Every: 5m"),
    Name.FOR: ("how long a watch lasts", "- For: 24h"),
    Name.OWNER: ("who does or answers it", "- Owner: release manager"),
    Name.RECORD: ("indicators to keep in the evidence", "- Record: rows, duration"),
    Name.NAME: ("the identity of the step, instead of its text", "- Name: take-dump"),
    Name.KIND: ("`check` (looks) or `action` (changes)", "- Kind: check"),
    Name.CRITICAL: ("its failure stops everything behind it", "- Critical: yes"),
    Name.OPTIONAL: ("may be left out, with a reason", "- Optional: yes"),
    Name.INTERRUPTED: ("what happens after a crash in its middle", "- If interrupted: rerun"),
    Name.IDEMPOTENT: ("may be run again after a crash", "- Idempotent: yes"),
    Name.ESTIMATE: ("how long it should take", "- Estimate: 2 minutes"),
    Name.PHASE: ("what a section is for", "- Phase: watch"),
    Name.PARALLEL: ("may run beside its neighbours", "- Parallel: yes"),
    Name.EVIDENCE: ("what a person is to attach", "- Evidence: link to the dashboard"),
    Name.WINDOW: ("when a phase may begin", "- Window: Tue-Thu 02:00-05:00 Europe/London"),
    Name.DEADLINE: ("how long a question waits for its answer", "- Deadline: 24h"),
    Name.LOSES: ("what is gone after a way back", "- Loses: everything since the backup"),
    Name.ONLY_IF: ("when a way back is open", "- Only if: `test -e .migrated`"),
    Name.GREEN: ("how many good buckets end a rollback", "- Green: 3 buckets"),
    Name.RTO: ("how long going back may take at most", "- RTO: 15 minutes"),
    Name.NO_DUMP: ("why a dump is not needed before a loss", "- No dump: it is a cache"),
    Name.NOTE: ("shown beside the step, nothing more", "- Note: ask the support team"),
}
"""Each directive with a sentence and an example, for `gonogo kinds` and the documentation."""

_ESTIMATES = frozenset(
    {"estimated time", "estimated duration", "duration", "time", "time estimate", "eta"}
    | {"est. time", "expected duration", "expected time", "time required"}
)
_NOTES = frozenset(
    {"notes", "warning", "why", "reason", "important", "caution", "tip", "hint", "risk level"}
    | {"risk", "background", "context"}
)
_RECOVERY_TIMES = ("recovery within", "recovery time", "recovery time objective")
_ALIASES: dict[str, Name] = {
    **{name.value.casefold(): name for name in Name},
    **dict.fromkeys(("skip if", "already done if"), Name.UNLESS),
    **dict.fromkeys(("need",), Name.NEEDS),
    **dict.fromkeys(("depends on", "blocked by"), Name.REQUIRES),
    **dict.fromkeys(("retries",), Name.RETRY),
    **dict.fromkeys(("assignee", "responsible", "owners"), Name.OWNER),
    **dict.fromkeys(("records",), Name.RECORD),
    **dict.fromkeys(("data loss", "what is lost"), Name.LOSES),
    **dict.fromkeys(("only when",), Name.ONLY_IF),
    **dict.fromkeys(("green buckets",), Name.GREEN),
    **dict.fromkeys(_RECOVERY_TIMES, Name.RTO),
    **dict.fromkeys(
        _ESTIMATES,
        Name.ESTIMATE,
    ),
    **dict.fromkeys(
        _NOTES,
        Name.NOTE,
    ),
}
PROSE_EXPECTATIONS = frozenset(
    {"expected", "expected result", "expected results", "expected output", "expected response"}
    | {
        "expected outcome",
        "should return",
        "should show",
        "should output",
        "expects",
        "expected behavior",
    }
)
"""Labels that announce an expectation without saying it as a condition."""
_FOLDABLE = tuple(_ALIASES)
_BARE = re.compile(r"(critical|optional|parallel|idempotent)[.!]?", re.IGNORECASE)
_SEVERITY_TOO = frozenset({Name.CRITICAL, Name.NOTE})  # `Critical: p99 > 2s` is a rule


@dataclass(frozen=True, slots=True)
class Remark:
    """One directive of a step or section, with the blocks and items that stand under it."""

    name: Name
    value: Words
    span: Span
    fences: tuple[Fence, ...] = ()
    items: tuple[Item, ...] = ()
    prose_expectation: bool = False  # `Expected: …`: announced, not said as a condition

    @property
    def text(self) -> str:
        """The value as text."""
        return self.value.text

    @property
    def command(self) -> str | None:
        """The value in backticks, when the value is one piece of inline code."""
        codes = self.value.code
        whole = len(self.value.text.strip())
        if len(codes) == 1 and codes[0].end - codes[0].start == whole and whole:
            return self.value.text.strip()
        return None


def name_of(word: str) -> Name | None:
    """Return the directive that a word names, in any letter case."""
    return _ALIASES.get(" ".join(word.replace("_", " ").split()).casefold())


def remarks_of(node: Node, book: Notebook) -> tuple[Remark, ...]:
    """Return the directives that an item or paragraph writes; empty when it is anything else."""
    if not isinstance(node, Item | Paragraph | Quote):
        return ()
    if isinstance(node, Item) and _BARE.fullmatch(node.text.strip()):
        name = name_of(node.text.strip(" .!"))
        assert name is not None, node.text
        return (Remark(name, node.words.part(len(node.words.text)), node.span),)
    first = directive_of(node)
    if first is None:
        return ()
    if " ".join(first.name.split()).casefold() in PROSE_EXPECTATIONS:
        fences, items = _under(node)
        remark = Remark(Name.EXPECT, first.value, first.name_span, fences, items, True)  # noqa: FBT003
        return (remark,)
    name = name_of(first.name)
    if name is None or (name in _SEVERITY_TOO and phrases.smells(first.value)):
        return ()
    folded = split_folded(node.words, _FOLDABLE)
    if len(folded) > 1:
        _report_fold(folded, book)
        return tuple(_remark(one, node, last=one is folded[-1]) for one in folded)
    return (_remark(first, node, last=True),)


def lines_of(paragraph: Paragraph) -> tuple[Paragraph, ...]:
    """Return the lines of a paragraph with hard line ends one by one, when they hold directives."""
    text = paragraph.words.text
    if "\n" not in text:
        return (paragraph,)
    lines, start = [], 0
    for line in text.split("\n"):
        words = paragraph.words.part(start, start + len(line))
        start += len(line) + 1
        if words.text:
            lines.append(dataclasses.replace(paragraph, words=words, span=words.place()))
    if any(directive_of(line) is not None for line in lines):
        return tuple(lines)
    return (paragraph,)


def _under(node: Node) -> tuple[tuple[Fence, ...], tuple[Item, ...]]:
    return (node.fences, node.items) if isinstance(node, Item) else ((), ())


def _remark(found: Directive, node: Node, *, last: bool) -> Remark:
    name = name_of(found.name)
    assert name is not None, found.name
    fences, items = _under(node) if last else ((), ())
    return Remark(name, found.value, found.name_span, fences, items)


def _report_fold(folded: list[Directive], book: Notebook) -> None:
    names = " and ".join(f"`{one.name}`" for one in folded)
    shown = " / ".join(f"- {one.name}: {one.value.text}" for one in folded)
    book.strict(
        "GN310",
        f"{names} are folded into one line",
        folded[1].name_span,
        label="a directive of its own",
        hint=f"write a list, which no formatter folds: {shown}",
    )


def of_name(remarks: Iterable[Remark], name: Name) -> tuple[Remark, ...]:
    """Return the remarks of one name, in order."""
    return tuple(remark for remark in remarks if remark.name is name)
