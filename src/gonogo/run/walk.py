"""The way through the steps of one phase: each is carried out as soon as nothing holds it up.

What is decided between two slots rests only on what a step waited for, never on who ended first,
so that a run that was cut off decides alike when it is replayed.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial

from gonogo.judge.verdict import Finding, Status
from gonogo.plan.kinds import Effect
from gonogo.plan.model import Phase, Step
from gonogo.run import baseline
from gonogo.run.durable import Slots
from gonogo.run.order import blocked, sorted_by_needs, stages, stopper
from gonogo.run.perform import perform
from gonogo.run.scene import Scene

SIDE_BY_SIDE = 8
"""How many parallel checks run at once; the front matter's `parallel:` may say less or more."""


class Walk:
    """Carries out the steps of a phase; `skipped` tells why a step was not run."""

    def __init__(self, scene: Scene, slots: Slots, phase: Phase, good: set[str]) -> None:
        """Begin with nothing done; what passes or is waived is added to `good`."""
        self.skipped: dict[str, str] = {}
        self._scene = scene
        self._slots = slots
        self._phase = phase
        self._good = good
        self._findings: dict[str, Finding] = {}
        self._aside: dict[str, asyncio.Task[None]] = {}  # steps in the background
        side_by_side = int(scene.plan.settings.get("parallel", SIDE_BY_SIDE))
        self._room = asyncio.Semaphore(max(1, side_by_side))

    async def through(self) -> None:
        """Return when every step has ended, those in the background too."""
        stopped_by: Step | None = None
        for stage in stages(sorted_by_needs(self._phase.steps)):
            for step in stage:
                if step.background:
                    self._aside[step.id] = asyncio.create_task(self._step(step, stopped_by))
            awaited = [step for step in stage if not step.background]
            if len(awaited) == 1:
                await self._step(awaited[0], stopped_by)
            else:
                await asyncio.gather(*(self._step(step, stopped_by) for step in awaited))
            stopped_by = stopped_by or stopper(awaited, self._findings)
        await asyncio.gather(*self._aside.values())

    def looked_at(self) -> list[Finding]:
        """Return what was found, in the order of the document."""
        steps = self._phase.steps
        return [self._findings[step.id] for step in steps if step.id not in self.skipped]

    async def _step(self, step: Step, stopped_by: Step | None) -> None:
        for need in step.needs:
            if need in self._aside:
                await self._aside[need]
        why = blocked(step, stopped_by, self._good)
        if why is None:
            free = step.background or step.effect is Effect.MANUAL  # they would hold up the others
            async with nullcontext() if free else self._room:
                work = perform if step.baseline is None else baseline.record
                done = await self._slots.run(step.id, partial(work, self._scene, step))
            finding = Finding.from_json(done)
        else:
            self.skipped[step.id] = why
            finding = Finding(
                step.id, step.title, Status.UNKNOWN, step.effect.value, step.span.line, why=why
            )
        self._findings[step.id] = finding
        if finding.status in (Status.PASS, Status.WAIVED):
            self._good.add(step.id)
