"""How much counters have grown between two readings; one that goes back begins anew.

What was counted before a restart of the server and not read is lost. It is said, and never turned
into a negative number or into one that is too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from gonogo.plan.samples import Flaw, Sample

Number = int | float | Decimal


class WentBackError(Exception):
    """A counter is smaller than before; the text says which."""


class Growth:
    """Remembers counters by name; what it remembers is JSON."""

    def __init__(self, stored: object = None) -> None:
        """Go on from stored values; anything else begins anew."""
        self._before: dict[str, Decimal] | None = None
        if isinstance(stored, Mapping):
            try:
                self._before = {str(name): Decimal(str(value)) for name, value in stored.items()}
            except InvalidOperation:
                self._before = None

    def as_json(self) -> dict[str, str] | None:
        """Return what is to be stored."""
        if self._before is None:
            return None
        return {name: str(value) for name, value in self._before.items()}

    def step(self, values: Mapping[str, Number]) -> dict[str, Decimal] | None:
        """Return how much each has grown; None at the first reading.

        Raises:
            WentBackError: one is smaller than before; the next call counts from here.
        """
        now = {name: _exact(value) for name, value in values.items()}
        before, self._before = self._before, now
        if before is None or before.keys() != now.keys():
            return None
        grown = {name: value - before[name] for name, value in now.items()}
        for name, amount in grown.items():
            if amount < 0:
                raise WentBackError(
                    f"`{name}` went back from {before[name]} to {now[name]}, so it was reset"
                )
        return grown


def share_of(at_ms: int, hits: Number, total: Number) -> Sample | Flaw | None:
    """Return hits out of a total as a sample; None when there was nothing at all."""
    if total == 0 and hits == 0:
        return None
    if hits > total:
        return Flaw.IMPOSSIBLE
    if hits != int(hits) or total != int(total):
        return Flaw.TEXT
    return Sample(at_ms, hits=int(hits), total=int(total))


def _exact(value: Number) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
