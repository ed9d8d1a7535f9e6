"""A process that serves small releases: each slot appends a line to `effects`.

    python serving.py JOURNAL SHAPE RUN...

It says `serving`, then one line per ended run: its id and its result. `slow` waits in its slot 3
for the file `go`; `pair` has two slots that wait for each other.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from gonogo.clock import SystemClock
from gonogo.run.durable import Result, Slots
from gonogo.store.dbos import DbosEngine

HERE = Path.cwd()


def effect(run: str, name: str) -> None:
    with (HERE / "effects").open("a") as file:
        file.write(f"{run} {name}\n")


def work(run: str, name: str, *, until: str = "") -> Result:
    effect(run, name)
    while until and not (HERE / until).exists():
        SystemClock().wait(0.005)  # until the test writes the file it waits for
    return {"name": name, "pid": os.getpid(), "list": [1, None, "ä"]}


async def plain(run: str, slots: Slots) -> Result:
    names = [f"s{number}" for number in range(1, 6)]
    slots.reserve([*names, "never"])
    return {n: await slots.run(n, lambda n=n: work(run, n)) for n in names}


async def slow(run: str, slots: Slots) -> Result:
    names = [f"s{number}" for number in range(1, 6)]
    slots.reserve(names)
    wait = {"s3": "go"}
    return {n: await slots.run(n, lambda n=n: work(run, n, until=wait.get(n, ""))) for n in names}


async def pair(run: str, slots: Slots) -> Result:
    slots.reserve(["a", "b", "c"])
    both = threading.Barrier(2, timeout=20)

    def meet(name: str) -> Result:
        both.wait()
        return work(run, name)

    found = await asyncio.gather(*(slots.run(n, lambda n=n: meet(n)) for n in ("b", "a")))
    return {"both": sorted(str(f["name"]) for f in found), **await slots.run("c", dict)}


async def broken(run: str, slots: Slots) -> Result:
    slots.reserve(["a"])
    return await slots.run("a", lambda: {"n": float("nan")})


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(path: str, shape: str, *runs: str) -> None:
    engine = DbosEngine(Path(path))
    results: dict[str, Result] = {}

    async def carried(run: str, slots: Slots) -> Result:
        results[run] = await globals()[shape](run, slots)
        return results[run]

    engine.serve(carried)
    say("serving")
    for run in runs:
        engine.start(run)
    for run in runs:
        while not engine.finished(run):
            SystemClock().wait(0.01)
        say(run, json.dumps(results.get(run)))
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
