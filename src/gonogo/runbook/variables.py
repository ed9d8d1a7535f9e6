"""The names that must be bound before a run, with the place of their first use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gonogo.plan.kinds import Variable
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.settings import Settings
from gonogo.source import Span

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,100})(?P<default>:?-[^}]{0,200})?\}")


def collect(used: Iterable[Variable], settings: Settings, book: Notebook) -> tuple[Variable, ...]:
    """Return every name that must be bound, first use each, in the order of the file.

    `{{app}}` in a block means the target of that name when there is one.
    """
    targets = {target.name for target in settings.targets}
    first: dict[str, Variable] = {}
    for variable in _all(used, settings):
        if variable.name in targets:
            continue
        if _is_misspelt_target(variable, targets, book):
            continue
        known = first.get(variable.name)
        if known is None or variable.span < known.span:
            first[variable.name] = variable
    return tuple(sorted(first.values(), key=lambda v: (v.span, v.name)))


def _is_misspelt_target(variable: Variable, targets: set[str], book: Notebook) -> bool:
    if not book.explicit or not targets or not _in_braces(variable, book):
        return False
    near = book.nearest(variable.name, targets, cutoff=0.7)
    if near is None:
        return False
    book.error(
        "GN211",
        f"no target is named `{variable.name}`",
        variable.span,
        label="not bound in the front matter",
        hint=f"did you mean `{near}`?",
    )
    return True


def _in_braces(variable: Variable, book: Notebook) -> bool:
    """Tell whether a name is written as `{{name}}`, the form in which targets are used."""
    line = book.source.line(variable.span.line)
    return "{{" in line[max(variable.span.column - 3, 0) : variable.span.end_column]


def _all(used: Iterable[Variable], settings: Settings) -> Iterator[Variable]:
    for target in settings.targets:
        yield from _in_text(target.text, target.span)
    for metric in settings.metrics:
        for value in metric.fields.values():
            yield from _in_text(str(value), metric.span)
    yield from settings.receivers.variables()
    yield from used


def _in_text(text: str, span: Span) -> Iterator[Variable]:
    for match in _REFERENCE.finditer(text):
        if not match["default"]:
            yield Variable(match[1], span)
