"""What a step's observation must meet: written, announced in prose or a comment, or the default."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gonogo.errors import Diagnostic, Severity
from gonogo.plan.kinds import Effect, Printing, Stating, Work
from gonogo.plan.model import Block, Expectation
from gonogo.runbook import phrases, promises, proposals
from gonogo.runbook.blocks import shifted
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence
from gonogo.runbook.words import Piece, Words
from gonogo.source import Span, shortened

_COMMENT = re.compile(
    r"(?:^|\s)(?:#|--|//)(?:\s{0,4}|(?P<aside>[^()]{1,120}\())"
    r"(?P<text>(?:(?:expect(?:ed|s)?(?: (?:result|output|response|"
    r"status))?\s{0,3}:)"
    r"|(?:(?:this |it |all |both )?(?:should|must) (?:return|be|show|see|list|output|print|fail|"
    r"give|respond|contain|match|not )))"
    r".{0,300})$",
    re.IGNORECASE,
)
_BOUND = re.compile(r"\s*(?:#|--|//)\s{0,4}[-*•]?\s{0,4}(?=[^<>≤≥]{0,100}[<>≤≥])(\w.{2,200})$")
_WORDED = re.compile(
    r"\s*(?:#|--|//)\s{0,4}[-*•]?\s{0,4}(?=.{0,100}(?:[<>≤≥]|\b(?:should|must|within|below|under|"
    r"above|over|at (?:least|most)|less|more|fewer)\b))([\w<>≤≥].{2,200})$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^expect(?:ed|s)?(?: \w+)?\s{0,3}:\s*", re.IGNORECASE)


@dataclass(slots=True)
class Wanted:
    """The expectations of one block and what could not be said as one."""

    expect: list[Expectation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_expectations(remarks: Sequence[Remark], fence: Fence | None, book: Notebook) -> Wanted:
    """Return the expectations that the directives of a block and its comments state."""
    wanted = Wanted()
    announced: list[tuple[Words, Span]] = []
    for remark in remarks:
        if remark.name is not Name.EXPECT:
            continue
        texts = _texts(remark)
        if remark.prose_expectation and not texts:
            book.mean(remark.span, "expectation in prose", "the list below")
        if remark.prose_expectation:
            announced += [(words, remark.span) for words in texts]
        else:
            for words in texts:
                _written(words, remark.span, wanted, (fence, book))
    if fence is not None:
        announced += [(words, words.place()) for words in _comments(fence)]
    for words, span in announced:
        _announced(words, span, wanted, (fence, book))
    return wanted


def _texts(remark: Remark) -> list[Words]:
    """Return the conditions of one directive: its value and the items under it."""
    texts = [remark.value] if remark.value.text.strip() else []
    return texts + [item.words for item in remark.items if item.words.text.strip()]


def _written(
    words: Words, span: Span, wanted: Wanted, where: tuple[Fence | None, Notebook]
) -> None:
    fence, book = where
    said = phrases.read(words)
    if said.condition is not None:
        book.extend(said.diagnostics)
        wanted.expect.append(Expectation(said.condition, span.to(words.place())))
        book.mean(span.to(words.place()), "expectation", words.text)
        return
    errors = [d for d in said.diagnostics if d.severity is Severity.ERROR]
    if not errors:
        proposal = proposals.of_words(words, proposals.names_of(fence, book))
        missing = phrases.not_a_condition(words)
        hint = f"write `{proposal}`; `gonogo explain` reads a condition" if proposal else ""
        errors = [dataclasses.replace(missing, hint=hint or missing.hint)]
    else:
        errors = list(said.diagnostics)
    for diagnostic in errors:
        book.lenient(diagnostic)
    wanted.notes.append(f"Expect: {words.text}")
    book.mean(span.to(words.place()), "not understood", words.text)


def _comments(fence: Fence) -> list[Words]:
    found = []
    for row, line in enumerate(fence.body_without_options.split("\n")):
        match = _COMMENT.search(line) if len(line) <= 400 else None
        if match is not None:
            start = match.start("text")
            label = _LABEL.match(match["text"])
            start += label.end() if label else 0
            end = line.find(")", start) if match["aside"] else -1
            found += _words(line[:end] if end > 0 else line, start, row, fence)
            continue
        bound = _BOUND.match(line) if len(line) <= 400 else None
        if bound is not None:
            smelt = [w for w in _words(line, bound.start(1), row, fence) if phrases.smells(w)]
            found += smelt
            if smelt:
                continue
        worded = _WORDED.match(line) if len(line) <= 400 else None
        if worded is not None:
            said = _words(line, worded.start(1), row, fence)
            found += [w for w in said if promises.has_bound(w)]
    return found


def _words(line: str, start: int, row: int, fence: Fence) -> list[Words]:
    text = line[start:].strip()
    if not text:
        return []
    place = fence.place(row, start, len(text))
    return [Words(text, (Piece(0, place.line, place.column),))]


def _announced(
    words: Words, span: Span, wanted: Wanted, where: tuple[Fence | None, Notebook]
) -> None:
    """Keep an expectation that is announced but not a directive; never drop it in silence."""
    fence, book = where
    text = " ".join(words.text.split())
    wanted.notes.append(f"Expected: {text}")
    book.mean(span, "expectation in prose", text)
    if wanted.expect and not phrases.smells(words):
        book.note(
            "GN336",
            f"`{shortened(text)}` is only read by people: the block has an `Expect` of its own",
            span,
        )
        return
    proposal = proposals.of_announced(words, proposals.names_of(fence, book))
    book.strict(
        "GN335",
        f"the expectation `{shortened(text)}` is not judged",
        span,
        label="announced in prose",
        hint=f"write it under the block: `- Expect: {shortened(proposal)}`",
    )


def of_block(
    block: Block, written: Sequence[Expectation], book: Notebook
) -> tuple[Expectation, ...]:
    """Return what a block states itself, then what stands under it, all in our own words."""
    work = block.work
    if not isinstance(work, Stating):
        return tuple(written)
    found = []
    for text in work.stated():
        found.append(Expectation(phrases.fixed(text, block.span), block.span))
        book.mean(block.span, "expectation", text)
    for item in written:
        ours = work.translated(item.condition.text)
        condition = item.condition if ours is None else phrases.fixed(ours, item.condition.span)
        found.append(dataclasses.replace(item, condition=condition))
    return tuple(found)


def by_default(
    work: Work, effect: Effect, span: Span, book: Notebook, *, judged_by_hand: bool = False
) -> tuple[Expectation, ...]:
    """Return the expectation of a block whose author wrote none, as the kind states it.

    `judged_by_hand`: a person judges what prose expects of it, so that a kind without a default
    asserts something all the same.
    """
    text = work.default_expectation(effect)
    if text is None and judged_by_hand:
        return ()
    if text is None:
        book.strict(
            "GN337",
            f"this `{work.kind}` {effect.value} asserts nothing",
            span,
            hint=f"write what it must show: `- Expect: {_telling(work, effect)}`",
        )
        return ()
    book.mean(span, "default", f"Expect: {text}")
    return (Expectation(phrases.fixed(text, span), span, default=True),)


def _telling(work: Work, effect: Effect) -> str:
    """Return a condition that the block could state: of rows, what an action changed."""
    names = [*work.indicators]
    if effect is Effect.ACTION and "affected" in names:
        return "affected = …"
    return f"{names[0]} = …" if names else "…"


_OF_THE_COMMAND = frozenset(("exit code", "duration"))


def unjudged(
    block: Block, fence: Fence, expect: Sequence[Expectation], remarks: Sequence[Remark]
) -> tuple[Diagnostic, ...]:
    """Return what a block prints and neither a condition judges nor a later step asks for."""
    seen = {p.metric for e in expect for p in e.condition.predicates}
    if not isinstance(block.work, Printing) or seen - _OF_THE_COMMAND:
        return ()
    if of_name(remarks, Name.RECORD):
        return ()
    found = block.work.unjudged()
    return tuple(dataclasses.replace(one, span=shifted(one.span, fence)) for one in found)
