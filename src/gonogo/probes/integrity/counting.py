"""Counts rows, NULLs and fingerprints of tables in one state of a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from psycopg import sql

from gonogo.databases import content
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context
from gonogo.probes.integrity import names

_TABLES = content.ours("""
SELECT n.nspname, c.relname, c.relkind::text, c.relispartition, c.relispopulated, c.oid,
 ARRAY(SELECT a.attname::text FROM pg_attribute a
       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND c.relpersistence <> 't'
 AND OURS(pg_class, c) ORDER BY 1, 2""")
# Parts belong to their table: an index of a partition, a foreign key of one.
_WITH_PARTS = """
WITH RECURSIVE chosen(oid) AS (
 SELECT unnest(%s::oid[])
 UNION SELECT i.inhrelid FROM pg_inherits i JOIN chosen ON i.inhparent = chosen.oid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition)
SELECT oid FROM chosen"""
# The first columns of the index are those that refer, in any order; of partial ones only those
# that leave out nothing but NULLs are of use.
_UNINDEXED = """
SELECT k.conname, n.nspname || '.' || c.relname,
 (SELECT string_agg(a.attname, ', ' ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY u(num, at)
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY (%s)
 AND NOT EXISTS (
  SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
  WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indisready
   AND (m.amname = 'btree' OR m.amname = 'hash' AND cardinality(k.conkey) = 1)
   AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
   AND (i.indpred IS NULL OR EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
     AND pg_get_expr(i.indpred, i.indrelid) = format('(%%I IS NOT NULL)', a.attname))))
ORDER BY 2, 1"""
_INVALID = """
SELECT x.relname, n.nspname || '.' || c.relname
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
 JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready) AND i.indrelid = ANY (%s)
ORDER BY 2, 1"""
WITHOUT = "without "  # as a fingerprint: columns that were there are gone
_KINDS = {"v": "view", "m": "materialized view without data"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at, as the block names it."""

    tables: Sequence[str]
    not_null: Sequence[str]
    fingerprint: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table that is there."""

    schema: str
    table: str
    kind: str
    is_part: bool
    has_data: bool
    oid: int
    columns: Sequence[str]

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Counted:
    """What a table holds; `mark` is empty when its content was not asked for."""

    rows: int
    mark: str = ""
    columns: Sequence[str] = ()  # those that the mark is of


@dataclass(frozen=True, slots=True)
class Column:
    """The NULLs of one column."""

    table: str
    name: str
    rows: int
    nulls: int

    def words(self) -> str:
        """Return the count in a sentence."""
        if not self.rows:
            return f"{self.table}.{self.name}: the table has no rows"
        return f"{self.table}.{self.name}: {self.nulls} NULL in {self.rows} rows"


@dataclass(frozen=True, slots=True)
class Seen:
    """One state of a database."""

    database: str  # see `gonogo.records.IDENTITY_SQL`
    counted: Mapping[str, Counted]
    there: Sequence[str]  # all tables, also those that were not counted
    wanted: Sequence[str]  # the tables that were named or meant, also those that are gone
    columns: Sequence[Column]
    unindexed: Sequence[str]
    invalid: Sequence[str]


class Remembered(Protocol):
    """What the first look has seen, as far as it matters for counting."""

    def load(self, database: str) -> None:
        """Read what was seen of this database."""
        ...

    def known(self) -> Sequence[str]:
        """Return the tables that were counted."""
        ...

    def columns(self, table: str) -> Sequence[str]:
        """Return the columns that the fingerprint of a table was made of."""
        ...


def look(on: str, wish: Wish, memory: Remembered, context: Context) -> Seen:
    """Look at one state of the database.

    Raises:
        WorkError: no connection, no rights, no such table or column, no time.
    """
    deadline = Deadline(context)
    with Server(on, context, deadline) as server, server.reading():
        content.steady(server)
        return _Look(server, deadline, memory).seen(wish)


class _Look:
    """One look in one transaction."""

    def __init__(self, server: Server, deadline: Deadline, memory: Remembered) -> None:
        self._identity = server.identity()
        self._server = server
        self._deadline = deadline
        self._memory = memory
        memory.load(self._identity)
        rows = (Table(*row) for row in server.ask(_TABLES))
        self._there = {table.name: table for table in rows}

    def seen(self, wish: Wish) -> Seen:
        nulls = self._not_null(wish.not_null)
        marked = self._named(wish.fingerprint)
        wanted = self._named(wish.tables) if wish.tables else self._all()
        wanted += [name for name in dict.fromkeys((*marked, *nulls)) if name not in wanted]
        counted: dict[str, Counted] = {}
        columns: list[Column] = []
        for name in wanted:
            table = self._there.get(name)
            if table is None:
                continue
            self._deadline.refuse(f"`{name}` was not counted")
            counted[name], found = self._count(table, nulls.get(name, ()), marked=name in marked)
            columns += found
        chosen = [self._there[name].oid for name in counted]
        oids = [row[0] for row in self._server.ask(_WITH_PARTS, (chosen,))]
        return Seen(
            database=self._identity,
            counted=counted,
            there=tuple(self._there),
            wanted=tuple(wanted),
            columns=columns,
            unindexed=[f"{r[1]} ({r[2]}), {r[0]}" for r in self._server.ask(_UNINDEXED, (oids,))],
            invalid=[f"{r[0]} on {r[1]}" for r in self._server.ask(_INVALID, (oids,))],
        )

    def _all(self) -> list[str]:
        """Return all tables that are no part of another, and all that were counted at first."""
        found = [t.name for t in self._there.values() if t.kind in "rp" and not t.is_part]
        return [*found, *(name for name in self._memory.known() if name not in found)]

    def _named(self, said: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(self._table(name) for name in said))

    def _table(self, said: str) -> str:
        """Return the full name of a table; one that was there at first may be gone."""
        known = [(table.schema, table.table) for table in self._there.values()]
        try:
            name = ".".join(names.table(said, known))
        except WorkError:
            for first in self._memory.known():
                if first not in self._there and said in (first, first.partition(".")[2]):
                    return first
            raise
        table = self._there[name]
        is_none = table.kind == "v" or not table.has_data
        if is_none and name not in self._memory.known():  # a view may take a table's place
            raise WorkError(f"`{said}` is a {_KINDS[table.kind]}, expected a table")
        return name

    def _not_null(self, said: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in said:
            said_table, said_column = names.split(one)
            name = self._table(said_table)
            table = self._there.get(name)
            if table is None:
                raise WorkError(f"there is no table `{name}` any more")
            column = names.column(said_column, name, table.columns)
            found.setdefault(name, []).append(column)
        return found

    def _count(
        self, table: Table, nulls: Sequence[str], *, marked: bool
    ) -> tuple[Counted, list[Column]]:
        """Count in one pass; the fingerprint is a sum, so the order of the rows does not matter."""
        columns = (self._memory.columns(table.name) or table.columns) if marked else ()
        whole = all(name in table.columns for name in columns)
        parts: list[sql.Composable] = [sql.SQL("SELECT count(*)")]
        if marked and whole:
            mark = "coalesce(sum(hashtextextended(ROW({})::text, 0)), 0)::text"
            row = sql.SQL(", ").join(sql.Identifier("gonogo", name) for name in columns)
            parts.append(sql.SQL(mark).format(row))
        else:
            parts.append(sql.SQL("''"))
        parts += [
            sql.SQL("count(*) FILTER (WHERE {} IS NULL)").format(sql.Identifier("gonogo", name))
            for name in nulls
        ]
        only = sql.SQL("ONLY ") if table.kind == "r" else sql.SQL("")
        source = sql.SQL(" FROM {}{} AS gonogo").format(
            only, sql.Identifier(table.schema, table.table)
        )
        try:
            found = self._server.compose(sql.SQL(", ").join(parts) + source)[0]
        except WorkError as error:
            message = f"`{table.name}` was not counted: {error.message}"
            raise WorkError(message, hint=error.hint) from None
        mark_of = (str(found[1]) or f"{WITHOUT}{_missing(columns, table)}") if marked else ""
        counted = Counted(int(found[0]), mark_of, tuple(columns))
        each = zip(nulls, found[2:], strict=True)
        return counted, [Column(table.name, n, counted.rows, int(v)) for n, v in each]


def _missing(columns: Sequence[str], table: Table) -> str:
    return ", ".join(name for name in columns if name not in table.columns)
