"""A process that carries N checks and N actions on the real engine, to be watched from outside.

python flushing.py JOURNAL N
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tests.support.works import Scripted, a_phase, a_plan, a_step

from gonogo.clock import SystemClock
from gonogo.plan.kinds import Effect
from gonogo.redaction import Redactor
from gonogo.run.durable import Result, Slots
from gonogo.run.release import release
from gonogo.run.scene import Scene
from gonogo.store.dbos import DbosEngine
from gonogo.store.journal import SqliteJournal


def main(path: str, count: str) -> None:
    journal = SqliteJournal(Path(path), SystemClock())
    steps = [
        a_step(f"{effect.value}{number}", Scripted(f"{effect.value}{number}"), effect=effect)
        for effect in (Effect.CHECK, Effect.ACTION)
        for number in range(int(count))
    ]
    scene = Scene(
        run="r1",
        plan=a_plan(a_phase("all", *steps)),
        journal=journal,
        clock=SystemClock(),
        redact=Redactor(),
        targets={},
        variables={},
        cwd=Path.cwd(),
        folder=Path.cwd() / "runs",
    )
    done = threading.Event()

    async def carried(_run: str, slots: Slots) -> Result:
        result = await release(scene, slots)
        done.set()
        return result

    engine = DbosEngine(Path(path))
    engine.serve(carried)
    engine.start("r1")
    done.wait()
    while not engine.finished("r1"):
        SystemClock().wait(0.01)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
