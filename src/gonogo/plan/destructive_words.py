"""Recognises SQL that destroys by its words alone: what no parser of PostgreSQL can read.

That is SQL of other databases, and statements with parts that only a shell knows. PostgreSQL's own
is read as a tree (`destructive_tree`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gonogo.plan.destructive_loss import LONGEST, Loss
from gonogo.plan.sqltext import Statement, Token, split
from gonogo.source import shortened

_REBUILDABLE = frozenset(
    """INDEX VIEW FUNCTION PROCEDURE ROUTINE AGGREGATE TRIGGER POLICY RULE CAST OPERATOR STATISTICS
    COLLATION CONVERSION EVENT TEXT ACCESS TRANSFORM LANGUAGE PUBLICATION EXTENSION TYPE
    DOMAIN""".split()  # noqa: SIM905 - reads better than twenty quoted words
)
_NOT_A_COLUMN = frozenset(("CONSTRAINT", "DEFAULT", "NOT", "IDENTITY", "EXPRESSION"))
_FILLING = frozenset(("IF", "EXISTS", "ONLY", "TABLE", "COLUMN", "CONCURRENTLY", "VIEW"))
_TWO_WORDS = frozenset(("MATERIALIZED", "FOREIGN", "OWNED", "USER", "EVENT", "TEXT", "ACCESS"))
_ENDS_OF_NAMES = frozenset(("CASCADE", "RESTRICT", "RESTART", "CONTINUE", "SET", "USING", "WHERE"))
_ALWAYS_TRUE = frozenset(("TRUE", "1=1", "1 = 1", "NOT FALSE", "'1'='1'"))
_KEYWORD = re.compile(r"BEGIN|THEN|ELSE|LOOP|EXECUTE", re.IGNORECASE)
_DESTROYING = frozenset(("DROP", "TRUNCATE", "DELETE", "UPDATE", "ALTER", "WITH"))


def losses_by_words(statement: Statement) -> tuple[Loss, ...]:
    """Return what one statement destroys, as far as its words tell."""
    return tuple(_of_statement(statement))


def temporary_by_words(statement: Statement) -> set[str]:
    """Return the temporary table that a statement makes, in small letters."""
    words = [t.word for t in statement.tokens[:8]]
    if words[:1] != ["CREATE"] or not {"TEMP", "TEMPORARY"} & set(words) or "TABLE" not in words:
        return set()
    return {_name(statement.tokens, words.index("TABLE") + 1).lower()}


def _of_statement(statement: Statement) -> Iterator[Loss]:
    tokens = statement.tokens
    first = statement.first
    if first == "DO":
        yield from _inside(tokens)
    elif first in {"DROP", "TRUNCATE", "ALTER"}:
        reader = {"DROP": _dropped, "TRUNCATE": _emptied, "ALTER": _dropped_columns}[first]
        target = reader(tokens)
        if target:
            yield _loss(statement, target)
    elif first in {"EXPLAIN", "WITH", "DELETE", "UPDATE", "SELECT", "INSERT"}:
        if first == "EXPLAIN" and not any(t.word in {"ANALYZE", "ANALYSE"} for t in tokens[:8]):
            return
        for index, token in enumerate(tokens):
            if _starts_here(tokens, index) and _is_boundless(tokens, index):
                yield _loss(statement, _name(tokens, index + 1 + (token.word == "DELETE")))


def _loss(statement: Statement, target: str) -> Loss:
    return Loss(shortened(statement.text, LONGEST), target, statement.at, statement.end)


def _emptied(tokens: tuple[Token, ...]) -> str:
    return _names(tokens, 1)


def _dropped(tokens: tuple[Token, ...]) -> str:
    """Return what a DROP destroys; empty if its definition brings it back."""
    words = [t.word for t in tokens]
    kind = words[1] if len(words) > 1 else ""
    cascades = "CASCADE" in words
    if kind in _REBUILDABLE and not cascades:
        return ""
    start = 2
    if kind in _TWO_WORDS and words[2:3] in (["VIEW"], ["TABLE"], ["BY"], ["MAPPING"]):
        start = 3
    if words[1:3] == ["FOREIGN", "TABLE"] and not cascades:
        return ""  # the data lives elsewhere
    return _names(tokens, start)


def _dropped_columns(tokens: tuple[Token, ...]) -> str:
    words = [t.word for t in tokens]
    if words[1:2] not in (["TABLE"], ["TYPE"], ["MATERIALIZED"], ["FOREIGN"]):
        return ""
    table = _name(tokens, 2)
    columns = []
    for index, token in enumerate(tokens):
        if token.word != "DROP" or token.depth or "ALTER" in words[max(index - 3, 1) : index]:
            continue  # not ALTER COLUMN x DROP DEFAULT
        after = words[index + 1] if index + 1 < len(words) else ""
        if after not in _NOT_A_COLUMN:
            columns.append(f"{table}.{_name(tokens, index + 1)}")
    return ", ".join(columns)


def _name(tokens: tuple[Token, ...], index: int) -> str:
    """Return the (qualified) name that starts at a token, behind IF EXISTS, ONLY and the like."""
    while index < len(tokens) and tokens[index].word in _FILLING:
        index += 1
    index += index < len(tokens) and tokens[index].text in {"`", "["}  # other databases' quotes
    parts: list[str] = []
    while index < len(tokens) and tokens[index].kind in {"word", "ident", "variable", "string"}:
        parts.append(tokens[index].name.strip("'"))
        if index + 1 >= len(tokens) or tokens[index + 1].text != ".":
            break
        index += 2
    return ".".join(parts)


def _names(tokens: tuple[Token, ...], index: int) -> str:
    """Return all names of a list: `a, b`."""
    names = [_name(tokens, index)]
    for at in range(index, len(tokens)):
        if tokens[at].word in _ENDS_OF_NAMES:
            break
        if tokens[at].text == "," and not tokens[at].depth:
            names.append(_name(tokens, at + 1))
    return ", ".join(name for name in names if name)


def _starts_here(tokens: tuple[Token, ...], index: int) -> bool:
    """Say whether a DELETE or UPDATE statement begins at this token."""
    token = tokens[index]
    after = tokens[index + 1 : index + 2]
    before = tokens[index - 1].word if index else ""
    if before not in {"", "(", ")", "EXPLAIN", "ANALYZE", "ANALYSE", "VERBOSE"} or not after:
        return False
    if token.word == "DELETE":
        return after[0].word == "FROM"
    return token.word == "UPDATE" and after[0].kind in {"word", "ident", "variable"}


def _is_boundless(tokens: tuple[Token, ...], index: int) -> bool:
    """Say whether the statement from this token on has no WHERE, or one that is always true."""
    depth = tokens[index].depth
    for at in range(index, len(tokens)):
        token = tokens[at]
        if token.depth < depth or (token.text == ")" and token.depth == depth and depth):
            return True
        if token.word == "WHERE" and token.depth == depth:
            rest = []
            for later in tokens[at + 1 :]:
                if later.depth < depth or later.word == "RETURNING" or later.text == ")":
                    break
                rest.append(later.word)
            return " ".join(rest) in _ALWAYS_TRUE
    return True


def _inside(tokens: tuple[Token, ...]) -> Iterator[Loss]:
    """Look into the body of a DO block."""
    for token in tokens:
        if token.kind == "dollar":
            tag = token.text[: token.text.index("$", 1) + 1]
            body = token.text[len(tag) : -len(tag) or None]
        elif token.kind == "string":
            tag, body = "'", token.text[1:-1].replace("''", "'")
        else:
            continue
        for statement in split(body).statements:
            for loss in (*_of_statement(statement), *_in_block(statement)):
                yield from _moved([loss], token.at + len(tag))


def _in_block(statement: Statement) -> Iterator[Loss]:
    """Look behind the words of PL/pgSQL: BEGIN, THEN, LOOP, and into EXECUTE 'text'."""
    for index, token in enumerate(statement.tokens[:-1]):
        if token.kind != "word" or not _KEYWORD.fullmatch(token.text):
            continue
        following = statement.tokens[index + 1 :]
        if token.word == "EXECUTE":
            for literal in following:
                if literal.kind == "string":
                    text = literal.text[1:-1].replace("''", "'")
                    for inner in split(text).statements:
                        yield from _moved(_of_statement(inner), literal.at + 1)
        else:
            start = following[0].at
            for inner in split(statement.text[start - statement.at :]).statements[:1]:
                if inner.first in _DESTROYING:
                    yield from _moved(_of_statement(inner), start)


def _moved(losses: Iterable[Loss], by: int) -> Iterator[Loss]:
    for loss in losses:
        yield Loss(loss.statement, loss.target, by + loss.at, by + loss.end)
