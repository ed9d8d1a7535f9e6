"""Looks at a backup that is there: how old, whole to its end, unchanged, of the right database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from gonogo.clock import SystemClock, moment
from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Context, Datum, Insists, Looks, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.backup.finding import Found
    from gonogo.databases.deadline import Deadline


@dataclass(frozen=True, slots=True)
class CheckBackup(Looks, Insists):
    """Look at a backup: its age, whether it can be read to its end, and what it is of.

    A backup that is damaged, or of another database, is a finding with its reason (`problem`).
    """

    kind: ClassVar[str] = "check backup"
    indicators: ClassVar[Mapping[str, str]] = {
        "problem": 'what is wrong with it, in words; "none" when nothing is',
        "exists": "true when there is a backup of that name",
        "path": "the backup that was looked at",
        "age": "the time since it was begun, else since it was written (s)",
        "size": "its size (B)",
        "complete": "true when it can be read to its end, else false",
        "unchanged": "true when its checksum is that of its manifest; null without a manifest",
        "database": "the name of the database it is of; for others the folder or the cache",
        "tables": "how many tables, keys or files it holds; null when that is not known",
        "server version": "the release of the server it was made from; only with a manifest",
        "tool version": "the release of pg_dump that made it; only with a manifest",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: backup\npath: backups/search-*.dump\non: db\n```\n\n- Expect: age < 24h\n"
    )
    expects: ClassVar[str | None] = 'problem = "none"'

    path: str = says("the file or folder; with `*` the newest; `this run`: the one it has made")
    on: str = says("the database that it must be of; needed for `this run`")
    read: bool = says("read it to its end; `off`: only its list of contents", default=True)
    tools: str = says("the folder of pg_restore; without it PATH is searched")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {"path": self.path, "on": self.on, "tools": self.tools}
        return filling.variables_of(fields, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return whether the path is missing."""
        found = []
        if not self.path.strip():
            hint = "write `path: backups/name-*.dump`"
            found.append(Diagnostic("GN521", "`path` is missing", Span.of_line(1), hint=hint))
        elif self.path.strip() == "this run" and not self.on.strip():
            message = "`this run` does not say of which database"
            found.append(Diagnostic("GN521", message, Span.of_line(1), hint="write `on: db`"))
        return (*found, *shellscript.secrets(self.body))

    def describe(self) -> str:
        """Return which backup is looked at."""
        return f"look at the backup {self.path or '?'}"

    def perform(self, context: Context) -> Observation:
        """Look once, and read it to its end.

        Raises:
            WorkError: it could not be looked at.
        """
        from gonogo.actions.backup import finding
        from gonogo.databases.deadline import Deadline

        deadline = Deadline(context)
        identity, name = _database(self.on, context, deadline)
        if self.path.strip() == finding.THIS_RUN:
            found: Found | None = finding.of_this_run(context, identity)
        else:
            found = finding.newest(self.path, context)
        if found is None:
            problem = f"there is no backup `{self.path}`"
            seen: dict[str, Datum] = {"problem": problem, "exists": False, "complete": False}
            return Observation(seen, text=context.redact(problem))
        return self._seen(found, identity, name, context, deadline)

    def _seen(
        self, found: Found, identity: str, name: str, context: Context, deadline: Deadline
    ) -> Observation:
        from gonogo.actions.backup import archive, manifest

        read = archive.read(found, self.tools, context, deadline, whole=self.read)
        known = found.manifest
        problem = read.problem or _stranger(found, read.database, identity, name)
        started = moment(known.started).timestamp() if known else found.path.stat().st_mtime
        age = max(SystemClock().now().timestamp() - started, 0.0)
        seen: dict[str, Datum] = {
            "problem": context.redact(problem or "none"),
            "exists": True,
            "path": str(found.path),
            "age": Quantity(Decimal(str(round(age, 3))), "s"),
            "size": Quantity(Decimal(manifest.size_of(found.path)), "B"),
            "complete": not read.problem,
            "unchanged": read.unchanged,
            "database": read.database or None,
            "tables": read.tables,
        }
        if known is not None:
            seen |= {"server version": known.server, "tool version": known.tool}
        words = ", ".join(f"{k} {_shown(v)}" for k, v in seen.items() if k != "path")
        return Observation(seen, text=context.redact(f"{found.path}: {words}"))


def _database(on: str, context: Context, deadline: Deadline) -> tuple[str, str]:
    """Return identity and name of the database that the backup must be of, if one is named."""
    from gonogo.actions.backup import cache
    from gonogo.databases.redis import SCHEMES
    from gonogo.databases.server import Server

    if not on.strip():
        return "", ""
    if filling.target(on, context).startswith(SCHEMES):
        series = cache.series(on, context, deadline)
        return series, series
    with Server(on, context, deadline) as server:
        return server.identity(), server.database


def _stranger(found: Found, database: str, identity: str, name: str) -> str:
    """Say of which other database it is; the manifest knows the server, the archive the name."""
    known = found.manifest
    if identity and known is not None and known.database != identity:
        if known.name != name:
            return f"it is of another database: `{known.name}`, expected `{name}`"
        return f"it is of a database `{name}` on another server"
    if name and database and database != name:
        return f"it is of another database: `{database}`, expected `{name}`"
    return ""


def _shown(value: Datum) -> str:
    if value is None:
        return "null"
    return f"{value.number} {value.unit}" if isinstance(value, Quantity) else str(value)
