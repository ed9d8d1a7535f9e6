"""Reads SQL as PostgreSQL itself does: statements as trees, and what does not parse with its place.

The only module that knows the parser (docs/decisions/0005-sql-parser.md). It is loaded with the
first text, because most runbooks are started more often than they hold SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gonogo.plan import sqltext

Node = Any  # a message of the parser: its fields have the names of PostgreSQL's own structures

_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*(?::-[^}]*)?\}|\{\{\s*\w[\w -]*\}\}")
_BUILT = re.compile(r"%(?:\d+\$)?[Is]")  # of a text that `format` fills
_BEFORE = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|;)+")
_STAND_IN = "ø"  # a letter that may stand anywhere in a name


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement as the parser sees it; `kind` is the name of its node: `drop_stmt`."""

    kind: str
    node: Node
    text: str
    at: int  # offset in the whole text
    names: Mapping[str, str]  # stand-ins in names -> the variable that the author wrote

    @property
    def end(self) -> int:
        """Return the offset behind the statement."""
        return self.at + len(self.text)

    def written(self, name: str) -> str:
        """Return a name of the tree with its variables as the author wrote them."""
        for stand_in, variable in self.names.items():
            name = name.replace(stand_in, variable)
        return name


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A statement that is no SQL of PostgreSQL: what the parser says, and at which offset."""

    statement: sqltext.Statement
    message: str
    at: int
    has_variable: bool  # outside quotes, where a value may be anything


@dataclass(frozen=True, slots=True)
class Reading:
    """A text of SQL, read."""

    statements: tuple[Parsed, ...]
    unparsed: tuple[Unparsed, ...]


class NoSqlError(Exception):
    """The parser refuses a text; `at` is an offset in characters."""

    def __init__(self, message: str, at: int) -> None:
        """Keep what the parser says and where."""
        super().__init__(message)
        self.message = message
        self.at = at


def read(text: str, *, built: bool = False) -> Reading:
    """Return the statements of a text; one that does not parse hides none of the others.

    `built` texts are made by PL/pgSQL: they may hold the `%I` of `format`.
    """
    masked, names = _masked(text, _BUILT if built else _VARIABLE)
    try:
        return Reading(tuple(_statements(text, masked, names)), ())
    except NoSqlError:
        pass
    parsed: list[Parsed] = []
    unparsed: list[Unparsed] = []
    for statement in sqltext.split(text).statements:
        piece = masked[statement.at : statement.end]
        try:
            found = list(_statements(statement.text, piece, names))
            parsed += [_moved(one, statement.at) for one in found]
        except NoSqlError as error:
            varies = any(token.kind == "variable" for token in statement.tokens)
            unparsed.append(
                Unparsed(statement, error.message, statement.at + error.at, has_variable=varies)
            )
    return Reading(tuple(parsed), tuple(unparsed))


def _moved(found: Parsed, by: int) -> Parsed:
    return Parsed(found.kind, found.node, found.text, found.at + by, found.names)


def _masked(text: str, variable: re.Pattern[str] = _VARIABLE) -> tuple[str, dict[str, str]]:
    """Put a name of the same length for each variable."""
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        found = _STAND_IN + re.sub(r"\W", _STAND_IN, match[0])[1:]
        names[found] = names[found.lower()] = match[0]
        return found

    masked = variable.sub(stand_in, text)
    return masked, dict(sorted(names.items(), key=lambda item: -len(item[0])))


def _statements(text: str, masked: str, names: Mapping[str, str]) -> Iterator[Parsed]:
    """Yield the statements of a masked text, with their words from the text as written.

    Raises:
        NoSqlError: one of them does not parse.
    """
    whole = masked.encode()
    chars = _Chars(whole)
    for raw in _parse(masked):
        start, length = raw.stmt_location, raw.stmt_len
        end = start + length if length else len(whole)
        first, last = chars.before(start), chars.before(end)
        first = _behind_comments(text, first, last)
        yield Parsed(
            raw.stmt.WhichOneof("node") or "",
            getattr(raw.stmt, raw.stmt.WhichOneof("node") or "", None),
            text[first:last].rstrip(),
            first,
            names,
        )


def _parse(text: str) -> list[Node]:
    if "\0" in text:
        raise NoSqlError("a character of value zero stands in this text", text.index("\0"))
    import postgast

    try:
        return list(postgast.parse(text).stmts)
    except postgast.PgQueryError as error:
        raise NoSqlError(error.message, max(error.cursorpos - 1, 0)) from None
    except UnicodeEncodeError as error:
        raise NoSqlError("this is no text in UTF-8", error.start) from None


class _Chars:
    """Counts characters from byte to byte, so that a text of many statements is read once."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole
        self._at = self._count = 0

    def before(self, at: int) -> int:
        """Return how many characters stand before a byte; never one before the last asked for."""
        self._count += len(self._whole[self._at : at].decode(errors="ignore"))
        self._at = at
        return self._count


def _behind_comments(text: str, at: int, end: int) -> int:
    """Return where the first word of a statement stands: the parser counts comments to it."""
    while at < end:
        match = _BEFORE.match(text, at, end)
        if match:
            at = match.end()
        elif text.startswith("/*", at):
            at = sqltext.comment_end(text, at) or end
        else:
            break
    return at


def bodies(text: str) -> tuple[tuple[str, bool], ...] | None:
    """Return the statements inside PL/pgSQL; True stands at those built as texts (`EXECUTE`).

    Takes a whole `DO` or `CREATE FUNCTION`; None: it is in another language, or cannot be read.
    """
    import postgast

    try:
        found = postgast.parse_plpgsql(_masked(text)[0])
    except (postgast.PgQueryError, ValueError):
        return None
    return tuple(_queries(found, built=False))


def _queries(node: object, *, built: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(node, list):
        for item in node:
            yield from _queries(item, built=built)
        return
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "PLpgSQL_expr":
            if built or value.get("parseMode", 0) == 0:
                yield str(value.get("query", "")), built
        elif name in {"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"}:
            yield from _queries(value.get("query"), built=True)
            rest = {key: item for key, item in value.items() if key not in {"query", "params"}}
            yield from _queries(rest, built=False)
        else:
            yield from _queries(value, built=False)


def built_text(expression: str) -> str:
    """Return the SQL that an expression builds, with stand-ins for what only the run knows."""
    try:
        (raw,) = _parse(f"SELECT {expression}")
    except (NoSqlError, ValueError):
        return ""
    (target,) = raw.stmt.select_stmt.target_list
    return _text_of(target.res_target.val)


def _text_of(node: Node) -> str:
    kind = node.WhichOneof("node")
    if kind == "a_const":
        return str(node.a_const.sval.sval)
    if kind == "a_expr" and [part.string.sval for part in node.a_expr.name] == ["||"]:
        return _text_of(node.a_expr.lexpr) + _text_of(node.a_expr.rexpr)
    if kind == "type_cast":
        return _text_of(node.type_cast.arg)
    if kind == "func_call" and node.func_call.args:
        called = node.func_call.funcname[-1].string.sval
        if called in {"format", "concat"}:
            parts = [_text_of(arg) for arg in node.func_call.args]
            return parts[0] if called == "format" else "".join(parts)
    return "computed_name"


def without_values(text: str) -> str:
    """Return a statement with `$1`, `$2` for its values, so that it tells no data.

    What does not parse loses everything in quotes and every number.
    """
    import postgast

    try:
        return str(postgast.normalize(text.replace("\0", "")))
    except (postgast.PgQueryError, UnicodeEncodeError):
        return re.sub(r"'(?:[^']|'')*'?|\b\d[\w.]*", "?", text)
