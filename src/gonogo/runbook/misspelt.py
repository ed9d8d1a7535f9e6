"""Lines that look like a directive and are none: a name with a slip, or another word for it."""

from __future__ import annotations

from gonogo.plan.kinds import Role
from gonogo.runbook.directives import PROSE_EXPECTATIONS, Name, Remark, name_of
from gonogo.runbook.drafts import Draft, Origin
from gonogo.runbook.labels import Directive, directive_of
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Item, Node, Paragraph, Quote

_NAMES = {name.value.casefold(): name.value for name in Name} | {
    "retries": "Retry", "depends on": "Depends on", "blocked by": "Blocked by", "skip if": "Unless",
}  # fmt: skip
_LOOKS_EXACT = 0.78
_UNDO = frozenset(
    """rollback|roll back|revert|undo with|undo command|back out|backout|to undo|to revert
    |to roll back|rollback command|rollback step|reversal""".replace("\n    ", "").split("|")
)
_TIMEOUT = frozenset(
    """max duration|maximum duration|time limit|max time|maximum time|stop after|time out
    |must finish within|finishes within|must end within""".replace("\n    ", "").split("|")
)
_EXPECT = frozenset(
    """must|must be|must have|must show|must return|must see|should|should be|should see|verify
    |verify that|verification|success|success if|success criteria|succeeds if|pass if|passes if
    |pass when|pass criteria|assert|acceptance|acceptance criteria|check that|ensure|ok if|good if
    """.replace("\n    ", "").split("|")
)
_OPPOSITE = frozenset(
    """fails if|fail if|fails when|fail when|failed if|must not|must not be|should not|failure
    |failure if|error if|bad if""".replace("\n    ", "").split("|")
)


def is_no_directive(
    node: Node, draft: Draft | None, book: Notebook, *, behind: bool = False
) -> bool:
    """Report a line that is nearly a directive; tell whether nothing is left to be read from it.

    `draft` is the step that it may speak of; `behind`: only if a block of that step came before.
    """
    if is_misspelt(node, book):
        return True
    return (
        draft is not None and (bool(draft.parts) or not behind) and _is_another(node, draft, book)
    )


def is_misspelt(node: Node, book: Notebook) -> bool:
    """Report a `Name: value` whose name is nearly that of a directive; tell whether it was."""
    found = directive_of(node)
    if found is None or len(found.name) > 24 or name_of(found.name) is not None:
        return False
    word = " ".join(found.name.split()).casefold()
    near = None if word in PROSE_EXPECTATIONS else book.nearest(word, _NAMES, cutoff=_LOOKS_EXACT)
    if near is None:
        return False
    _report(found, f"did you mean `{_NAMES[near]}`?", book)
    return True


def _is_another(node: Node, draft: Draft, book: Notebook) -> bool:
    """Report what a step with a block says under a name of its own: `Revert: …`, `Must: …`.

    Its words stay with the step for people; an expectation is judged by one until it is written.
    """
    found = directive_of(node)
    if found is None or not isinstance(node, Item | Paragraph | Quote):
        return False
    word = " ".join(found.name.split()).casefold()
    value = found.value.text.strip()
    under = isinstance(node, Item) and bool(node.fences)
    if word in _UNDO and draft.role is not Role.ROLLBACK and (found.value.code or under):
        _report(found, f"write `- Undo: {_shown(found)}` to take the step back with it", book)
    elif word in _TIMEOUT and value[:1].isdigit():
        _report(found, f"write `- Timeout: {value}`", book)
    elif word in _OPPOSITE and draft.parts and value:
        _report(found, f"write what must hold: `- Expect: {_turned(value)}`", book)
    elif word in _EXPECT and draft.parts and value:
        fences, items = (node.fences, node.items) if isinstance(node, Item) else ((), ())
        said = Remark(Name.EXPECT, found.value, found.name_span, fences, items, True)  # noqa: FBT003
        draft.attach(said)
        return True
    else:
        return False
    draft.notes.append(" ".join(node.words.text.split()))
    book.mean(node.span, "text", "note of the step above")
    return True


def report_way_back(draft: Draft, book: Notebook) -> None:
    """Report a label `Rollback:` over a block: it would be one more step, carried out in its turn.

    A numbered item, a box and a heading of that name are meant as what they are.
    """
    named = draft.origin in (Origin.PARAGRAPH, Origin.BLOCK, Origin.BULLET)
    if draft.role is Role.ROLLBACK or not (named and draft.title.casefold() in _UNDO):
        return
    book.strict(
        "GN312",
        f"the block under `{draft.title}` would be carried out as a step of this phase",
        draft.span,
        hint="write `- Undo:` with the block under it, or put it under a heading `## Rollback`",
    )


def _report(found: Directive, hint: str, book: Notebook) -> None:
    book.strict("GN312", f"there is no directive `{found.name}`", found.name_span, hint=hint)


def _shown(found: Directive) -> str:
    """Return the command of a value in the backticks that the author wrote, else a place for it."""
    codes = found.value.inline_code
    return f"`{codes[0][0][:60]}`" if len(codes) == 1 else "…"


def _turned(text: str) -> str:
    """Return the opposite of a condition on a text; the author turns round any other."""
    for one, other in ((" contains ", " does not contain "), (" matches ", " does not match ")):
        if one in text and other not in text:
            return text.replace(one, other, 1)
    return "…"
