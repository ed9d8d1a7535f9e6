"""Blocks that a directive gives to a step: how to see that it is done, and how to take it back."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.plan.kinds import Effect, Work
from gonogo.plan.model import Block, Done
from gonogo.runbook import expectations
from gonogo.runbook.blocks import Bound, Fences, is_in_background
from gonogo.runbook.directives import Name, Remark, of_name, remarks_of
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence
from gonogo.source import Span

_SHELL = "bash"


def unless(remarks: Sequence[Remark], fences: Fences, book: Notebook) -> Done | None:
    """Return how to see that a step is already done."""
    done = None
    for remark in of_name(remarks, Name.UNLESS):
        done = done_of(remark, fences, book) or done
    return done


def undo(remarks: Sequence[Remark], fences: Fences, book: Notebook) -> tuple[Block, ...]:
    """Return the blocks that take a step back, in their order."""
    blocks: list[Block] = []
    for remark in of_name(remarks, Name.UNDO):
        for bound in _blocks_of(remark, fences, book):
            blocks.append(bound.block)
            book.mean(bound.block.span, "undo", bound.block.work.describe())
    return tuple(blocks)


def done_of(remark: Remark, fences: Fences, book: Notebook) -> Done | None:
    """Return the first block that a directive gives, with what it must show."""
    for bound in _blocks_of(remark, fences, book)[:1]:
        inner = [r for item in remark.items for r in remarks_of(item, book)]
        fence = remark.fences[0] if remark.fences else None
        inner += list(bound.remarks)
        wanted = expectations.read_expectations(inner, fence, book)
        expect = tuple(wanted.expect)
        if not expect and not wanted.notes:
            work: Work = bound.block.work
            expect = expectations.by_default(work, Effect.CHECK, remark.span, book)
        source = fence or _inline_fence(remark)
        book.extend(expectations.unjudged(bound.block, source, expect, inner))
        return Done(bound.block, expect)
    return None


def in_background(block: Block | None, book: Notebook, *, beside: bool) -> bool:
    """Say whether a block is carried out in the background; warn where nothing runs beside."""
    if block is None or not is_in_background(block):
        return False
    if not beside:
        book.warn(
            "GN519",
            "`background` changes nothing here",
            Span.of_line(block.span.line),
            label="a way back and what belongs to a step run one after another",
            hint="take it out",
        )
    return beside


def _blocks_of(remark: Remark, fences: Fences, book: Notebook) -> tuple[Bound, ...]:
    """Return the blocks that a directive gives, as fences under it or as inline code."""
    given = list(remark.fences)
    if not given and remark.command is not None:
        given = [_inline_fence(remark)]
    bound = [fences.bind(fence) for fence in given]
    found = tuple(b for b in bound if b is not None)
    for one in found:
        in_background(one.block, book, beside=False)
    if not given:
        book.strict(
            "GN321",
            f"`{remark.name.value}` needs a command",
            remark.span,
            hint=f"write `- {remark.name.value}:` and a command in backticks, or a block",
        )
    elif any(not fences.runnable(fence) for fence in given) and len(found) < len(given):
        book.strict("GN321", f"`{remark.name.value}` needs a block that can be run", remark.span)
    return found


def _inline_fence(remark: Remark) -> Fence:
    """Return the command that a directive writes in backticks as a block of one line."""
    text, span = remark.value.inline_code[0]
    return Fence(
        info=_SHELL,
        language=_SHELL,
        words=(),
        attributes=(),
        options=(),
        body=text,
        body_without_options=text,
        span=span,
        info_span=Span.of_line(span.line, span.column),
        body_span=span,
        offsets=(span.column - 1,),
    )
