"""What gonogo adds to a step: beside the bare engine step and a bare journal append."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COUNT = 300
FEW = 20  # what is flushed at start and end alike is taken off by a shorter run
PARTS = ("append", "append durable", "engine step", "gonogo step")


def report() -> str:
    """Measure each part in a process of its own and return the table."""
    rows = [(part, *_part(part)) for part in PARTS]
    floor = next(cpu for part, cpu, _, _ in rows if part == "engine step")
    lines = [
        f"### One step, mean of {COUNT} (target: gonogo <= 1.5x engine, one flush)",
        "",
        "| | CPU ms | wall ms | flushes | CPU / engine step |",
        "|---|---|---|---|---|",
    ]
    for part, cpu, wall, flushes in rows:
        lines.append(f"| {part} | {cpu:.2f} | {wall:.2f} | {flushes} | {cpu / floor:.2f}x |")
    return "\n".join([*lines, ""])


def _part(part: str) -> tuple[float, float, str]:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "bench.engine", part, folder]
        timed = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    return timed["cpu"], timed["wall"], _flushes(part)


def _flushes(part: str) -> str:
    """Count flushes per step with strace, where it is installed."""
    strace = shutil.which("strace")
    if strace is None:
        return "strace is missing"
    counts = []
    for number in (FEW, COUNT):
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            argv = [sys.executable, "-m", "bench.engine", part, folder, str(number)]
            calls = "trace=fsync,fdatasync"
            subprocess.run(
                [strace, "-f", "-qq", "-e", calls, "-o", str(trace), *argv],
                check=True,
                capture_output=True,
            )
            counts.append(sum("sync(" in line for line in trace.read_text().splitlines()))
    return f"{(counts[1] - counts[0]) / (COUNT - FEW):.2f}"


def _measure(part: str, folder: Path, number: int) -> dict[str, float]:
    import asyncio
    import time

    from gonogo.clock import SystemClock
    from gonogo.store.journal import SqliteJournal

    journal = SqliteJournal(folder / "journal.db", SystemClock())
    timed: dict[str, float] = {}

    def begin() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def end(begun: tuple[float, float]) -> None:
        steps = max(number, 1)
        timed["wall"] = (time.perf_counter() - begun[0]) * 1000 / steps
        timed["cpu"] = (time.process_time() - begun[1]) * 1000 / steps

    if part.startswith("append"):
        begun = begin()
        for place in range(number):
            journal.append("run", "step.finished", f"s{place}", durable=part.endswith("durable"))
        end(begun)
        return timed
    from bench.trivial import scene_of
    from gonogo.run.release import release
    from gonogo.store.dbos import DbosEngine

    async def bare(_run: str, slots: object) -> dict[str, object]:
        names = [f"s{place}" for place in range(number)]
        slots.reserve(names)
        begun = begin()
        for name in names:
            await slots.run(name, lambda: {"status": "pass"})
        end(begun)
        return {}

    async def whole(_run: str, slots: object) -> dict[str, object]:
        scene = scene_of(journal, folder, number)
        begun = begin()
        await release(scene, slots)
        end(begun)
        return {}

    engine = DbosEngine(folder / "journal.db")
    engine.serve(bare if part == "engine step" else whole)
    engine.start("run")
    while not engine.finished("run"):
        asyncio.run(asyncio.sleep(0.01))
    return timed


if __name__ == "__main__":
    size = int(sys.argv[3]) if len(sys.argv) > 3 else COUNT
    print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]), size)))
    sys.stdout.flush()
    os._exit(0)
