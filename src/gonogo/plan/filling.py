"""Names inside texts: `${NAME}` is a variable, `{{name}}` a target or a variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Variable
from gonogo.plan.places import Places
from gonogo.source import Span

_NAME = re.compile(
    r"\$\{(?P<dollar>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|\{\{\s*(?P<braces>[A-Za-z_][\w-]*)\s*\}\}"
)


def variables(text: str) -> tuple[Variable, ...]:
    """Return the names in a text that must be bound, the first use of each."""
    places = Places(text)
    found: dict[str, Variable] = {}
    for match in _NAME.finditer(text):
        name = match["dollar"] or match["braces"]
        if match["default"] is None and name not in found:
            found[name] = Variable(name, places.span(*match.span()))
    return tuple(found.values())


def variables_of(fields: Mapping[str, str], body: str) -> tuple[Variable, ...]:
    """Return the names used in the fields of a typed block; places are looked up in its text."""
    return tuple(_placed(fields, body))


def _placed(fields: Mapping[str, str], body: str) -> Iterator[Variable]:
    places = Places(body)
    for value in fields.values():
        for variable in variables(value):
            at = body.find(variable.name)
            span = Span.of_line(1) if at < 0 else places.span(at, at + len(variable.name))
            yield Variable(variable.name, span)


def fill(text: str, context: Context) -> str:
    """Put the values in.

    Raises:
        WorkError: a name is not bound.
    """

    def value(match: re.Match[str]) -> str:
        found = value_of(match["dollar"] or match["braces"], context, targets=not match["dollar"])
        if found is not None:
            return found
        if match["default"] is not None:
            return match["default"]
        name = match["dollar"] or match["braces"]
        raise WorkError(
            f"`{name}` is not bound", hint="bind it in the environment or under `targets:`"
        )

    return _NAME.sub(value, text)


def value_of(name: str, context: Context, *, targets: bool = True) -> str | None:
    """Return the value of a name; a target goes before a variable where both are allowed."""
    if targets and name in context.targets:
        return context.targets[name]
    return context.variables.get(name)


def shown(name: str) -> str:
    """Return how a target is called in messages: an address without user and password."""
    return re.sub(r"(?<=://)[^/?#]*@", "", name)


def target(name: str, context: Context) -> str:
    """Return the address that `on` means: the name of a target, or an address as it is.

    Raises:
        WorkError: there is no such target.
    """
    if name in context.targets:
        return context.targets[name]
    if "://" in name or "$" in name or "{{" in name:
        return fill(name, context)
    known = ", ".join(f"`{known}`" for known in context.targets) or "none"
    raise WorkError(
        f"no target is named `{name}`; the front matter has {known}",
        hint=f"bind it: `targets: {{ {name}: ${{…}} }}`",
    )
