"""Reads an access log, or any log, while it is being written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gonogo.metrics.log.follow import Follower
from gonogo.metrics.log.harvest import Harvest
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.plan.samples import Batch, to_ms
from gonogo.plan.sources import Begin, LogSource

BUDGET = 32 << 20
"""How many bytes one reading takes at most: about a second of work."""


class LogReader:
    """A log that is followed."""

    def __init__(
        self,
        source: LogSource,
        context: Context,
        position: object = None,
        *,
        budget: int = BUDGET,
    ) -> None:
        """Find the place to go on.

        Raises:
            WorkError: a name in the path is not bound.
        """
        path = context.cwd / Path(filling.fill(source.log, context)).expanduser()
        self._budget = budget
        self._harvest = Harvest(source)
        self._follower = Follower(path, position, from_start=source.begin is Begin.BEGINNING)

    def read(self, now: datetime) -> Batch:
        """Return what was written since the last reading, as far as the budget goes."""
        now_ms = to_ms(now)
        since_ms = self._follower.read_ms
        harvest = self._harvest
        harvest.begin(now_ms)
        overlong, lost = self._follower.read(now_ms, harvest.take, self._budget)
        harvest.too_long(overlong)
        samples, notes = harvest.samples(), harvest.notes()
        if not samples and harvest.absent is not None:
            lost = (*lost, f"no line has a field `{harvest.absent}`")
        behind = self._follower.behind
        return Batch(
            samples,
            self._follower.position(),
            harvest.bad(),
            "; ".join(lost) or None,
            since_ms,
            behind,
            harvest.last_ms if behind else None,
            notes,
        )

    def close(self) -> None:
        """Close the files of the log."""
        self._follower.close()
