"""Takes back the migrations that this run applied, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonogo.actions.migrate.common import InParts, Migrating, took
from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Acts, Context, Datum, Destruction, Observation
from gonogo.plan.said import says
from gonogo.source import Span

if TYPE_CHECKING:
    from gonogo.actions.migrate.record import Record

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class MigrateBack(Migrating, InParts, Acts):
    """Take back exactly the migrations that this run applied, newest first, and never an older one.

    The way back of each is the one that was recorded when it was applied; its file may be gone.
    """

    kind: ClassVar[str] = "migrate-back"
    indicators: ClassVar[Mapping[str, str]] = {
        "undone": "what it took back, newest first",
        "undone count": "how many it took back",
        "left": "how many that this run applied are still there",
        "before": "what was applied before this run, oldest first",
        "duration": "how long it took (s)",
    }
    example: ClassVar[str] = "```yaml\naction: migrate-back\non: db\n```\n\n- Expect: left = 0\n"
    expects: ClassVar[str | None] = "left = 0"

    destroys_: tuple[str, ...] = says(
        "what the ways back destroy that was there before this run; a person types each name",
        default=(),
    )

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what does not go together; a tool without a way back is found before a run."""
        return (*self.mistakes(), *self.one_way())

    def destroys(self) -> tuple[Destruction, ...]:
        """Return what the block says that is lost; what this run has made itself does not count."""
        return tuple(
            Destruction(f"the ways back destroy {name}", name, Span.of_line(1))
            for name in self.destroys_
        )

    def describe(self) -> str:
        """Return what is taken back."""
        return f"take back what this run applied to {filling.shown(self.on)}"

    def perform(self, context: Context) -> Observation:
        """Take them back, one after the other.

        Raises:
            WorkError: one has no way back, or it failed; those before it stay undone.
        """
        from gonogo.actions.migrate.guard import refuse_losing_ways
        from gonogo.actions.migrate.record import Record

        began = _clock.monotonic()
        undone: list[str] = []
        with self.opened(context) as (series, identity):
            record = Record(context.run_folder, identity, self.settings().series)
            was_there = record.was_there()
            _refuse_elsewhere(record)
            begun = [way for way in reversed(record.begun()) if way.title not in was_there]
            ours = series.applied_of(begun) if begun else ()
            refuse_losing_ways(ours, record, self.destroys_)
            for way in ours:
                series.back(way, record)
                undone.append(way.title)
            left = len(series.applied_of(ours)) if ours else 0
        found: dict[str, Datum] = {
            "undone": list(undone),
            "undone count": len(undone),
            "left": left,
            "before": list[Datum](sorted(was_there)),
            "duration": took(began),
        }
        text = "\n".join(f"took back {name}" for name in undone) or "this run applied nothing"
        return Observation(found, text=context.redact(text))


def _refuse_elsewhere(record: Record) -> None:
    """Refuse to find nothing to do where this run has migrated another database.

    Raises:
        WorkError: it has, and this one not at all.
    """
    if not record.begun() and record.has_others():
        raise WorkError(
            "this run has applied migrations, but not to this database or not with this tool",
            hint="say the same `on`, `tool` and `table` as under `migrate`",
            failed=True,
        )
