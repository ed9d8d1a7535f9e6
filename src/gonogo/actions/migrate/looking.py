"""Sees which migrations a database has, and which are pending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gonogo.actions.migrate.common import Migrating
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Looks, Observation


@dataclass(frozen=True, slots=True)
class Migrations(Migrating, Looks):
    """See which migrations are applied and pending; changes nothing, makes no table."""

    kind: ClassVar[str] = "migrations"
    indicators: ClassVar[Mapping[str, str]] = {
        "pending": "how many are pending",
        "pending names": "which ones, oldest first",
        "applied": "how many are applied",
        "latest": "the newest that is applied; null when there is none",
        "unknown": "how many are applied that the folder does not have",
        "changed": "how many files are not what was applied; only where the table has a checksum",
    }
    example: ClassVar[str] = "```yaml\ncheck: migrations\non: db\n```\n\n- Expect: pending = 0\n"
    expects: ClassVar[str | None] = None  # before a migration some are pending, after it none

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
