"""Sends one migration up or down: in one transaction with its row, and says what went wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from gonogo.actions.migrate.database import Database
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan import sqlrisks
from gonogo.plan.migrations import Script
from gonogo.plan.sqltext import Sql, split

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent, under which name, and with how much patience."""

    title: str
    script: Script
    lock_timeout_s: float


def send(database: Database, order: Order, change: Callable[[], None]) -> float:
    """Send a script and, in the same transaction, `change` the table of migrations.

    What cannot run in a transaction is sent statement by statement, and the row comes after it.

    Returns:
        The seconds that it took.

    Raises:
        WorkError: it failed; in a transaction nothing of it stays.
    """
    began = _clock.monotonic()
    sql = split(order.script.text)
    if sql.metas:
        raise WorkError(
            f"`{order.script.path}` holds `{sql.metas[0].text.split()[0]}`, a command of psql",
            hint="a migration is SQL only",
        )
    plain = order.script.in_transaction and not sqlrisks.needs_no_transaction(order.script.text)
    if plain and sqlrisks.has_own_transaction(order.script.text):
        raise WorkError(
            f"`{order.script.path}` begins or ends a transaction itself",
            hint="leave BEGIN and COMMIT to gonogo, or write `-- gonogo: no transaction` above",
        )
    if plain:
        _whole(database, order, change)
    else:
        _one_by_one(database, order, sql, change)
    return _clock.monotonic() - began


def _whole(database: Database, order: Order, change: Callable[[], None]) -> None:
    try:
        database.rows("BEGIN")
        _limits(database, order.lock_timeout_s, local=True)
        database.script(order.script.text)
        change()
        database.rows("COMMIT")
    except psycopg.Error as error:
        _roll_back(database)
        raise _explained(database, order, error, "nothing of it stays") from None
    except BaseException:
        _roll_back(database)
        raise


def _roll_back(database: Database) -> None:
    with contextlib.suppress(psycopg.Error):
        database.rows("ROLLBACK")


def _one_by_one(database: Database, order: Order, sql: Sql, change: Callable[[], None]) -> None:
    sent = 0
    try:
        for statement in sql.statements:
            waits = "CONCURRENTLY" not in {t.word for t in statement.tokens}
            _limits(database, order.lock_timeout_s if waits else 0.0, local=False)
            database.script(statement.text)
            sent += 1
        change()
    except psycopg.Error as error:
        left = f"without a transaction: {sent} of {len(sql.statements)} statements stay done"
        raise _explained(database, order, error, left) from None
    finally:
        with contextlib.suppress(psycopg.Error):
            _limits(database, 0.0, local=False)


def _limits(database: Database, lock_timeout_s: float, *, local: bool) -> None:
    scope = "LOCAL " if local else ""
    left_ms = max(int(database.left_s() * 1000), 1)
    database.rows(f"SET {scope}statement_timeout = {left_ms}")
    database.rows(f"SET {scope}lock_timeout = {int(lock_timeout_s * 1000)}")


def _explained(database: Database, order: Order, error: psycopg.Error, left: str) -> WorkError:
    where = f"`{order.script.path}`{_line(order.script.text, error)}"
    state = error.sqlstate or ""
    blockers = database.in_the_way()
    held = f"; in its way: {'; '.join(blockers)}" if blockers else ""
    if state == "55P03":
        return WorkError(
            f"{where} did not get its lock within {order.lock_timeout_s:g} s{held}; {left}",
            hint="end that transaction, or try again later; `lock timeout:` allows more",
            failed=True,
        )
    if database.ended_by() == "stop":
        return WorkError(f"{where} was stopped in its middle; {left}", failed=True)
    if state == "57014" or database.ended_by() == "deadline":
        return WorkError(
            f"{where} did not end within {database.context.timeout_s:g} s{held}; {left}",
            hint="allow more time with `timeout:`",
            failed=True,
        )
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    code = f" ({state})" if state else ""
    hint = error.diag.message_hint or error.diag.message_detail or ""
    redact = database.context.redact
    return WorkError(redact(f"{where}: {said}{code}; {left}"), hint=redact(hint), failed=True)


def _line(text: str, error: psycopg.Error) -> str:
    """Return `:7` for the line that the server points at, if it does."""
    position = error.diag.statement_position
    if not position or not position.isdigit():
        return ""
    return f":{text.count(chr(10), 0, int(position) - 1) + 1}"
