"""Sees which migrations a database has, and which are pending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonogo.actions.migrate.common import (
    APP,
    COMMAND,
    FOLDER,
    LOCK,
    ON,
    TABLE,
    TOOL,
    Migrating,
    ToolName,
)
from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Destruction, Effect, Observation, Role
from gonogo.plan.said import says

if TYPE_CHECKING:
    pass

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Migrations(Migrating):
    """See which migrations are applied and pending; changes nothing, makes no table."""

    kind: ClassVar[str] = "migrations"
    languages: ClassVar[tuple[str, ...]] = ()
    indicators: ClassVar[Mapping[str, str]] = {
        "pending": "how many are pending",
        "pending names": "which ones, oldest first",
        "applied": "how many are applied",
        "latest": "the newest that is applied; null when there is none",
        "unknown": "how many are applied that the folder does not have",
        "changed": "how many files are not what was applied; only where the table has a checksum",
    }
    example: ClassVar[str] = "```yaml\ncheck: migrations\non: db\n```\n\n- Expect: pending = 0\n"
    traceable: ClassVar[bool] = False

    on: str = says(ON, default="db")
    tool: ToolName = says(TOOL, default="folder")  # noqa: RUF009 - a text
    folder: str = says(FOLDER)
    table: str = says(TABLE, default="schema_migrations")
    command: str = says(COMMAND)
    app: str = says(APP)
    lock_timeout_s: float = says(LOCK, default=5.0)
    body: str = says("the text of the block")

    def effect(self, role: Role) -> Effect:
        """Look, always."""
        del role
        return Effect.CHECK

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect nothing: before a migration some are pending, after it none."""
        del effect
        return None

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing."""
        return ()

    def review(self) -> tuple[Diagnostic, ...]:
        """Return what does not go together."""
        return tuple(self.mistakes())

    def describe(self) -> str:
        """Return what is looked at."""
        return f"migrations of {filling.shown(self.on)}"

    def perform(self, context: Context) -> Observation:
        """Look at what is applied and pending.

        Raises:
            WorkError: the database or the tool could not be asked.
        """
        with self.opened(context) as (series, _):
            state = series.state()
        lines = [f"{len(state.applied)} applied, {len(state.pending)} pending"]
        lines += [f"pending {name}" for name in state.pending]
        lines += [f"no file {name}" for name in state.unknown]
        lines += [f"changed {name}" for name in state.changed]
        return Observation(
            {
                "pending": len(state.pending),
                "pending names": list(state.pending),
                "applied": len(state.applied),
                "latest": state.applied[-1] if state.applied else None,
                "unknown": len(state.unknown),
                "changed": len(state.changed),
            },
            text=context.redact("\n".join(lines)),
        )
