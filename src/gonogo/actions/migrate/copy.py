"""A copy of a database to rehearse on: made, used, dropped; what a kill left is dropped later."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gonogo import process, records
from gonogo.actions.migrate.database import Database
from gonogo.databases.postgres import as_environment
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

MARK = "made by gonogo to rehearse migrations; may be dropped"
PREFIX = "gonogo_rehearsal_"


@dataclass(frozen=True, slots=True)
class Wish:
    """Where the copy comes from (`backup`, `schema`, `template` or `auto`), and what it needs."""

    source: str
    table: str  # the table of the migrations: its rows are copied, whatever else is
    tools: str


@contextmanager
def copied(database: Database, wish: Wish, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the address of a copy and how it was made; it is dropped in any case.

    Raises:
        WorkError: no copy can be made.
    """
    _drop_leftovers(database)
    name = f"{PREFIX}{secrets.token_hex(4)}"
    address = beside(database.address, name)
    try:
        said = _make(database, name, wish, context)
        yield address, said
    except psycopg.Error as error:
        text = error.diag.message_primary or str(error).strip()
        raise WorkError(
            context.redact(f"no copy can be made: {text}"),
            hint="may the user of the target create databases? (`ALTER ROLE … CREATEDB`)",
        ) from None
    finally:
        _drop(database, name)


def beside(address: str, name: str) -> str:
    """Return the address of another database on the same server; an URL stays one, for tools."""
    if "://" not in address:
        return make_conninfo(address, dbname=name)
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{name}{query}"


def _make(database: Database, name: str, wish: Wish, context: Context) -> str:
    backup = _backup(database, context) if wish.source in {"auto", "backup"} else ""
    if wish.source == "backup" and not backup:
        raise WorkError(
            "this run has made no backup of this database", hint="put a `backup` step before it"
        )
    original = sql.Identifier(database.connection.info.dbname)
    template = original if wish.source == "template" else sql.Identifier("template0")
    database.connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), template)
    )
    database.connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(MARK))
    )
    if wish.source == "template":
        return "a copy of the database"
    pg = _Programs(database.address, wish.tools, context)
    if backup:
        pg.restore(name, backup)
        return "the backup of this run, restored"
    dumps = [("schema", ["--schema-only"])]
    if database.rows("SELECT to_regclass(%s) IS NOT NULL", (wish.table,))[0][0]:
        dumps.append(("rows", ["--data-only", f"--table={wish.table}"]))
    context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part, options in dumps:
        file = str(context.folder.absolute() / f"{part}.dump")
        pg.dump(database.connection.info.dbname, file, options)
        pg.restore(name, file)
    return "its schema, without data"


def _backup(database: Database, context: Context) -> str:
    found = records.last(context.run_folder, records.BACKUPS, database.identity())
    path = str(found["backup"]) if found and found.get("backup") else ""
    return path if path and Path(path).exists() else ""


def _drop_leftovers(database: Database) -> None:
    """Drop copies that nobody uses any more: a kill left them, they carry our mark."""
    found = database.rows(
        "SELECT d.datname FROM pg_database d WHERE starts_with(d.datname, %s)"
        " AND shobj_description(d.oid, 'pg_database') = %s"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)",
        (PREFIX, MARK),
    )
    for (name,) in found:
        _drop(database, str(name))


def _drop(database: Database, name: str) -> None:
    with contextlib.suppress(psycopg.Error):  # a lost connection: the next rehearsal drops it
        database.connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


class _Programs:
    """pg_dump and pg_restore, without a password in any argument."""

    def __init__(self, address: str, tools: str, context: Context) -> None:
        self._parts = conninfo_to_dict(address)
        plain = {k: v for k, v in context.variables.items() if not k.startswith("PG")}
        self._environment = {**plain, **as_environment(self._parts)[0]}
        self._context = context
        where = str(context.cwd / filling.fill(tools, context)) if tools else plain.get("PATH", "")
        self._where = where
        self._calls = 0

    def dump(self, name: str, file: str, options: Sequence[str]) -> None:
        """Write a dump in pg_dump's own format."""
        self._call("pg_dump", ["--format=custom", f"--file={file}", *options], name)

    def restore(self, name: str, path: str) -> None:
        """Fill a database from a dump; the first mistake ends it."""
        self._call("pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", path], name)

    def _call(self, program: str, words: Sequence[str], name: str) -> None:
        found = shutil.which(program, path=self._where)
        if found is None:
            raise WorkError(
                f"`{program}` was not found",
                hint="install the client programs of PostgreSQL, or name their folder: `tools:`",
            )
        self._calls += 1
        rest = as_environment({**self._parts, "dbname": name})[1]
        outcome = process.run(
            process.Command(
                argv=(found, *words, f"--dbname={rest}"),
                cwd=self._context.cwd.absolute(),
                environment=self._environment,
                timeout_s=self._context.timeout_s,
                durable=False,
            ),
            self._context.folder / f"copy-{self._calls}",
            should_stop=self._context.should_stop,
        )
        if outcome.exit_code != 0:
            said = self._context.redact(outcome.stderr.strip() or "no reason given")[-400:]
            raise WorkError(f"`{program}` could not copy the database", hint=said)
