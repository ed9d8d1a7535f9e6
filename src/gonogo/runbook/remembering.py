"""Values that steps keep for later ones: `Record: output as previous release`, and who asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gonogo.plan.condition import Condition, Predicate, Recorded
from gonogo.plan.model import Kept, Phase, Rollback, Rule, Step
from gonogo.runbook.directives import Name, Remark, of_name
from gonogo.runbook.notebook import Notebook

_BETWEEN = re.compile(r"[\s_-]+")
_ENTRY = re.compile(r",|;|\band\b")
_AS = re.compile(r"^(?P<what>.{1,120}?)\s+as\s+(?P<name>\S.{0,80})$", re.IGNORECASE)


def _same(name: str) -> str:
    """Return a name as a run looks it up: any case, `_` and `-` as blanks."""
    return _BETWEEN.sub(" ", name.lower()).strip()


def names(remarks: Sequence[Remark]) -> tuple[str, ...]:
    """Return the indicators that are kept under their own names."""
    return tuple(entry for _, entry in _entries(remarks) if _AS.match(entry) is None)


def kept(remarks: Sequence[Remark], book: Notebook) -> tuple[Kept, ...]:
    """Return the indicators that are kept under a name of the author's."""
    found = []
    for remark, entry in _entries(remarks):
        match = _AS.match(entry)
        if match is None:
            continue
        name = " ".join(match["name"].strip("`\"' ").lower().split())
        what = match["what"].strip("`\"' ")
        found.append(Kept(what, name))
        book.mean(remark.span, "kept value", f"`recorded {name}` is its `{what}`")
    return tuple(found)


def _entries(remarks: Sequence[Remark]) -> Iterator[tuple[Remark, str]]:
    for remark in of_name(remarks, Name.RECORD):
        for entry in _ENTRY.split(remark.text):
            text = entry.strip().strip("`").strip()
            if text:
                yield remark, text


def report(
    phases: Sequence[Phase], back: Rollback | None, rules: Sequence[Rule], book: Notebook
) -> None:
    """Report conditions that ask for a value which no step before them keeps, or several do."""
    before: dict[str, list[Step]] = {}
    for phase in phases:
        _in_order(phase.steps, before, book)
    for rule in rules:
        for predicate in _asking([rule.condition]):
            _wrong_place(predicate, book)
    if back is None:
        return
    for option in back.options:
        _in_order((*option.conditions, *option.steps), {k: [*v] for k, v in before.items()}, book)
    _in_order(back.proof, before, book)


def _in_order(steps: Sequence[Step], before: dict[str, list[Step]], book: Notebook) -> None:
    for step in steps:
        for predicate in _asking(_conditions(step)):
            _look_up(predicate, before, book)
        for name in (*step.records, *(one.name for one in step.keeps)):
            before.setdefault(_same(name), []).append(step)


def _conditions(step: Step) -> list[Condition]:
    unless = step.unless.expect if step.unless is not None else ()
    return [one.condition for one in (*step.expect, *unless)]


def _asking(conditions: Sequence[Condition]) -> Iterator[Predicate]:
    for condition in conditions:
        for predicate in condition.predicates:
            if isinstance(predicate.value, Recorded):
                yield predicate


def _look_up(predicate: Predicate, before: dict[str, list[Step]], book: Notebook) -> None:
    assert isinstance(predicate.value, Recorded)
    name = predicate.value.name
    found = before.get(_same(name), [])
    if not found:
        known = book.did_you_mean(name, before, "")
        write = f"write `- Record: … as {name}` under the step that shows it"
        book.strict(
            "GN406",
            f"no step before this one records `{name}`",
            predicate.span,
            hint=f"{known}; {write}" if known else write,
        )
    elif len(found) > 1:
        lines = ", ".join(str(step.span.line) for step in found[:5])
        book.strict(
            "GN407",
            f"`{name}` is recorded by several steps, on lines {lines}",
            predicate.span,
            hint="give each value a name of its own: `- Record: … as NAME`",
        )


def _wrong_place(predicate: Predicate, book: Notebook) -> None:
    book.strict(
        "GN408",
        "a rule of the watch is not compared with a recorded value",
        predicate.span,
        hint="compare with the baseline (`<= 1.2x baseline`), or write it as an `Expect` of a step",
    )
