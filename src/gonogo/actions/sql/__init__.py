"""Sends SQL to PostgreSQL: a check in a read-only transaction, an action statement by statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import filling, placeholders, shellscript, sqlfill
from gonogo.plan.destructive import in_sql
from gonogo.plan.kinds import (
    Context,
    Datum,
    Destruction,
    Effect,
    Observation,
    Role,
    Usual,
    Variable,
)
from gonogo.plan.places import Places
from gonogo.plan.said import says
from gonogo.plan.secretwords import masked
from gonogo.plan.sqlrisk import CODES, Danger, Setting
from gonogo.plan.sqlrisks import risks
from gonogo.plan.sqltext import Statement, only_looks, split, without_comments
from gonogo.plan.units import Quantity
from gonogo.source import shortened

_SHOWN_ROWS = 20
# Statements that return no rows and count none: that they ran is all that there is to see.
_UNCOUNTED = frozenset(
    (
        *("alter", "analyze", "call", "cluster", "comment", "create", "do", "drop", "grant"),
        *("lock", "refresh", "reindex", "revoke", "security", "truncate", "vacuum"),
        *("begin", "start", "commit", "end", "savepoint", "release", "set", "reset"),
    )
)


@dataclass(frozen=True, slots=True)
class Sql(Usual):
    """Send SQL to PostgreSQL: a check reads only, an action sends one statement after the other.

    A check runs all statements in one READ ONLY transaction and keeps the rows of the last one
    that returns rows. An action commits each statement by itself; one that fails stops the rest.
    """

    kind: ClassVar[str] = "sql"
    languages: ClassVar[tuple[str, ...]] = ("sql", "postgresql", "pgsql", "postgres")
    indicators: ClassVar[Mapping[str, str]] = {
        "rows": "how many rows came back",
        "value": "the first column of the first row; null when there is no row",
        "affected": "how many rows were inserted, updated or deleted",
        "statements": "how many statements were sent",
        "notices": "what the server said beside the result (NOTICE, WARNING), line by line",
        "duration": "how long all statements took (s)",
    }
    example: ClassVar[str] = (
        "```sql\n--| on: db\nSELECT count(*) AS pending FROM jobs WHERE state = 'pending';\n```\n\n"
        "- Expect: pending < 100\n"
    )

    body: str = says("the statements, separated by semicolons")
    on: str = says("the target: a name of the front matter, or an address", default="db")
    lock_timeout_s: float = says(
        "give up when a lock is not free within this time; 0: wait as long as the timeout",
        default=0.0,
    )
    kind_: Literal["auto", "check", "action"] = says(
        "whether it looks or changes; `auto`: the statements tell", default="auto"
    )

    def effect(self, role: Role) -> Effect:
        """Tell from the statements, whatever the phase."""
        del role
        if self.kind_ != "auto":
            return Effect(self.kind_)
        statements = split(self.body).statements
        return Effect.CHECK if all(map(only_looks, statements)) else Effect.ACTION

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect that all statements were sent, where that is all there is to see of them.

        What looks or changes rows must say what it looks for, or how many rows it changes.
        """
        statements = split(self.body).statements
        told = effect is Effect.ACTION and all(s.first.lower() in _UNCOUNTED for s in statements)
        return f"statements = {len(statements)}" if told and statements else None

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the statements and in `on`; those in comments do not count."""
        code = without_comments(self.body, split(self.body))
        return (*filling.variables(code), *filling.variables_of({"on": self.on}, self.body))

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what the statements destroy."""
        return in_sql(self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what cannot be sent: commands of psql, open quotes, placeholders, secrets."""
        return tuple(self._review())

    def _review(self) -> Iterator[Diagnostic]:
        sql = split(self.body)
        places = Places(self.body)
        if not sql.statements and not sql.metas:
            yield Diagnostic(
                "GN507",
                "there is nothing to run in this block",
                places.of_line(1),
                hint="write a statement",
            )
        for meta in sql.metas:
            yield Diagnostic(
                "GN512",
                f"`{meta.text.split()[0]}` is a command of psql, not SQL",
                places.span(meta.at, meta.at + len(meta.text)),
                hint="query the catalog (`pg_class`, `information_schema`), or call psql in a "
                "bash block",
            )
        code = without_comments(self.body, sql)
        of_psql = list(_psql_variables(code, sql.statements))
        for at, end, name in of_psql:
            yield Diagnostic(
                "GN512",
                f"`{name}` is a variable of psql, not SQL",
                places.span(at, end),
                hint="write `${NAME}`, inside quotes for texts",
            )
        if sql.open_at is not None:
            yield Diagnostic(
                "GN513",
                "this quote or comment is never closed",
                places.span(sql.open_at, sql.open_at + 1),
                hint="close it; inside a text a quote is written twice",
            )
        if not sql.metas and not of_psql and sql.open_at is None:
            yield from self._risks(places)
        yield from shellscript.blanks(self.body, placeholders.Language.SQL, _unvaried(code))
        yield from shellscript.secrets(self.body)

    def _risks(self, places: Places) -> Iterator[Diagnostic]:
        """Yield what does not parse, and what statements that change the schema put at risk."""
        setting = Setting(in_transaction=False, has_lock_timeout=self.lock_timeout_s > 0)
        for risk in risks(self.body, setting):
            code = CODES[risk.danger]
            if risk.danger is Danger.LOST:
                continue  # `destroys` asks a person
            severity = Severity.ERROR if code == "GN530" else Severity.WARNING
            hint = "write `lock timeout: 5s` above" if code == "GN536" else risk.hint
            place = places.span(risk.at, risk.end)
            yield Diagnostic(code, risk.message, place, hint=hint, severity=severity)

    def describe(self) -> str:
        """Return the first statement, and how many more there are."""
        statements = split(self.body).statements
        if not statements:
            return "nothing"
        line = shortened(masked(" ".join(statements[0].text.split())))
        return f"{line} (+{len(statements) - 1} statements)" if len(statements) > 1 else line

    def perform(self, context: Context) -> Observation:
        """Send the statements and return the rows of the last that has any.

        Raises:
            WorkError: no connection, a statement failed, or it took too long.
        """
        from gonogo.actions.sql.session import Session

        def lookup(name: str) -> str | None:
            return filling.value_of(name, context)

        texts = [sqlfill.fill(s, lookup) for s in split(self.body).statements]
        address = filling.target(self.on, context)
        with Session(address, filling.shown(self.on), context, self.lock_timeout_s) as session:
            answer = session.send(texts)
        rows = answer.rows
        indicators: dict[str, Datum] = {
            "affected": answer.affected,
            "statements": len(texts),
            "notices": "\n".join(answer.notices),
            "duration": Quantity(Decimal(str(round(answer.duration_s, 6))), "s"),
        }
        if rows is not None:
            indicators["rows"] = len(rows)
            indicators["value"] = next(iter(rows[0].values()), None) if rows else None
        return Observation(indicators, rows, context.redact(_text(rows, answer.notices)))


def _unvaried(code: str) -> str:
    """Blank the names that are variables here and would be placeholders elsewhere."""
    return re.sub(r"\{\{\s*[\w-]+\s*\}\}", lambda match: " " * len(match[0]), code)


def _psql_variables(code: str, statements: tuple[Statement, ...]) -> Iterator[tuple[int, int, str]]:
    for statement in statements:
        for index, token in enumerate(statement.tokens[:-1]):
            following = statement.tokens[index + 1]
            if token.text != ":" or following.at != token.at + 1:
                continue
            before = statement.tokens[index - 1] if index else None
            glued = before is not None and before.at + len(before.text) == token.at
            if following.kind in {"word", "string", "ident"} and not glued:
                end = following.at + len(following.text)
                yield token.at, end, code[token.at : end]


def _text(rows: list[dict[str, Datum]] | None, notices: tuple[str, ...]) -> str:
    lines = [
        ", ".join(f"{name} = {_shown(value)}" for name, value in row.items())
        for row in (rows or [])[:_SHOWN_ROWS]
    ]
    if rows is not None:
        more = f" ({len(rows) - _SHOWN_ROWS} not shown)" if len(rows) > _SHOWN_ROWS else ""
        lines.append(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}{more}")
    return "\n".join([*lines, *notices])


def _shown(value: Datum) -> str:
    if value is None:
        return "null"
    if isinstance(value, Quantity):
        return f"{value.number} {value.unit}"
    return str(value)
