"""A process that carries a real release of scripted steps on the real engine and journal.

    python releasing.py JOURNAL [LIMIT]

LIMIT is a file size in bytes above the journal's present one: what is written beyond it fails, as
on a full disk. It prints `fatal` and the error's type, or the verdict, and exits at once.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from pathlib import Path

from tests.support.works import Shelled, a_phase, a_plan, a_step

from gonogo.clock import SystemClock
from gonogo.errors import JournalError
from gonogo.plan.kinds import Effect
from gonogo.redaction import Redactor
from gonogo.run.durable import Result, Slots
from gonogo.run.release import release
from gonogo.run.scene import Scene
from gonogo.store.dbos import DbosEngine
from gonogo.store.journal import SqliteJournal

RUN = "r1"


def the_steps() -> list:
    return [
        a_step(name, Shelled(name, command=f"echo {name} >>effects"), effect=Effect.ACTION)
        for name in ("one", "two", "three", "four")
    ]


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(path: str, limit: str = "") -> None:
    file = Path(path)
    journal = SqliteJournal(file, SystemClock())
    done = threading.Event()
    fatal: list[Exception] = []

    def stop(error: Exception) -> None:
        fatal.append(error)
        done.set()
        threading.Event().wait()

    scene = Scene(
        run=RUN,
        plan=a_plan(a_phase("deploy", *the_steps())),
        journal=journal,
        clock=SystemClock(),
        redact=Redactor(),
        targets={},
        variables={},
        cwd=Path.cwd(),
        folder=Path.cwd() / "runs" / RUN,
        on_fatal=stop,
    )

    async def carried(_run: str, slots: Slots) -> Result:
        result = await release(scene, slots)
        done.set()
        return result

    engine = DbosEngine(file)
    engine.serve(carried)
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = file.with_name(file.name + "-wal").stat().st_size + int(limit)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        engine.start(RUN)
    except JournalError as error:
        fatal.append(error)
    else:
        done.wait()
    verdict = [e.body["verdict"] for e in journal.events(RUN) if e.kind == "verdict.given"]
    if fatal:
        say("fatal", type(fatal[0]).__name__)
    else:
        while not engine.finished(RUN):
            SystemClock().wait(0.01)
        say(*verdict)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
