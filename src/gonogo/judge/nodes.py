"""The nodes of a YAML file that a team writes, read with all mistakes and their places."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

import yaml

from gonogo.errors import Diagnostic
from gonogo.plan.units import Dimension, parse_quantity
from gonogo.source import Source, Span

CODE = "GN700"
_DEEPEST = 12
Pairs = list[tuple[str, yaml.Node, yaml.Node]]
Word = TypeVar("Word", bound=StrEnum)


class Nodes:
    """Reads the nodes of one file and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        """Begin without a mistake."""
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def wrong(self, at: yaml.Node | Span, message: str, hint: str = "") -> None:
        """Note a mistake."""
        span = at if isinstance(at, Span) else self.span(at)
        self.diagnostics.append(Diagnostic(CODE, message, span, hint=hint))

    def span(self, node: yaml.Node) -> Span:
        """Return where a node stands; of one over several lines its beginning."""
        start, end = node.start_mark, node.end_mark
        if start.line == end.line:
            return Span.of_line(start.line + 1, start.column + 1, end.column - start.column)
        return Span.of_line(start.line + 1, start.column + 1)

    def compose(self) -> yaml.Node | None:
        """Return the root; aliases are refused, since they make a small file endless."""
        text = self.source.text
        depth = 0
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if isinstance(event, yaml.AliasEvent):
                    self.wrong(_at(event), "anchors are not understood", "write the value out")
                    return None
                if depth > _DEEPEST:
                    self.wrong(_at(event), f"nested deeper than {_DEEPEST} levels")
                    return None
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as problem:
            mark = problem.problem_mark or problem.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.wrong(Span.of_line(line, column), f"this is not YAML: {problem.problem}")
            return None
        except (
            yaml.YAMLError,
            ValueError,
            OverflowError,
        ):  # the last two: of an odd escape or number
            self.wrong(Span.of_line(1), "this is not YAML that can be read")
            return None
        if root is None:
            self.wrong(Span.of_line(1), "the timeline is empty", "see docs/watch-semantics.md")
        return root

    def pairs(self, node: yaml.Node, what: str, known: tuple[str, ...] = ()) -> Pairs:
        """Return key, key node and value of a mapping; unknown and repeated keys are mistakes."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping")
            return []
        found: Pairs = []
        seen: set[str] = set()
        for key, value in node.value:
            name = " ".join(str(key.value).split()) if isinstance(key, yaml.ScalarNode) else ""
            if not name or (known and name not in known):
                hint = f"known are {', '.join(f'`{word}`' for word in known)}" if known else ""
                self.wrong(key, f"`{name}` is not known in {what}", hint)
            elif name in seen:
                self.wrong(key, f"`{name}` stands twice in {what}")
            else:
                seen.add(name)
                found.append((name, key, value))
        return found

    def text(self, node: yaml.Node, what: str) -> str | None:
        """Return one line of text."""
        if isinstance(node, yaml.ScalarNode) and str(node.value).strip():
            return str(node.value)
        self.wrong(node, f"{what} must be one line of text")
        return None

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """Return the items of a list."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(node, f"{what} must be a list")
        return []

    def duration_ms(self, node: yaml.Node, what: str) -> int | None:
        """Return a length of time with a unit in milliseconds."""
        said = self.text(node, what)
        if said is None:
            return None
        quantity = parse_quantity(said)
        if quantity is None or quantity.dimension is not Dimension.TIME or quantity.number < 0:
            self.wrong(node, f"`{said}` is no time: {what} needs a number with a unit, as in `15m`")
            return None
        exact = quantity.si * 1000
        if exact != int(exact) or exact > 10**13:
            self.wrong(node, f"`{said}` is no whole number of milliseconds")
            return None
        return int(exact)

    def whole(self, node: yaml.Node, what: str) -> int | None:
        """Return a whole number."""
        said = (self.text(node, what) or "").replace("_", "").replace(",", "")
        if said.isdecimal() and said.isascii() and len(said) <= 12:
            return int(said)
        self.wrong(node, f"{what} must be a whole number")
        return None

    def word(self, node: yaml.Node, key: str, words: type[Word]) -> Word | None:
        """Return one of a few words."""
        said = (self.text(node, f"`{key}`") or "").lower()
        if said in {word.value for word in words}:
            return words(said)
        known = ", ".join(f"`{word.value}`" for word in words)
        self.wrong(node, f"`{said}` is no {key}", f"one of {known}")
        return None


def _at(event: yaml.Event) -> Span:
    mark = event.start_mark
    return Span.of_line(mark.line + 1, mark.column + 1) if mark else Span.of_line(1)
