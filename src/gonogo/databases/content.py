"""What is in a database: tables with their rows, fingerprints, extensions, sequences, indexes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gonogo.errors import WorkError

if TYPE_CHECKING:
    from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server

SMALL = 64 * 1024 * 1024  # bytes; tables up to this size are fingerprinted without being named
_LARGE = 16 * 1024 * 1024  # bytes; from here on a table is worth a connection of its own
_SETTINGS = (  # a row as text must not depend on who asks
    "SET DateStyle = 'ISO, MDY'",
    "SET IntervalStyle = 'postgres'",
    "SET TimeZone = 'UTC'",
    "SET extra_float_digits = 3",
    "SET bytea_output = 'hex'",
    "SET row_security = off",
    "SET search_path = pg_catalog",
)


def ours(text: str) -> str:
    """Put the condition for what people made in place of `OURS(catalog, alias)`."""
    return re.sub(r"OURS\((\w+), (\w+)\)", _CONDITION, text)


_CONDITION = r"""
 n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '\1'::regclass
                 AND e.objid = \2.oid AND e.deptype = 'e')"""
_TABLES = ours("""
SELECT n.nspname, c.relname, c.relkind::text, pg_table_size(c.oid), c.relispopulated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND c.relpersistence <> 't'
 AND OURS(pg_class, c) ORDER BY 1, 2""")
_INDEXES = ours("""
SELECT n.nspname, c.relname, t.nspname || '.' || r.relname, i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class r ON r.oid = i.indrelid
JOIN pg_namespace t ON t.oid = r.relnamespace
WHERE r.relpersistence <> 't' AND OURS(pg_class, r) ORDER BY 1, 2""")
_CONSTRAINTS = ours("""
SELECT n.nspname || '.' || c.relname, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND c.relpersistence <> 't'
 AND OURS(pg_class, c) ORDER BY 1, 2""")
_SEQUENCES = ours("""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND OURS(pg_class, c)
ORDER BY 1, 2""")
_FUNCTIONS = ours("""
SELECT count(*) FROM pg_proc c JOIN pg_namespace n ON n.oid = c.pronamespace
WHERE OURS(pg_proc, c)""")
_OBJECTS = ours("""
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S') AND OURS(pg_class, c))
     + (SELECT count(*) FROM pg_proc c JOIN pg_namespace n ON n.oid = c.pronamespace
        WHERE OURS(pg_proc, c))""")
_PLACE = """
SELECT to_jsonb(d) || jsonb_build_object('encoding', pg_encoding_to_char(d.encoding))
FROM pg_database d WHERE datname = current_database()"""


@dataclass(frozen=True, slots=True)
class Content:
    """One state of a database, in names and numbers; `rows` by table, `schema.table`."""

    rows: Mapping[str, int]
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)
    indexes: Sequence[str] = ()
    invalid: Sequence[str] = ()  # invalid indexes; pg_dump leaves them out
    constraints: Sequence[str] = ()
    others: Mapping[str, str] = field(default_factory=dict)  # views and such: kind by name
    functions: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Content:
        """Read what `as_json` wrote."""
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in data.items() if name in names})


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a database is meant: everything, some schemas, or some tables."""

    tables: Sequence[str] = ()
    schemas: Sequence[str] = ()

    @property
    def is_all(self) -> bool:
        """Say whether everything is meant."""
        return not self.tables and not self.schemas

    def holds(self, schema: str, table: str) -> bool:
        """Say whether a table is meant."""
        if self.tables:
            return f"{schema}.{table}" in self.tables
        return not self.schemas or schema in self.schemas


def settle(server: Server, tables: Collection[str], schemas: Collection[str]) -> Choice:
    """Return the choice with each table by its full name.

    Raises:
        WorkError: a table or a schema does not exist.
    """
    found = tuple(full_name(server, table) for table in tables)
    there = {row[0] for row in server.ask("SELECT nspname FROM pg_namespace")}
    for schema in schemas:
        if schema not in there:
            raise WorkError(f"there is no schema `{schema}`", hint="correct `schemas:`")
    return Choice(found, tuple(schemas))


def count_objects(server: Server) -> int:
    """Return how many tables, views, sequences and functions people have made there."""
    return int(server.ask(_OBJECTS)[0][0])


def full_name(server: Server, table: str) -> str:
    """Return `schema.table` of a table as a person names it.

    Raises:
        WorkError: there is no such table.
    """
    rows = server.ask(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'm') AND (n.nspname || '.' || c.relname = %s"
        " OR c.relname = %s AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
        " ORDER BY n.nspname <> 'public', 1",
        (table, table),
    )
    if not rows:
        raise WorkError(f"there is no table `{table}`", hint="write `table` or `schema.table`")
    return f"{rows[0][0]}.{rows[0][1]}"


def place(server: Server) -> dict[str, Any]:
    """Return encoding and locale of the database, as its own catalog has them."""
    found: dict[str, Any] = server.ask(_PLACE)[0][0]
    return {
        name: value
        for name, value in found.items()
        if name in {"encoding", "datcollate", "datctype", "datlocprovider"}
        or name in {"daticulocale", "datlocale", "daticurules"}
    }


def steady(server: Server) -> None:
    """Let rows as text not depend on who asks; rows that a policy hides become an error."""
    for setting in _SETTINGS:
        server.ask(setting)


