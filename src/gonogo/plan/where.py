"""Which lines of a log count: `status >= 500 and path startswith /api`, from text to a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Worth = str | float | bool | None

LONGEST = 1_000
_DEEPEST = 20
OPERATORS = (
    *("=", "!=", "<", "<=", ">", ">=", "startswith", "endswith", "contains", "in", "between"),
    *("exists", "is absent"),
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<field>`[^`]+`)
    |(?P<sign><=|>=|==|!=|<>|=|<|>|≤|≥|≠)
    |(?P<mark>[()\[\],])
    |(?P<word>[^\s()\[\],"'`<>=!≤≥≠]+))""",
    re.VERBOSE,
)
_SIGNS = {"==": "=", "<>": "!=", "≤": "<=", "≥": ">=", "≠": "!="}
_ORDER = frozenset(("<", "<=", ">", ">="))
_FIELD = re.compile(r"[A-Za-z_@$][\w@$.-]*")
_FAMILY = re.compile(r"[1-5]xx", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?")


class NotUnderstoodError(ValueError):
    """A filter cannot be read; the text says why, and `hint` what to write."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Say what was found."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a field."""

    field: str
    op: str
    values: tuple[Worth, ...] = ()


@dataclass(frozen=True, slots=True)
class Both:
    """All of several."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of several."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Node


Node = Test | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as written, and understood."""

    text: str
    root: Node

    def fields(self) -> tuple[str, ...]:
        """Return the names of the fields that it looks at, each once."""
        return tuple(dict.fromkeys(_fields(self.root)))


def _fields(node: Node) -> Iterator[str]:
    match node:
        case Test():
            yield node.field
        case Not():
            yield from _fields(node.part)
        case Both() | Either():
            for part in node.parts:
                yield from _fields(part)


def read(text: str) -> Filter:
    """Read a filter.

    Raises:
        NotUnderstoodError: it cannot be read.
    """
    if len(text) > LONGEST:
        raise NotUnderstoodError(f"a filter of {len(text)} characters is too long")
    parser = _Parser(_tokens(text))
    root = parser.any_of()
    parser.expect_end()
    return Filter(" ".join(text.split()), root)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NotUnderstoodError(
                f"`{text[at:end].strip()[:20]}` is not understood", "close the quotes"
            )
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Parser:
    """Reads tokens from left to right: or, and, not, brackets, comparison."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def _word(self) -> str:
        """Return the next token in small letters if it is no quoted text, else nothing."""
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return "" if kind in {"quoted", "field"} else text.lower()

    def _takes(self, *words: str) -> bool:
        if self._word() not in words:
            return False
        self._at += 1
        return True

    def _next(self, what: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise NotUnderstoodError(
                f"the filter ends where {what} is expected", "write `field = value`"
            )
        self._at += 1
        return self._tokens[self._at - 1]

    def expect_end(self) -> None:
        """Refuse what stands behind a complete filter."""
        if self._at < len(self._tokens):
            rest = self._tokens[self._at][1]
            raise NotUnderstoodError(
                f"`{rest}` is not expected there",
                "join comparisons with `and` or `or`; quote a value with spaces",
            )

    def any_of(self) -> Node:
        """Read parts joined by `or`."""
        parts = [self._all_of()]
        while self._takes("or", "||"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all_of(self) -> Node:
        parts = [self._one()]
        while self._takes("and", "&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotUnderstoodError(f"nested deeper than {_DEEPEST} levels")
        node: Node
        if self._takes("not"):
            node = Not(self._one())
        elif self._takes("("):
            node = self.any_of()
            if not self._takes(")"):
                raise NotUnderstoodError("a bracket is not closed", "add `)`")
        else:
            node = self._test()
        self._depth -= 1
        return node

    def _test(self) -> Node:
        kind, text = self._next("a field")
        field = text[1:-1] if kind == "field" else text
        if kind not in {"word", "field"} or (kind == "word" and not _FIELD.fullmatch(field)):
            raise NotUnderstoodError(
                f"`{text}` is no field of a line", "write the field first: `status >= 500`"
            )
        negated = self._takes("not")
        test = self._comparison(field)
        return Not(test) if negated else test

    def _comparison(self, field: str) -> Node:
        if self._takes("exists"):
            return Test(field, "exists")
        if self._takes("is"):
            return self._is(field)
        if self._takes("startswith", "starts"):
            self._takes("with")
            return Test(field, "startswith", (self._text(),))
        if self._takes("endswith", "ends"):
            self._takes("with")
            return Test(field, "endswith", (self._text(),))
        if self._takes("contains"):
            return Test(field, "contains", (self._text(),))
        if self._takes("in"):
            return Test(field, "in", self._list())
        if self._takes("between"):
            low = self._number("between")
            if not self._takes("and"):
                raise NotUnderstoodError("`between` needs two numbers", "between 500 and 599")
            return Test(field, "between", (low, self._number("between")))
        return self._signed(field)

    def _signed(self, field: str) -> Node:
        kind, text = self._next("a comparison")
        if kind != "sign":
            raise NotUnderstoodError(
                f"`{text}` is no comparison",
                "known: " + ", ".join(f"`{word}`" for word in OPERATORS),
            )
        op = _SIGNS.get(text, text)
        if op in _ORDER:
            return Test(field, op, (self._number(op),))
        return _equal(field, op, self._value())

    def _is(self, field: str) -> Node:
        negated = self._takes("not")
        if self._takes("absent", "missing"):
            return Test(field, "exists" if negated else "is absent")
        return _equal(field, "!=" if negated else "=", self._value())

    def _text(self) -> str:
        kind, text = self._next("a text")
        if kind in {"sign", "mark"}:
            raise NotUnderstoodError(
                f"`{text}` stands where a text is expected", "put it in quotes"
            )
        return _unquoted(text) if kind == "quoted" else text

    def _number(self, op: str) -> float:
        value = self._value()
        if isinstance(value, str | bool) or value is None:
            shown = "null" if value is None else str(value)
            raise NotUnderstoodError(
                f"`{shown}` behind `{op}` is no number", "write a bare number, without a unit"
            )
        return value

    def _value(self) -> Worth:
        kind, text = self._next("a value")
        if kind == "quoted":
            return _unquoted(text)
        if kind in {"sign", "mark"}:
            raise NotUnderstoodError(f"`{text}` stands where a value is expected", "quote a text")
        if NUMBER.fullmatch(text):
            return int(text) if "." not in text else float(text)
        return {"true": True, "false": False, "null": None}.get(text.lower(), text)

    def _list(self) -> tuple[Worth, ...]:
        close = ")" if self._takes("(") else "]" if self._takes("[") else ""
        found = [self._value()]
        while self._takes(","):
            found.append(self._value())
        family = next((v for v in found if isinstance(v, str) and _FAMILY.fullmatch(v)), None)
        if family is not None:
            raise NotUnderstoodError(
                f"no line has `{family}`", f"`between {family[0]}00 and {family[0]}99`"
            )
        if close and not self._takes(close):
            raise NotUnderstoodError(f"a list is not closed, expected `{close}`")
        return tuple(found)


def _equal(field: str, op: str, value: Worth) -> Node:
    """Return a comparison with one value; `5xx` stands for all from 500 to 599."""
    if not (isinstance(value, str) and _FAMILY.fullmatch(value)):
        return Test(field, op, (value,))
    low = int(value[0]) * 100
    test = Test(field, "between", (low, low + 99))
    return Not(test) if op == "!=" else test


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
