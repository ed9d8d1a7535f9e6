"""Goes back to a backup: into an empty database, or in place of what is there after a typed yes."""

from __future__ import annotations

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
    from gonogo.actions.backup.replacing import Returned
    from gonogo.actions.backup.stakes import Wish


@dataclass(frozen=True, slots=True)
class Restore(Acts, Insists):
    """Restore a backup into an empty database, or, with `replace: yes`, in place of a live one.

    What it replaces is kept: as a database beside it (`swap`), or as a dump (`in place`).
    """

    kind: ClassVar[str] = "restore"
    indicators: ClassVar[Mapping[str, str]] = {
        "restored": "true when all of the backup is there and was compared",
        "way": "`swap`, `in place`, `empty` (nothing was there), or `keys` of a cache",
        "kept": "where that is which was there before: a database or a file; null for nothing",
        "tables": "how many tables were compared; for a cache how many keys came back",
        "rows": "how many rows they have together; only of a database",
        "backup": "the backup that was restored",
        "duration": "how long it took (s)",
    }
    example: ClassVar[str] = (
        "```yaml\naction: restore\non: db\nbackup: this run\nreplace: yes\ntimeout: 1h\n```\n\n"
        "- Expect: duration < 15 min\n"
    )
    expects: ClassVar[str | None] = "restored is true"
    traceable: ClassVar[bool] = True

    on: str = says("the database, or the cache, that is restored")
    backup: str = says("the backup; with `*` the newest; `this run`: the one it has made")
    replace: bool = says(
        "restore although something is there; a person must type the name of `on`", default=False
    )
    way: Literal["auto", "swap", "in place"] = says(
        "`swap`: beside it, then exchange the names; `in place`: in one transaction, after a dump; "
        "`auto`: swap where the user has the right to",
        default="auto",
    )
    source: str = says("with `replace`: the target that the backup is of, when that is not `on`")
    jobs: int = says("how many tables are restored at once; not `in place`", default=4)
    tools: str = says("the folder of pg_restore; without it PATH is searched")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {"on": self.on, "backup": self.backup, "source": self.source, "t": self.tools}
        return filling.variables_of(fields, self.body)

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what is replaced; without `replace` nothing can be."""
        if not self.replace or not self.on.strip():
            return ()
        name = filling.shown(self.on.strip())
        return (Destruction(f"restore over {name}", name, Span.of_line(1)),)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what is missing."""
        found = []
        for field, value, hint in (
            ("on", self.on, "write `on: db`"),
            ("backup", self.backup, "write `backup: this run` or the path of a backup"),
        ):
            if not value.strip():
                message = f"`{field}` is missing"
                found.append(Diagnostic("GN523", message, Span.of_line(1), hint=hint))
        if self.jobs < 1:
            message = f"`jobs` is `{self.jobs}`, expected 1 or more"
            found.append(Diagnostic("GN517", message, Span.of_line(1), hint="write `jobs: 4`"))
        return (*found, *shellscript.secrets(self.body))

    def describe(self) -> str:
        """Return what is restored, and over what."""
        over = "over" if self.replace else "into"
        return f"restore {self.backup or '?'} {over} {filling.shown(self.on) or '?'}"

    def perform(self, context: Context) -> Observation:
        """Restore, or finish what an earlier life has begun.

        Raises:
            WorkError: it was refused, or failed; then what was there is there unchanged.
        """
        from gonogo.actions.backup import replacing

        return _observation(replacing.go_back(self._wish(), context), context)

    def at_stake(self, context: Context) -> str:
        """Return which backup takes the place of what; that one is restored, and no newer one.

        Raises:
            WorkError: it would be refused, for instance because it is of another database.
        """
        from gonogo.actions.backup import stakes

        return stakes.at_stake(self._wish(), context)

    def _wish(self) -> Wish:
        from gonogo.actions.backup.stakes import Wish

        return Wish(
            self.on,
            self.backup,
            self.way,
            self.jobs,
            self.tools,
            replace=self.replace,
            source=self.source,
        )


def _observation(done: Returned, context: Context) -> Observation:
    found: dict[str, Datum] = {
        "restored": True,
        "way": done.way,
        "kept": done.kept or None,
        "tables": done.tables,
        "backup": str(done.backup),
        "duration": Quantity(Decimal(str(done.duration_s)), "s"),
    }
    if done.rows is not None:
        found["rows"] = done.rows
    lines = [f"{done.backup}: restored ({done.way}), {done.tables} tables or keys"]
    if done.kept:
        lines.append(f"what was there before is kept as {done.kept}")
    return Observation(found, text=context.redact("\n".join([*lines, *done.notes])))
