"""Reads the outcomes of the runs beside this one: whose they are, which is the last, how old."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gonogo import outcomes
from gonogo.errors import Diagnostic, WorkError
from gonogo.outcomes import Outcome
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Looks
from gonogo.plan.units import Quantity


class LooksBack(Looks):
    """A look at the runs of one service, by default the one of this runbook."""

    __slots__ = ()
    service: str

    def review(self) -> tuple[Diagnostic, ...]:
        """Return nothing: every field may be left out."""
        return ()

    def service_of(self, mine: Outcome, context: Context) -> str:
        """Return the service whose runs are looked for."""
        return filling.fill(self.service, context).strip() or mine.service


def mine_of(context: Context) -> Outcome:
    """Return the outcome of this run itself, as far as it has come.

    Raises:
        WorkError: this run itself is not on record, so that nobody knows where to look.
    """
    mine = outcomes.read(context.run_folder)
    if mine is None:
        raise WorkError(
            "the folder of this run says nothing of it", hint="begin the run with `gonogo run`"
        )
    return mine


def runs_of(service: str, context: Context) -> list[Outcome]:
    """Return the outcomes of all runs of a service in this folder, oldest first.

    Raises:
        WorkError: one cannot be read: an older run must not stand for the last.
    """
    damaged = outcomes.damaged_in(context.run_folder.parent)
    if damaged:
        raise WorkError(
            f"`{damaged[0]}` is damaged, so nobody knows what became of that run",
            hint="see it with `gonogo report`, then remove the file",
        )
    return [one for one in outcomes.all_in(context.run_folder.parent) if one.service == service]


def last_of(ended: Iterable[Outcome]) -> Outcome | None:
    """Return the run that ended last; None when there is none."""
    return max(ended, key=lambda one: one.ended, default=None)


def seconds(number: float) -> Quantity:
    """Return a length of time as an indicator, to the millisecond."""
    return Quantity(Decimal(str(round(number, 3))), "s")
