"""Looks at what became of other runs in this folder: of another service, or on staging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from gonogo import outcomes
from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.outcomes import Outcome
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Datum, Destruction, Effect, Observation, Role, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity


@dataclass(frozen=True, slots=True)
class PastRun:
    """Look at the last run of a service that has ended; none at all is never a pass."""

    kind: ClassVar[str] = "run"
    languages: ClassVar[tuple[str, ...]] = ()
    indicators: ClassVar[Mapping[str, str]] = {
        "verdict": "`go`, `no-go`, `hold` or `rolled back`; null when there was no such run",
        "value": "the same as `verdict`",
        "age": "the time since it ended (s)",
        "release": "what it released",
        "environment": "where; empty without `--env`",
        "run": "its id",
        "open": "how many runs of the service have not ended, this one not counted",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: run\nservice: search\nenvironment: staging\n```\n\n"
        '- Expect: verdict = "go"\n- Expect: age < 7d\n'
    )
    traceable: ClassVar[bool] = False

    service: str = says("the service; default: the one of this runbook")
    environment: str = says("only runs in this environment")
    release: str = says("only runs of this release: `${RELEASE}`")
    body: str = says("the text of the block")

    def effect(self, role: Role) -> Effect:
        """Look, always."""
        del role
        return Effect.CHECK

    def default_expectation(self, effect: Effect) -> str | None:
        """Expect that it went well."""
        del effect
        return 'verdict = "go"'

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {
            "service": self.service,
            "environment": self.environment,
            "release": self.release,
        }
        return filling.variables_of(fields, self.body)

    def destroys(self) -> tuple[Destruction, ...]:
        """Return nothing."""
        return ()

    def review(self) -> tuple[Diagnostic, ...]:
        """Return nothing: every field may be left out."""
        return ()

    def describe(self) -> str:
        """Return whose run is looked for."""
        where = f" in {self.environment}" if self.environment else ""
        return f"the last run of {self.service or 'this service'}{where}"

    def perform(self, context: Context) -> Observation:
        """Look once.

        Raises:
            WorkError: this run itself is not on record, so that nobody knows where to look.
        """
        mine = outcomes.read(context.run_folder)
        if mine is None:
            raise WorkError(
                "the folder of this run says nothing of it", hint="begin the run with `gonogo run`"
            )
        service = filling.fill(self.service, context).strip() or mine.service
        others = [
            one
            for one in outcomes.all_in(context.run_folder.parent)
            if one.run != mine.run and one.service == service and self._fits(one, context)
        ]
        ended = [one for one in others if one.ended and not one.drill]
        found: dict[str, Datum] = {"open": sum(not one.ended for one in others)}
        if not ended:
            text = f"no run of {service} has ended here"
            return Observation({**found, "verdict": None, "value": None}, text=text)
        last = max(ended, key=lambda one: one.ended)
        return Observation({**found, **_seen(last)}, text=_said(last))

    def _fits(self, one: Outcome, context: Context) -> bool:
        environment = filling.fill(self.environment, context).strip()
        release = filling.fill(self.release, context).strip()
        return environment in ("", one.environment) and release in ("", one.release)


def _seen(last: Outcome) -> dict[str, Datum]:
    return {
        "verdict": last.verdict,
        "value": last.verdict,
        "age": _age(last),
        "release": last.release,
        "environment": last.environment,
        "run": last.run,
    }


def _age(last: Outcome) -> Quantity:
    passed = outcomes.seconds_since(last.ended, SystemClock().now())
    return Quantity(Decimal(str(round(passed, 3))), "s")


def _said(last: Outcome) -> str:
    words = [last.service, last.release, f"in {last.environment}" if last.environment else ""]
    return f"run {last.run} of {' '.join(w for w in words if w)} ended {last.ended}: {last.verdict}"
