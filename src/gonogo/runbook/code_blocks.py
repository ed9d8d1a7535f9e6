"""One block of code of the page: where each of its lines stands, and whether it is ever closed."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from gonogo.errors import Diagnostic
from gonogo.runbook.fences import read_info, read_options
from gonogo.runbook.outline import Fence
from gonogo.source import Span


def read_code(token: Token, lines: Sequence[str]) -> tuple[Fence, list[Diagnostic]]:
    """Turn a block token into a fence; `lines` are all lines of the source."""
    start, end = token.map or (0, 1)
    if token.type == "code_block":
        return _indented(token, lines), []
    body = token.content.removesuffix("\n")
    count = token.content.count("\n") if token.content else 0
    is_closed = end - start == count + 2
    opening = lines[start]
    # the last run of fence signs on the line: a list bullet or quotation may stand before it
    column = opening.rfind(token.markup + token.info)
    indent = max(column, 0)
    info = token.info.strip()
    info_at = indent + len(token.markup) + len(token.info) - len(token.info.lstrip())
    read = read_info(info, start + 1, info_at + 1)
    offsets = _offsets(body, lines, start + 1, count, indent)
    options = read_options(body, read.language, start + 2, offsets)
    span = Span(start + 1, indent + 1, end, max(len(lines[end - 1].rstrip()) + 1, 2))
    fence = Fence(
        info,
        read.language,
        read.words,
        read.attributes,
        options.options,
        body,
        options.rest,
        span,
        Span.of_line(start + 1, info_at + 1 if info else indent + 1, len(info or token.markup)),
        _body_span(lines, start + 1, count),
        offsets,
        is_closed=is_closed,
        indent=indent,
    )
    return fence, [] if is_closed else [_never_closed(fence, token.markup)]


def _indented(token: Token, lines: Sequence[str]) -> Fence:
    """Turn text indented by four columns into a block that is documentation."""
    start, end = token.map or (0, 1)
    body = token.content.removesuffix("\n")
    first = lines[start]
    indent = len(first) - len(first.lstrip(" \t"))  # a no-break space is content
    offsets = _offsets(body, lines, start, end - start, indent)
    place = _body_span(lines, start, end - start)
    span = Span(start + 1, indent + 1, place.end_line, place.end_column)
    return Fence(
        "",
        "",
        (),
        (),
        (),
        body,
        body,
        span,
        span,
        place,
        offsets,
        is_indented_code=True,
        indent=indent,
    )


def _offsets(
    body: str, lines: Sequence[str], start: int, count: int, indent: int
) -> tuple[int, ...]:
    """Return per body line how many characters of its source line stand before it."""
    if count == 0:
        return ()
    offsets = []
    for row, text in enumerate(body.split("\n")[:count]):
        line = lines[start + row] if start + row < len(lines) else ""
        offsets.append(len(line) - len(text) if line.endswith(text) else min(indent, len(line)))
    return tuple(offsets)


def _body_span(lines: Sequence[str], start: int, count: int) -> Span:
    if count == 0:
        return Span.of_line(min(start, len(lines) - 1) + 1)
    last = start + count - 1
    return Span(start + 1, 1, last + 1, max(len(lines[last]) + 1, 2))


def _never_closed(fence: Fence, markup: str) -> Diagnostic:
    return Diagnostic(
        "GN008",
        "this block is never closed, so everything behind it belongs to it",
        Span.of_line(fence.span.line, fence.span.column, len(markup)),
        label="opened here",
        expected=f"a line `{markup[:12]}` after its last line",
    )
