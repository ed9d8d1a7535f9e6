"""Applies migrations, one transaction each, after the way back was proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from gonogo import records
from gonogo.actions.migrate.common import InParts, Migrating, took
from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Acts, Context, Destruction, Observation
from gonogo.plan.said import says
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.migrate.record import Record
    from gonogo.actions.migrate.series import Series, Settings

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Migrate(Migrating, InParts, Acts):
    """Apply all pending migrations, and keep which ones this run applied.

    A file and its row are one transaction, so a failure leaves the ones before it and nothing of
    itself. It starts only after a restore test of this run that passed.
    """

    kind: ClassVar[str] = "migrate"
    indicators: ClassVar[Mapping[str, str]] = {
        "before": "what was applied before it began, oldest first",
        "pending": "what was pending before it began",
        "applied": "what it applied",
        "applied count": "how many it applied",
        "left": "how many of those that it should apply are still pending",
        "duration": "how long it took (s)",
    }
    example: ClassVar[str] = (
        "```yaml\naction: migrate\non: db\nfolder: migrations\nlock timeout: 5s\n"
        'unproved: "nothing is in this database yet"\n```\n\n'
        "- Expect: left = 0\n- No dump: nothing is in this database yet\n"
    )
    expects: ClassVar[str | None] = "left = 0"

    only: tuple[str, ...] = says(
        "the migrations that this release brings; another pending one stops it", default=()
    )
    to: str = says("the newest migration to apply; later ones stay pending; only of `folder`")
    destroys_: tuple[str, ...] = says(
        "what they destroy, as `lint` names it; a person types each name", default=()
    )
    unproved: str = says("why it may start without a restore test; a person types the target")

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what the block says that is lost, and that nobody has proved a way back."""
        found = [
            Destruction(f"the migrations destroy {name}", name, Span.of_line(1))
            for name in self.destroys_
        ]
        if self.unproved.strip():
            said = f"migrate {self.on} without a proved way back: {self.unproved.strip()}"
            found.append(Destruction(said, filling.shown(self.on), Span.of_line(1)))
        return tuple(found)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what does not go together."""
        found = list(self.mistakes())
        if self.to and self.tool != "folder":
            message = "`to` is only understood with `tool: folder`"
            hint = f"leave it out: `{self.tool}` applies all that is pending"
            found.append(Diagnostic("GN517", message, Span.of_line(1), hint=hint))
        return tuple(found)

    def settings(self) -> Settings:
        """Return what the block says, with how far it goes."""
        return replace(Migrating.settings(self), to=self.to)

    def describe(self) -> str:
        """Return what is applied, and where."""
        where = self.folder or ("migrations" if self.tool == "folder" else self.tool)
        return f"migrate {filling.shown(self.on)} with {where}"

    def perform(self, context: Context) -> Observation:
        """Apply what is pending.

        Raises:
            WorkError: the way back is not proved, something unforeseen is pending, or one failed.
        """
        from gonogo.actions.migrate.guard import refuse_unforeseen
        from gonogo.actions.migrate.record import Record

        began = _clock.monotonic()
        with self.opened(context) as (series, identity):
            if not self.unproved.strip():
                _refuse_unproved(context, identity)
            state = series.state()
            wanted = series.pending()
            refuse_unforeseen(wanted, self.only, self.destroys_)
            record = Record(context.run_folder, identity, self.settings().series)
            record.before(state.applied, state.pending)
            try:
                series.up(record)
            finally:
                after = _noted(series, record)
        applied = [name for name in after if name not in state.applied]
        left = [item.title for item in wanted if item.title not in after]
        text = "\n".join(f"applied {name}" for name in applied) or "nothing was pending"
        return Observation(
            {
                "before": list(state.applied),
                "pending": list(state.pending),
                "applied": list(applied),
                "applied count": len(applied),
                "left": len(left),
                "duration": took(began),
            },
            text=context.redact(text),
        )


def _noted(series: Series, record: Record) -> tuple[str, ...]:
    """Return what is applied now, and keep it; after a lost connection nobody can say."""
    import psycopg

    try:
        after = series.state().applied
    except (psycopg.Error, WorkError):
        return ()
    record.after(after)
    return after


def _refuse_unproved(context: Context, identity: str) -> None:
    """Refuse to migrate a database whose backup was not restored in this run.

    Raises:
        WorkError: there was no restore test of it, the last one failed, or all that it has proved
            is a part of the database.
    """
    hint = "the way back must be proved first: `check: restore`, or say why not with `unproved:`"
    found = records.read(context.run_folder, records.RESTORE_TESTS) if identity else ()
    tests = [test for test in found if test.get("database") == identity]
    if not tests:
        raise WorkError("this run has tested no restore of this database", hint=hint)
    telling = [test for test in tests if not _is_good_part(test)]
    if not telling:
        raise WorkError(
            f"the backup that was tested holds chosen tables or schemas only: {_said(tests[-1])}",
            hint="back up all of the database and test that, or say why not with `unproved:`; "
            "nothing was migrated",
        )
    last = telling[-1]
    if not last.get("passed"):
        why = f": {last['why']}" if last.get("why") else ""
        raise WorkError(
            f"the restore test of this database failed at {last.get('at', '?')}{why}",
            hint="repair the backup and test it again; nothing was migrated",
        )


def _is_good_part(test: records.Record) -> bool:
    """Say whether it proves chosen tables only: that neither opens the way nor closes it."""
    return bool(test.get("passed")) and test.get("complete") is False


def _said(test: records.Record) -> str:
    return f"`{test.get('backup', '?')}`"
