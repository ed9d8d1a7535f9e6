"""YAML with the place of every key and value; no anchors, no dates, nothing executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

import yaml

from gonogo.plan.receiving import Written
from gonogo.runbook.notebook import Notebook
from gonogo.source import Span

Place = Callable[[int, int, int], Span]
"""From a line and a column of the YAML text (from 0) and a length to a place in the runbook."""

Plain = str | int | Decimal | bool | None | list["Plain"] | dict[str, "Plain"]

_DEEPEST = 12
_BRACED = re.compile(r"[^\s,{}\"']*(?P<variable>\$\{(?P<name>[A-Za-z_]\w{0,100})\})[^\s,{}\"']*")


def compose(text: str, place: Place, book: Notebook, code: str) -> yaml.Node | None:
    """Return the node tree of a YAML text, or None after a diagnostic (or for an empty text).

    Aliases and deep nesting are refused: they can make a small file endless.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                book.error(
                    code,
                    f"anchors and aliases are not understood here: `*{event.anchor}`",
                    _at(event, place),
                    hint="write the value out",
                )
                return None
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                book.error(code, f"nested deeper than {_DEEPEST} levels", _at(event, place))
                return None
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        span = place(mark.line, mark.column, 1) if mark else place(0, 0, 1)
        what = (problem.problem or problem.context or "not understood").strip()
        hint = _braces_hint(text, mark) or _yaml_hint(what)
        book.error(code, f"this is not YAML: {what}", span, hint=hint)
    except (yaml.YAMLError, ValueError, OverflowError):  # the last two: of an odd escape or number
        book.error(
            code,
            "this is not YAML: it holds a character or number that YAML forbids",
            place(0, 0, 1),
        )
    return None


def _braces_hint(text: str, mark: yaml.Mark | None) -> str:
    """Return how a variable is written inside the braces of YAML, where one broke them."""
    if mark is None:
        return ""
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    for found in _BRACED.finditer(line):
        if found.start() <= mark.column <= found.end():
            word, name = found[0], found["name"]
            plain = word.replace(found["variable"], f"${name}")
            return (
                "YAML takes the `{` of `${…}` for its own inside braces:"
                f' write `{plain}`, or `"{word}"` in quotation marks'
            )
    return ""


def _yaml_hint(what: str) -> str:
    if "mapping values are not allowed" in what or "expected <block end>" in what:
        return "put text that holds `: ` or starts with a sign into quotation marks"
    if "token" in what:
        return "put the text into quotation marks"
    return ""


def _at(event: yaml.Event, place: Place) -> Span:
    mark = event.start_mark
    return place(mark.line, mark.column, 1) if mark else place(0, 0, 1)


def span_of(node: yaml.Node, place: Place) -> Span:
    """Return the place of a node; of one that reaches over several lines, its first line."""
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if end.line == start.line else len(str(node.value))
    return place(start.line, start.column, max(min(length, 200), 1))


def whole(key: yaml.Node, value: yaml.Node, place: Place) -> Span:
    """Return the place of a key and its value, up to the last line that belongs to it."""
    start, end = place(key.start_mark.line, key.start_mark.column, 1), value.end_mark
    lines = end.line - (1 if end.column == 0 and end.line > key.start_mark.line else 0)
    return start.to(place(lines, max(end.column - 1, 0), 1))


def pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Yield key text, key node and value node of a mapping; keys that are no text as their text."""
    for key, value in node.value:
        text = key.value if isinstance(key, yaml.ScalarNode) else "?"
        yield str(text), key, value


def plain(node: yaml.Node) -> Plain:
    """Return the value of a node: text, whole number, decimal, bool, None, list or mapping.

    Numbers keep their digits: `1.10` is the decimal 1.10; dates and other YAML types stay text.
    """
    if isinstance(node, yaml.MappingNode):
        return {key: plain(value) for key, _, value in pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return _scalar(str(node.value), node.tag)


def _scalar(text: str, tag: str) -> Plain:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in {"true", "yes", "on"}
    if kind in {"int", "float"}:
        try:
            number = Decimal(text.replace("_", ""))
        except InvalidOperation:
            return text
        if not number.is_finite() or len(text) > 40 or abs(number.adjusted()) > 40:
            return text
        return int(number) if kind == "int" else number
    return text


def doubled(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    """Yield the keys that a mapping holds for a second time."""
    seen: set[str] = set()
    for text, key, _ in pairs(node):
        if text in seen:
            yield text, key
        seen.add(text)


def say(value: Plain) -> str:
    """Return a plain value as one line of text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(say(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {say(item)}" for key, item in value.items())
    return str(value)


def written(node: yaml.Node, place: Place) -> Written:
    """Return a node as a piece of front matter with its place, for rooms that know no YAML."""
    span = span_of(node, place)
    if isinstance(node, yaml.MappingNode):
        named = tuple(
            (name, span_of(key, place), written(value, place)) for name, key, value in pairs(node)
        )
        return Written(span, pairs=named)
    if isinstance(node, yaml.SequenceNode):
        return Written(span, items=tuple(written(item, place) for item in node.value))
    return Written(span, None if node.tag.endswith(":null") else str(node.value))
