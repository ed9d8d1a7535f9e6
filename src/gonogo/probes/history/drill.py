"""Looks whether the way back was rehearsed: the last drill of this service, and how it went."""

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
class Drill(LooksBack):
    """Look at the last `gonogo drill` of a service; without one, the way back is not proved."""

    kind: ClassVar[str] = "drill"
    indicators: ClassVar[Mapping[str, str]] = {
        "passed": "true when it went back, was proved and was in time; null without a drill",
        "valid": "true when it passed, has not expired, and the rollback section is still the same",
        "value": "the same as `valid`",
        "age": "the time since it ended (s)",
        "same": "true when the rollback section is still the one that was rehearsed",
        "recovery time": "how long the way back took in all (s)",
        "environment": "where it was rehearsed",
        "run": "the id of its run",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: drill\n```\n\n- Expect: valid is true\n- Expect: age < 14d\n"
    )
    expects: ClassVar[str | None] = "valid is true"

    service: str = says("the service; default: the one of this runbook")
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the fields."""
        return filling.variables_of({"service": self.service}, self.body)

    def describe(self) -> str:
        """Return whose drill is looked for."""
        return f"the last rollback drill of {self.service or 'this service'}"

    def perform(self, context: Context) -> Observation:
        """Look once.

        Raises:
            WorkError: this run itself is not on record, so that nobody knows where to look.
        """
        mine = mine_of(context)
        if mine.drill:
            return Observation(
                {"passed": True, "valid": True, "value": True, "age": seconds(0), "same": True},
                text="this run is a drill",
            )
        service = self.service_of(mine, context)
        last = last_of(one for one in runs_of(service, context) if one.drill and one.ended)
        if last is None:
            text = f"the rollback of {service} was never rehearsed here; `gonogo drill` does it"
            return Observation({"passed": None, "valid": None, "value": None}, text=text)
        now = SystemClock().now()
        same = last.rollback == mine.rollback if service == mine.service else None
        late = bool(last.expires) and outcomes.seconds_since(last.expires, now) > 0
        found: dict[str, Datum] = {
            "passed": last.passed,
            "valid": last.passed and not late and same is not False,
            "value": last.passed and not late and same is not False,
            "age": seconds(outcomes.seconds_since(last.ended, now)),
            "same": same,
            "recovery time": seconds(last.took_s) if last.times else None,
            "environment": last.environment,
            "run": last.run,
        }
        return Observation(found, text=_said(last, late=late, same=same))


def _said(last: Outcome, *, late: bool, same: bool | None) -> str:
    where = f" in {last.environment}" if last.environment else ""
    went = "passed" if last.passed else f"failed: {last.why}"
    notes = f"; expired {last.expires[:10]}" if late else ""
    notes += "; the rollback section was changed since" if same is False else ""
    return f"drill {last.run}{where} ended {last.ended}: {went}{notes}"
