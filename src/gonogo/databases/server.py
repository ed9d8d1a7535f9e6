"""One connection to one PostgreSQL database for one block: asks, makes and drops, watches time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from gonogo.databases import postgres
from gonogo.databases.deadline import Deadline
from gonogo.databases.watched import SPARE_S, Watched
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.records import IDENTITY_SQL

_STEP_S = 0.1  # how often a wish to stop is looked at
_CANCELS = 2  # of one statement that are not obeyed, until the connection is cut


class Server(Watched):
    """A connection to one database, in autocommit; a wish to stop cancels what it waits for."""

    def __init__(self, on: str, context: Context, deadline: Deadline, database: str = "") -> None:
        """Remember where to connect; `database` overrules the one of the address."""
        self.on = filling.shown(on)
        self._context = context
        self._deadline = deadline
        address = postgres.Address.read(filling.target(on, context), self.on)
        self.address = address.of(database) if database else address
        self._asked = 0  # statements so far
        self._is_asking = False
        super().__init__("gonogo-server")

    @property
    def parts(self) -> Mapping[str, Any]:
        """Return the address, taken apart; the password is in it."""
        return self.address.parts

    @property
    def database(self) -> str:
        """Return the name of the database that it is connected to."""
        return self._connection.info.dbname

    @property
    def version(self) -> int:
        """Return the server's release as a number: 180006."""
        return self._connection.info.server_version

    def ask(self, text: LiteralString, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Send one statement and return its rows; values are never part of the statement.

        Raises:
            WorkError: it failed, or took too long.
        """
        return self._send(sql.SQL(text), values)

    def say(self, text: LiteralString, *names: str) -> list[tuple[Any, ...]]:
        """Send one statement whose `{}` are names of objects."""
        quoted = [sql.Identifier(*name.split("\0")) for name in names]
        return self._send(sql.SQL(text).format(*quoted), ())

    def cancel(self) -> None:
        """End the statement that another thread of ours has sent."""
        with contextlib.suppress(psycopg.Error, OSError):
            self._connection.cancel_safe(timeout=SPARE_S)

    def compose(self, statement: sql.Composed) -> list[tuple[Any, ...]]:
        """Send one statement that was put together of quoted parts."""
        return self._send(statement, ())

    def create(self, database: str, options: Mapping[str, str]) -> None:
        """Make a database; `options` are those of CREATE DATABASE."""
        words = [
            sql.SQL(" {} {}").format(
                sql.SQL(name),
                sql.Identifier(value) if name == "TEMPLATE" else sql.Literal(value),
            )
            for name, value in options.items()
        ]
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
        self._send(statement + sql.Composed(words), ())

    def drop(self, database: str) -> None:
        """Drop a database with all connections to it, also when time is over."""
        name = sql.Identifier(database)
        try:
            with contextlib.closing(self._open(self.address)) as connection:
                connection.execute("SET statement_timeout = '60s'")
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        except psycopg.Error as error:
            raise WorkError(self._context.redact(str(error).strip())) from None

    def comment(self, database: str, words: str | None) -> None:
        """Write a comment on a database; COMMENT takes no parameters."""
        self._send(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(database), sql.Literal(words)
            ),
            (),
        )

    def grant(self, database: str, right: str, role: str, *, option: bool) -> None:
        """Grant a right on a database; no `role` is everybody."""
        text = "GRANT {} ON DATABASE {} TO {}" + (" WITH GRANT OPTION" if option else "")
        who = sql.Identifier(role) if role else sql.SQL("PUBLIC")
        what = sql.SQL(right)
        self._send(sql.SQL(text).format(what, sql.Identifier(database), who), ())

    def setting(self, database: str, role: str, said: tuple[str, str], *, raw: bool) -> None:
        """Set a variable for a database, or for one role in it; `raw`: the value is a list."""
        name, value = said
        given = sql.SQL(value or "''") if raw else sql.Literal(value)
        names = [sql.Identifier(role)] if role else []
        text = (
            "ALTER ROLE {} IN DATABASE {} SET {} TO {}"
            if role
            else "ALTER DATABASE {} SET {} TO {}"
        )
        parts = [*names, sql.Identifier(database), sql.Identifier(*name.split(".")), given]
        self._send(sql.SQL(text).format(*parts), ())

    def identity(self) -> str:
        """Return what tells this database from all others: system identifier and name."""
        return str(self.ask(IDENTITY_SQL)[0][0])

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one state of the database, so that all questions see the same."""
        self.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
        self.ask("COMMIT")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[str]:
        """Hold one state of the database, and give its name for pg_dump."""
        with self.reading():
            yield str(self.ask("SELECT pg_export_snapshot()")[0][0])

    @contextlib.contextmanager
    def sharing(self, snapshot: str) -> Iterator[None]:
        """See the state that another connection holds as `snapshot`, until this is left."""
        with self.reading():
            self._send(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)), ())
            yield

    def _connect(self) -> psycopg.Connection[Any]:
        return self._open(self.address)

    def _open(self, address: postgres.Address) -> psycopg.Connection[Any]:
        return postgres.connect(address, self._context.timeout_s, self._context.redact)

    def _send(
        self, statement: sql.SQL | sql.Composed, values: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        self._asked += 1
        self._is_asking = True
        try:
            cursor = self._connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as error:
            raise self._explained(error) from None
        except UnicodeDecodeError:
            raise WorkError(postgres.NO_UTF8, hint=postgres.NO_UTF8_HINT) from None
        finally:
            self._is_asking = False

    def _watch(self) -> None:
        """Cancel what the server does when time is over or somebody wants to stop.

        A server that does not even do that is left: it may never say anything again.
        """
        cancelled = (0, 0)  # which statement, and how often
        while not self._done.wait(_STEP_S):
            if not self._deadline.why():
                continue
            asked = self._asked
            times = cancelled[1] + 1 if cancelled[0] == asked else 1
            cancelled = (asked, times)
            self.cancel()
            if self._done.wait(SPARE_S):
                return
            if self._is_asking and self._asked == asked and times >= _CANCELS:
                postgres.cut(self._connection)
                return

    def _explained(self, error: psycopg.Error) -> WorkError:
        if error.sqlstate == "57014" or self._deadline.why():
            self._deadline.refuse(f"`{self.on}` did not answer")
        said = error.diag.message_primary or str(error).strip() or type(error).__name__
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        hint = _HINTS.get(error.sqlstate or "", error.diag.message_hint or "")
        if error.sqlstate is None or self._connection.closed:
            hint = f"the connection to `{self.on}` was lost; look at the server's log"
        return WorkError(self._context.redact(f"{said}{code}"), hint=self._context.redact(hint))


_HINTS = {
    "42501": "the user of the target may not do this",
    "55006": "somebody is connected to it; end those sessions first",
    "53100": "make room on the disk of the server",
}
