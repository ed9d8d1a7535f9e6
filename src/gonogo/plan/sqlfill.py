"""Puts values into SQL so that a value can never become a statement."""

from __future__ import annotations

import re
from collections.abc import Callable

from gonogo.errors import WorkError
from gonogo.plan.sqltext import Statement, Token

_NAME = re.compile(
    r"\$\{\s*(?P<dollar>[A-Za-z_]\w*)\s*\}|\{\{\s*(?P<braces>[A-Za-z_][\w-]*)\s*\}\}"
)
_BARE = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?")

Lookup = Callable[[str], str | None]


def fill(statement: Statement, lookup: Lookup) -> str:
    """Return the statement's text with its names replaced by values.

    Inside quotes a value is escaped; outside them only a number or a plain name is accepted.

    Raises:
        WorkError: a name is not bound, or its value does not fit its place.
    """
    parts: list[str] = []
    at = statement.at
    text = statement.text
    for token in statement.tokens:
        between = text[at - statement.at : token.at - statement.at]  # blanks and comments
        parts += [between, _filled(token, lookup)]
        at = token.at + len(token.text)
    return "".join(parts)


def _filled(token: Token, lookup: Lookup) -> str:
    if token.kind not in {"variable", "string", "ident", "dollar"}:
        return token.text
    quote = {"string": "'", "ident": '"'}.get(token.kind)
    backslashes = token.kind == "string" and token.text[:1] in {"e", "E"}

    def value(match: re.Match[str]) -> str:
        name = match["dollar"] or match["braces"]
        found = lookup(name)
        if found is None:
            raise WorkError(f"`{name}` is not bound", hint="bind it in the environment of the run")
        if "\0" in found:
            raise WorkError(f"the value of `{name}` holds a NUL character, which SQL cannot take")
        if quote is not None:
            found = found.replace("\\", "\\\\") if backslashes else found
            return found.replace(quote, quote * 2)
        if token.kind == "dollar":
            return _for_dollar_quotes(token, name, found)
        if _BARE.fullmatch(found):
            return found
        raise WorkError(
            f"the value of `{name}` is neither a number nor a plain name",
            hint=f"put quotes around it: `'${{{name}}}'`",
        )

    return _NAME.sub(value, token.text)


def _for_dollar_quotes(token: Token, name: str, value: str) -> str:
    if "$" in value or "'" in value:
        raise WorkError(
            f"the value of `{name}` cannot stand in `{token.text[: token.text.find('$', 1) + 1]}`",
            hint="values with `$` or quotes need ordinary quotes",
        )
    return value
