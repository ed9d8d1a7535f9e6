"""Finds queries in shell text whose answer nobody judges: `psql` prints it and ends with 0."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import sqltext
from gonogo.plan.places import Places
from gonogo.plan.shellcalls import Call, calls
from gonogo.plan.shellsyntax import split
from gonogo.plan.shellwords import Command, Word
from gonogo.plan.sqltext import Statement, Token

PASSING_ON = frozenset(("head", "tail", "tee", "cat", "less", "json_pp", "jless", "sort", "pv"))
"""Programs that show what they read and judge nothing of it."""
_COMMAND = re.compile(r"(?:-[A-Za-z0-9]*c|--command)(?:=(?P<text>.*))?", re.DOTALL)
_NO_QUERY = ("-l", "--list", "--version", "-V", "-o", "--output", "-L", "--log-file")
_ANSWERING = frozenset(("SELECT", "WITH", "VALUES", "TABLE", "SHOW"))
_CALLED_FOR_EFFECT = frozenset(
    """add analyze analyse append apply archive attach backfill bump build call clean cleanup clear
    close compact compress configure copy create cron decompress delete deploy detach disable drain
    drop emit enable end enqueue ensure evict execute expire fill flush generate grant import
    increment init insert invalidate load lock log make mark materialize merge migrate move notify
    open pause perform pg populate prepare preload prewarm process prune publish purge push rebuild
    recalculate recompute record recreate refresh register reindex release reload remove rename
    repair replace reset restart restore resume revoke rotate run schedule seed send set setup
    setval sleep snapshot start stop submit swap switch sync terminate touch trigger truncate unlock
    unregister unschedule update upgrade upsert vacuum warm warmup write""".split()  # noqa: SIM905
)
"""First words of the names of functions that are called for what they do, not for their answer."""
_LOOKING = frozenset(("pg_is_in_recovery", "pg_is_wal_replay_paused", "pg_isready"))
_ONLY_ALIVE = frozenset(("version", "now", "clock_timestamp", "current_database"))
_CALLABLE = ("word", "ident")
_NO_CALL = frozenset(
    ("IN", "AS", "AND", "OR", "NOT", "ANY", "ALL", "EXISTS", "CASE", "WHEN", "THEN")
)


def unjudged(text: str) -> Iterator[Diagnostic]:
    """Yield a warning for each `psql` whose answer is only printed; places are in the text.

    Not for statements that answer nothing, for functions that are called for what they do, and not
    where a program, a variable or a file takes the answer.
    """
    places = Places(text)
    for call in calls(split(text)):
        if call.name != "psql" or _is_taken(call) or call.has(*_NO_QUERY):
            continue
        if any(_asks(sql) for sql in _texts(call)):
            yield Diagnostic(
                "GN509",
                "`psql` ends with exit code 0 whatever this query answers",
                places.span(call.at, call.end),
                hint="make it an `sql` block with `- Expect: value is true`, or take `psql -At`"
                ' and write `- Expect: output = "t"`',
                severity=Severity.WARNING,
            )


def _is_taken(call: Call) -> bool:
    """Say whether something else than a reader of the page takes the answer."""
    if call.command.nested or any(_is_file(*one) for one in call.command.redirects):
        return True
    into = call.into
    return into is not None and bool(into.words) and into.words[0].value not in PASSING_ON


def _is_file(operator: str, word: Word) -> bool:
    return operator.lstrip("&") in {">", ">>", ">|"} and word.value != "/dev/null"


def _texts(call: Call) -> Iterator[str]:
    """Yield the SQL that can be seen in the call or in what it reads."""
    takes_next = False
    for arg in call.args:
        if takes_next:
            yield arg
        found = None if takes_next else _COMMAND.fullmatch(arg)
        takes_next = found is not None and found["text"] is None
        if found is not None and found["text"] is not None:
            yield found["text"]
    yield from call.command.documents
    yield from (word.value for op, word in call.command.redirects if op == "<<<")
    if call.reads is not None:
        yield from _printed(call.reads)


def _printed(command: Command) -> Iterator[str]:
    words = [word.value for word in command.words]
    if words[:1] in (["echo"], ["printf"]):
        yield " ".join(words[1:]).replace("\\n", "\n")
    elif words[:1] == ["cat"]:
        yield from command.documents


def _asks(sql: str) -> bool:
    found = sqltext.split(sql)
    if found.metas:  # `\gset`, `\if`: a script of its own, which may judge what it gets
        return False
    return any(_is_question(statement) for statement in found.statements)


def _is_question(statement: Statement) -> bool:
    """Say whether a statement states something by what it answers."""
    if statement.first not in _ANSWERING or not sqltext.only_looks(statement):
        return False
    if statement.first != "SELECT":
        return True
    tokens = [token for token in statement.tokens if token.kind != "comment"]
    if len(tokens) > 2 and tokens[1].kind == "number" and tokens[2].text.startswith("/"):
        return False  # `SELECT 1 / …`: the division fails when it is not so
    froms = (i for i, token in enumerate(tokens) if token.word == "FROM" and token.depth == 0)
    begin = next(froms, len(tokens))
    called = _called(tokens[:begin]) or _called(tokens[begin : begin + 5])
    if called:
        return not all(_is_for_effect(name) for name in called)
    return begin < len(tokens)  # constants alone ask only whether the server is there


def _called(tokens: list[Token]) -> list[str]:
    """Return the functions that are called, the outermost only."""
    found = [
        token
        for token, after in itertools.pairwise(tokens)
        if token.kind in _CALLABLE and after.text == "(" and token.word not in _NO_CALL
    ]
    outermost = min((token.depth for token in found), default=0)
    return [token.name.lower() for token in found if token.depth == outermost]


def _is_for_effect(name: str) -> bool:
    if name in _LOOKING:
        return False
    return name in _ONLY_ALIVE or name.split("_")[0] in _CALLED_FOR_EFFECT