def look(
    server: Server,
    deadline: Deadline,
    choice: Choice,
    named: Collection[str],
    *,
    small: int = SMALL,
    beside: Sequence[Server] = (),
) -> Content:
    """Read the content; tables in `named`, and those up to `small` bytes, get a fingerprint.

    Call it inside a transaction to see one state; connections `beside` count at the same time, and
    must see the same state. `named` are full names.
    """
    for each in (server, *beside):
        steady(each)
    tables: list[_Table] = []
    others: dict[str, str] = {}
    for schema, table, kind, size, populated in server.ask(_TABLES):
        name = f"{schema}.{table}"
        if not choice.holds(schema, table):
            continue
        if kind != "r":
            others[name] = _OTHERS[kind] + ("" if populated else " without data")
            if name not in named or kind != "m":
                continue
        tables.append(_Table(schema, table, size, name in named or size <= small))
    found = _counted(tables, (server, *beside), deadline)
    rows = {table.name: found[table.name][0] for table in tables}
    fingerprints = {table.name: found[table.name][1] for table in tables if table.marked}
    return Content(rows, fingerprints, others=others, **_rest(server, choice))


def helpers(server: Server, jobs: int) -> int:
    """Return how many connections beside this one are worth it to count the rows: few or none."""
    large = server.ask(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > %s",
        (_LARGE,),
    )
    return max(min(jobs, int(large[0][0])) - 1, 0)


_OTHERS = {"p": "partitioned table", "m": "materialized view", "f": "foreign table", "v": "view"}


@dataclass(frozen=True, slots=True)
class _Table:
    """One table to be counted; with a fingerprint if it is `marked`."""

    schema: str
    table: str
    size: int  # bytes
    marked: bool

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


def _counted(
    tables: Iterable[_Table], servers: Sequence[Server], deadline: Deadline
) -> dict[str, tuple[int, str]]:
    """Count the rows of all tables, the largest first, over all connections at the same time."""
    waiting = deque(sorted(tables, key=lambda table: table.size, reverse=True))
    found: dict[str, tuple[int, str]] = {}
    problems: list[WorkError] = []  # the first is the cause, the others were cancelled for it

    def count(server: Server) -> None:
        while waiting:
            try:
                table = waiting.popleft()
            except IndexError:  # another one was faster
                return
            try:
                deadline.refuse("the rows were not counted")
                one = _count(server, table.schema, table.table, marked=table.marked)
            except WorkError as error:
                problems.append(error)
                waiting.clear()
                for other in servers:
                    if other is not server:
                        other.cancel()
                return
            found[table.name] = one

    if len(servers) == 1:
        count(servers[0])
    else:
        with ThreadPoolExecutor(len(servers), thread_name_prefix="gonogo-count") as pool:
            for future in [pool.submit(count, server) for server in servers]:
                future.result()
    if problems:
        raise problems[0]
    return found


def _count(server: Server, schema: str, table: str, *, marked: bool) -> tuple[int, str]:
    """Count the rows; the fingerprint is a sum, so the order of the rows does not matter."""
    mark = "coalesce(sum(hashtextextended(gonogo_row::text, 0)), 0)" if marked else "0"
    text = f"SELECT count(*), {mark} FROM ONLY {{}} AS gonogo_row"  # noqa: S608 - two texts of ours
    count, value = server.say(text, f"{schema}\0{table}")[0]
    return int(count), str(value)


def _rest(server: Server, choice: Choice) -> dict[str, Any]:
    if not choice.is_all:
        return {}
    indexes = server.ask(_INDEXES)
    sequences = {
        f"{schema}.{name}": int(server.say("SELECT last_value FROM {}", f"{schema}\0{name}")[0][0])
        for schema, name in server.ask(_SEQUENCES)
    }
    return {
        "extensions": dict(server.ask("SELECT extname, extversion FROM pg_extension ORDER BY 1")),
        "sequences": sequences,
        "indexes": [f"{row[0]}.{row[1]} on {row[2]}" for row in indexes if row[3]],
        "invalid": [f"{row[0]}.{row[1]} on {row[2]}" for row in indexes if not row[3]],
        "constraints": [f"{row[1]} on {row[0]}" for row in server.ask(_CONSTRAINTS)],
        "functions": int(server.ask(_FUNCTIONS)[0][0]),
    }


def differences(source: Content, restored: Content, *, exact: bool = True) -> list[str]:
    """Return what is not in `restored` as it was in `source`, one sentence each.

    `exact=False`: the source may have changed since the backup, so only what is missing counts.
    """
    found = [f"table `{name}` is missing" for name in source.rows if name not in restored.rows]
    for name, count in source.rows.items():
        got = restored.rows.get(name, count)
        if got != count and (exact or not got):
            found.append(f"`{name}` has {got} rows, expected {count}")
    for name, mark in source.fingerprints.items() if exact else ():
        if restored.fingerprints.get(name, mark) != mark and source.rows.get(
            name
        ) == restored.rows.get(name):
            found.append(f"`{name}` has the same number of rows with other content")
    found += [f"{k} `{n}` is missing" for n, k in source.others.items() if n not in restored.others]
    found += _missing("extension", source.extensions, restored.extensions)
    found += _missing("index", source.indexes, restored.indexes)
    found += _missing("constraint", source.constraints, restored.constraints)
    found += [f"index `{name}` is invalid" for name in restored.invalid]
    found += _behind(source, restored, exact=exact)
    if restored.functions < source.functions:
        found.append(f"{restored.functions} functions, expected {source.functions}")
    return found


def _missing(what: str, wanted: Collection[str], there: Collection[str]) -> list[str]:
    return [f"{what} `{name}` is missing" for name in wanted if name not in there]


def _behind(source: Content, restored: Content, *, exact: bool) -> list[str]:
    """Return sequences that lie behind what was noted; further is fine: no snapshot holds them."""
    found = []
    for name, value in source.sequences.items():
        got = restored.sequences.get(name)
        if got is None:
            found.append(f"sequence `{name}` is missing")
        elif exact and abs(got) < abs(value):
            found.append(f"sequence `{name}` stands at {got}, expected at least {value}")
    return found
