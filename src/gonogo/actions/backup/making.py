"""Makes a backup of a database, a cache or a folder, complete and with a manifest beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Acts, Context, Datum, Destruction, Insists, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.backup.sealing import Made

_CODE = "GN520"
_ENDING = re.compile(
    r"(?:\.sql|\.tar|\.dump)?\.(?:gz|tgz|bz2|xz|zst|lz4|zip)$|\.(?:sql|tar)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Backup(Acts, Insists):
    """Back up a PostgreSQL database, a Redis or Valkey database, or a folder of files.

    It has its name only when it is complete; an older backup is never written over.
    """

    kind: ClassVar[str] = "backup"
    indicators: ClassVar[Mapping[str, str]] = {
        "complete": "true when all of it was written and read back for its checksum",
        "path": "where the backup lies",
        "size": "its size (B)",
        "sha256": "its fingerprint",
        "tables": "how many tables were counted; for others how many keys or files there are",
        "rows": "how many rows they had in the dump's own snapshot; only of a database",
        "database": "the name of what was backed up",
        "server version": "the release of the server; only of a database or a cache",
        "tool version": "the release of pg_dump; only of a database",
        "removed": "how many older backups `keep` has let go",
        "duration": "how long it took (s)",
    }
    example: ClassVar[str] = (
        "```yaml\naction: backup\non: db\nto: backups/search-{{time}}.dump\nkeep: 5\n"
        "compare: documents, users\ntimeout: 30m\n```\n\n- Expect: size > 1 KiB\n"
    )
    expects: ClassVar[str | None] = "complete is true"
    traceable: ClassVar[bool] = True

    on: str = says("the target: a database, `postgresql://…`, or a cache, `redis://…`")
    path: str = says("instead of `on`: a folder or file, from the folder of the runbook")
    to: str = says("the file; `{{time}}` is the moment, a `/` at the end: a folder, see `format`")
    keep: int = says(
        "let older backups of this `to` go but for the newest so many; 0: never", default=0
    )
    format: Literal["auto", "custom", "directory"] = says(
        "one file, or a folder that is written by several jobs; `auto`: as `to` ends",
        default="auto",
    )
    jobs: int = says("how many tables are dumped at once; only in a folder", default=4)
    compare: tuple[str, ...] = says(
        "large tables whose content is fingerprinted; those up to 64 MiB always are", default=()
    )
    tables: tuple[str, ...] = says("only these tables", default=())
    schemas: tuple[str, ...] = says("only these schemas", default=())
    tools: str = says("the folder of pg_dump; without it PATH is searched")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields; the moment and the run are known by themselves."""
        from gonogo.actions.backup.naming import without_own

        fields = {"on": self.on, "path": self.path, "to": without_own(self.to)}
        return filling.variables_of({**fields, "tools": self.tools}, self.body)

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing: what `keep` lets go are backups that it made itself."""
        return ()

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what is missing or does not go together."""
        found = [
            Diagnostic(code, message, Span.of_line(1), hint=hint)
            for code, message, hint in self._mistakes()
        ]
        return (*found, *shellscript.secrets(self.body))

    def _mistakes(self) -> list[tuple[str, str, str]]:
        found = []
        if bool(self.on.strip()) == bool(self.path.strip()):
            found.append((_CODE, "one of `on` and `path` is needed", "write `on: db`"))
        if not self.to.strip():
            hint = "write `to: backups/name-{{time}}.dump`"
            found.append((_CODE, "`to` is missing", hint))
        if self.keep < 0 or self.jobs < 1:
            found.append(("GN517", "`keep` and `jobs` are whole numbers from 0 and 1", ""))
        if self.keep == 1:
            hint = "a backup that fails its restore test would be the only one: keep 2 or more"
            found.append((_CODE, "`keep: 1` leaves no older backup", hint))
        if self.keep and "{{" not in self.to and "${" not in self.to:
            hint = "write `{{time}}` into `to:`"
            found.append((_CODE, "`keep` counts backups, and `to` always has the same name", hint))
        if self.path.strip() and (self.tables or self.schemas or self.compare):
            hint = "leave them out, or write `on: db`"
            found.append((_CODE, "`tables`, `schemas`, `compare` are for a database", hint))
        promised = _promised(self.to)
        if self.on.strip() and self.format == "auto" and promised:
            message = f"`to` ends in `{promised}`, and that is not what is written"
            hint = (
                "a database is written in the custom format of pg_dump: let it end in `.dump`, a "
                "cache in `.keys`; `format: custom` takes any name"
            )
            found.append(("GN562", message, hint))
        if self.tables and self.schemas:
            found.append((_CODE, "`tables` and `schemas` do not go together", "write one"))
        return found

    def describe(self) -> str:
        """Return what is backed up, and where to."""
        return f"back up {filling.shown(self.on) or self.path or 'nothing'} to {self.to}"

    def perform(self, context: Context) -> Observation:
        """Make the backup, or finish what an earlier life has begun.

        Raises:
            WorkError: it could not be made; nothing is left that looks like a backup.
        """
        from gonogo.actions.backup import cache, dumping, tree
        from gonogo.actions.backup.sealing import Order
        from gonogo.databases.deadline import Deadline
        from gonogo.databases.redis import SCHEMES

        deadline = Deadline(context)
        directory = self.format == "directory" or (
            self.format == "auto" and self.to.rstrip().endswith("/")
        )
        order = Order(
            on=self.on,
            to=self.to,
            format="directory" if directory else "custom",
            jobs=self.jobs,
            keep=self.keep,
            tools=self.tools,
            tables=self.tables,
            schemas=self.schemas,
            compare=self.compare,
        )
        if self.path.strip():
            made = tree.pack(self.path, order, context, deadline)
        elif filling.target(self.on, context).startswith(SCHEMES):
            made = cache.save(order, context, deadline)
        else:
            made = dumping.dump(order, context, deadline)
        return _observation(made, context)


def _promised(to: str) -> str:
    """Return the ending of a name that says SQL text, a tar or a packed file; empty: none does."""
    match = _ENDING.search(to.strip())
    return match[0] if match else ""


def _observation(made: Made, context: Context) -> Observation:
    known = made.manifest
    found: dict[str, Datum] = {
        "complete": True,
        "path": str(made.path),
        "size": Quantity(Decimal(known.size), "B"),
        "sha256": known.sha256,
        "database": known.name,
        "removed": len(made.gone),
        "duration": Quantity(Decimal(str(known.duration_s)), "s"),
    }
    rows = known.content.get("rows")
    if isinstance(rows, Mapping):
        found |= {"tables": len(rows), "rows": sum(rows.values())}
    else:
        found["tables"] = int(known.content.get("entries", 0))
    if known.server:
        found["server version"] = known.server
    if known.tool:
        found["tool version"] = known.tool
    lines = [
        f"{made.path}: {known.size} B, sha256 {known.sha256}",
        f"{known.what} {known.name}, server {known.server or '-'}, tool {known.tool or '-'}",
        *(f"let go: {name}" for name in made.gone),
        *(f"left out, invalid index: {name}" for name in known.content.get("invalid", ())),
    ]
    return Observation(found, text=context.redact("\n".join(lines)))
