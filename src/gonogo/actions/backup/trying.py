"""Proves a backup: restores it into a database of its own and compares what is in there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from gonogo.errors import Diagnostic
from gonogo.plan import filling, shellscript
from gonogo.plan.kinds import Context, Datum, Insists, Looks, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.backup.proving import Proof

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CheckRestore(Looks, Insists):
    """Restore a backup into a scratch database, compare it with its source, drop it again.

    Nothing that exists is touched, so it may be repeated. No migration starts behind a failure.
    """

    kind: ClassVar[str] = "check restore"
    indicators: ClassVar[Mapping[str, str]] = {
        "problem": 'why it is no way back, in words; "none" when all is there again',
        "restored": "true when all of the backup was restored, else false",
        "differences": "how many differences there are; null when it was not restored",
        "difference": "the differences in words, a list",
        "tables": "how many tables were compared",
        "rows": "how many rows they have together",
        "fingerprints": "how many tables were compared by content",
        "against": "`snapshot`: what was counted with the dump; `live`: the database as it is now",
        "restore duration": "how long pg_restore or psql took (s)",
        "duration": "how long all of it took (s)",
        "server free": "the room on the disk of the server (B); null when it cannot be known",
        "backup": "the backup that was restored",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: restore\non: db\nbackup: this run\ncompare: documents, users\n"
        "timeout: 30m\n```\n\n- Expect: duration < 15 min\n"
    )
    expects: ClassVar[str | None] = 'problem = "none"'
    traceable: ClassVar[bool] = True

    on: str = says("the server: a database on it, beside which the scratch database is made")
    backup: str = says(
        "the backup; with `*` the newest; `this run`: the one it has made", default="this run"
    )
    source: str = says("the database that it is of, when that is not `on`")
    compare: tuple[str, ...] = says(
        "tables whose content must be compared; an error when the backup has no fingerprint",
        default=(),
    )
    jobs: int = says("how many tables are restored at once", default=4)
    tools: str = says("the folder of pg_restore and psql; without it PATH is searched")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {"on": self.on, "backup": self.backup, "source": self.source, "t": self.tools}
        return filling.variables_of(fields, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what is missing."""
        found = []
        if not self.on.strip():
            message = "`on` is missing: the server to restore to"
            found.append(Diagnostic("GN522", message, Span.of_line(1), hint="write `on: db`"))
        if not self.backup.strip():
            message, hint = "`backup` is empty", "write `backup: this run`"
            found.append(Diagnostic("GN522", message, Span.of_line(1), hint=hint))
        if self.jobs < 1:
            message = f"`jobs` is `{self.jobs}`, expected 1 or more"
            found.append(Diagnostic("GN517", message, Span.of_line(1), hint="write `jobs: 4`"))
        return (*found, *shellscript.secrets(self.body))

    def describe(self) -> str:
        """Return what is restored where."""
        return f"test the restore of {self.backup or '?'} on {filling.shown(self.on) or '?'}"

    def perform(self, context: Context) -> Observation:
        """Restore, compare, drop; the outcome is kept for later steps of the run.

        Raises:
            WorkError: it could not be tried.
        """
        from gonogo.actions.backup import proving

        trial = proving.Trial(
            self.on, self.backup, self.source, self.compare, self.jobs, self.tools
        )
        return _observation(proving.prove(trial, context), context)


def _observation(proof: Proof, context: Context) -> Observation:
    listed: list[Datum] = [context.redact(text) for text in proof.differences]
    found: dict[str, Datum] = {
        "problem": context.redact(proof.problem() or "none"),
        "restored": proof.restored,
        "differences": len(listed) if proof.restored else None,
        "difference": listed[:_SHOWN],
        "tables": proof.tables,
        "rows": proof.rows,
        "fingerprints": proof.fingerprints,
        "against": proof.against,
        "restore duration": Quantity(Decimal(str(proof.restore_s)), "s"),
        "duration": Quantity(Decimal(str(proof.duration_s)), "s"),
        "server free": None if proof.free is None else Quantity(Decimal(proof.free), "B"),
        "backup": str(proof.backup),
    }
    lines = [
        f"{proof.backup}: {'restored' if proof.restored else 'not restored'}, "
        f"{proof.tables} tables, {proof.rows} rows, {proof.fingerprints} compared by content "
        f"({proof.against})",
        *proof.differences[:_SHOWN],
        *proof.notes,
    ]
    return Observation(found, text=context.redact("\n".join(line for line in lines if line)))
