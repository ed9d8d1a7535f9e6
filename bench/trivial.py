"""A plan of steps that do nothing, so that only gonogo's own work is left to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic
from gonogo.plan.grammar import read
from gonogo.plan.kinds import Context, Destruction, Effect, Observation, Role, Variable
from gonogo.plan.model import Block, Expectation, Mode, Phase, Plan, Step
from gonogo.redaction import Redactor
from gonogo.run.journal import Journal
from gonogo.run.scene import Scene
from gonogo.source import Source, Span

HERE = Span.of_line(1)


@dataclass(frozen=True, slots=True)
class Trivial:
    """Sees that one is one."""

    kind: ClassVar[str] = "trivial"
    languages: ClassVar[tuple[str, ...]] = ()
    indicators: ClassVar[dict[str, str]] = {"value": "one"}
    example: ClassVar[str] = ""
    traceable: ClassVar[bool] = False

    def effect(self, role: Role) -> Effect:
        return Effect.CHECK

    def default_expectation(self, effect: Effect) -> str | None:
        return None

    def variables(self) -> tuple[Variable, ...]:
        return ()

    def destroys(self) -> tuple[Destruction, ...]:
        return ()

    def review(self) -> tuple[Diagnostic, ...]:
        return ()

    def describe(self) -> str:
        return "nothing"

    def script(self) -> tuple[str, str] | None:
        return None

    def perform(self, context: Context) -> Observation:
        return Observation({"value": 1})


def scene_of(journal: Journal, folder: Path, number: int) -> Scene:
    """Return a run of `number` trivial checks, one after another."""
    condition = read("value = 1", HERE).condition
    assert condition is not None
    steps = tuple(
        Step(
            f"s{place}",
            f"step {place}",
            HERE,
            (),
            Effect.CHECK,
            Block("trivial", Trivial(), "", HERE),
            (Expectation(condition, HERE),),
        )
        for place in range(number)
    )
    phase = Phase("phase", "phase", Role.VERIFY, HERE, steps)
    plan = Plan(
        title="bench",
        service="bench",
        mode=Mode.EXPLICIT,
        source=Source("bench", ""),
        phases=(phase,),
        rollback=None,
        rules=(),
        metrics=(),
        targets=(),
        environments={},
        variables=(),
        meanings=(),
        diagnostics=(),
    )
    return Scene("run", plan, journal, SystemClock(), Redactor(), {}, {}, folder, folder)
