"""Looks at what became of other runs in this folder: of another service, or on staging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gonogo import outcomes
from gonogo.clock import SystemClock
from gonogo.outcomes import Outcome
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Datum, Observation, Variable
from gonogo.plan.said import says
from gonogo.probes.history.reading import LooksBack, last_of, mine_of, runs_of, seconds


@dataclass(frozen=True, slots=True)
class PastRun(LooksBack):
    """Look at the last run of a service that has ended; none at all is never a pass."""

    kind: ClassVar[str] = "run"
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
    expects: ClassVar[str | None] = 'verdict = "go"'

    service: str = says("the service; default: the one of this runbook")
    environment: str = says("only runs in this environment")
    release: str = says("only runs of this release: `${RELEASE}`")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        fields = {
            "service": self.service,
            "environment": self.environment,
            "release": self.release,
        }
        return filling.variables_of(fields, self.body)

    def describe(self) -> str:
        """Return whose run is looked for."""
        where = f" in {self.environment}" if self.environment else ""
        return f"the last run of {self.service or 'this service'}{where}"

    def perform(self, context: Context) -> Observation:
        """Look once.

        Raises:
            WorkError: this run itself is not on record, so that nobody knows where to look.
        """
        mine = mine_of(context)
        service = self.service_of(mine, context)
        others = [
            one
            for one in runs_of(service, context)
            if one.run != mine.run and self._fits(one, context)
        ]
        last = last_of(one for one in others if one.ended and not one.drill)
        found: dict[str, Datum] = {"open": sum(not one.ended for one in others)}
        if last is None:
            text = f"no run of {service} has ended here"
            return Observation({**found, "verdict": None, "value": None}, text=text)
        return Observation({**found, **_seen(last)}, text=_said(last))

    def _fits(self, one: Outcome, context: Context) -> bool:
        environment = filling.fill(self.environment, context).strip()
        release = filling.fill(self.release, context).strip()
        return environment in ("", one.environment) and release in ("", one.release)


def _seen(last: Outcome) -> dict[str, Datum]:
    return {
        "verdict": last.verdict,
        "value": last.verdict,
        "age": seconds(outcomes.seconds_since(last.ended, SystemClock().now())),
        "release": last.release,
        "environment": last.environment,
        "run": last.run,
    }


def _said(last: Outcome) -> str:
    words = [last.service, last.release, f"in {last.environment}" if last.environment else ""]
    return f"run {last.run} of {' '.join(w for w in words if w)} ended {last.ended}: {last.verdict}"
