"""The table in which a database keeps which migrations it has; ours, or the one that is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from psycopg import sql

from gonogo.actions.migrate.database import Database
from gonogo.errors import WorkError
from gonogo.plan.migrations import Migration, keys

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL), a.attnotnull AND NOT a.atthasdef
       AND a.attidentity = ''
FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_NUMBERS = frozenset(("bigint", "integer", "numeric"))


class Ledger:
    """The rows of one table, by its qualified name."""

    def __init__(self, database: Database, table: str) -> None:
        """Look at what is there.

        Raises:
            WorkError: a table of this name is there and is no list of migrations.
        """
        self._database = database
        self._table = table
        schema = str(database.rows("SELECT coalesce(current_schema(), 'public')")[0][0])
        parts = table.split(".") if "." in table else [schema, table]
        self._name = sql.Identifier(*parts)
        self._quoted = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        self._columns: dict[str, tuple[str, bool]] = {}
        self._look()

    def _look(self) -> None:
        rows = self._database.rows(_COLUMNS, (self._quoted,))
        self._columns = {name: (kind, needed) for name, kind, needed in rows}
        if not self._columns:
            return
        if "version" not in self._columns:
            raise WorkError(
                f"the table `{self._table}` has no column `version`",
                hint="name the table of the migrations: `table: schema_migrations`",
            )
        if "dirty" in self._columns:
            raise WorkError(
                f"the table `{self._table}` is that of golang-migrate: it keeps only one version",
                hint="give gonogo a table of its own: `table: gonogo_migrations`, filled once by "
                "hand with what is applied",
            )

    def applied(self) -> tuple[str, ...]:
        """Return the versions as the table writes them, oldest first; no table: none."""
        if not self._columns:
            return ()
        order = next((c for c in ("applied_at", "inserted_at", "id") if c in self._columns), "")
        by = f'"{order}", version' if order else "version"
        found = self._database.rows(
            f"SELECT version::text FROM {self._quoted} ORDER BY {by}"  # noqa: S608 - quoted names
        )
        return tuple(str(row[0]) for row in found)

    def changed(self, migrations: tuple[Migration, ...]) -> tuple[str, ...]:
        """Return the applied migrations whose file is not what was applied."""
        if "checksum" not in self._columns or self._columns["checksum"][0] != "text":
            return ()
        found = self._database.rows(
            f"SELECT version::text, checksum FROM {self._quoted}"  # noqa: S608 - quoted names
        )
        kept = {str(version): str(checksum) for version, checksum in found if checksum}
        return tuple(
            item.title
            for item in migrations
            for key in keys(item)
            if key in kept and len(kept[key]) == 64 and kept[key] != checksum_of(item)
        )

    def make(self) -> None:
        """Make the table if there is none."""
        if self._columns:
            return
        self._database.connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (version text PRIMARY KEY, name text NOT NULL,"
                " checksum text NOT NULL, down_sql text NOT NULL,"
                " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
            ).format(self._name)
        )
        self._look()

    def add(self, migration: Migration, release: str) -> None:
        """Write the row of a migration; inside its transaction."""
        values = self._values(migration, release)
        self._database.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                self._name,
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Literal, values.values())),
            )
        )

    def remove(self, version: str) -> None:
        """Take the row of a version away; inside the transaction of its way back."""
        self._database.connection.execute(
            sql.SQL("DELETE FROM {} WHERE version::text = {}").format(
                self._name, sql.Literal(version)
            )
        )

    def written(self, migration: Migration) -> str:
        """Return how this table writes the version of a migration."""
        there = self.applied()
        if self._columns.get("version", ("text", False))[0] in _NUMBERS:
            return migration.version.lstrip("0") or "0"
        long = sum("_" in version for version in there)
        return migration.title if there and long == len(there) else migration.version

    def _values(self, migration: Migration, release: str) -> Mapping[str, str]:
        offered = {
            "version": self.written(migration),
            "name": migration.name,
            "checksum": checksum_of(migration),
            "down_sql": migration.down.text if migration.down is not None else "",
            "release": release,
        }
        lacking = [
            name for name, (_, needed) in self._columns.items() if needed and name not in offered
        ]
        if lacking:
            raise WorkError(
                f"the table `{self._table}` wants a `{lacking[0]}`, and gonogo does not know it",
                hint="give the column a default, or migrate with the tool that made the table",
            )
        return {name: value for name, value in offered.items() if name in self._columns}


def checksum_of(migration: Migration) -> str:
    """Return the fingerprint of what is applied."""
    return hashlib.sha256(migration.up.text.encode()).hexdigest()
