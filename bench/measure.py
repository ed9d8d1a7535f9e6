"""Runs a command several times and tells its wall and CPU seconds, children included."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Medians over all runs, in seconds."""

    wall: float
    cpu: float

    def times(self, floor: Cost) -> str:
        """Return how often this is the floor, by CPU."""
        return f"{self.cpu / floor.cpu:.1f}x" if floor.cpu else "-"


def cost(
    argv: Sequence[str],
    *,
    runs: int,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    allowed: tuple[int, ...] = (0,),
) -> Cost:
    """Run `argv` once to warm up and `runs` times more; return the median cost.

    Python may keep compiled modules, as it does for every user: compiling is not what is measured.

    Raises:
        RuntimeError: it ended with another exit code than `allowed`, with its output.
    """
    walls, cpus = [], []
    given = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs + 1):
        begun = time.perf_counter()
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**given, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.stdout is not None
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        walls.append(time.perf_counter() - begun)
        cpus.append(usage.ru_utime + usage.ru_stime)
        if child.returncode not in allowed:
            raise RuntimeError(f"{argv} ended with {child.returncode}:\n{output.decode()[-3000:]}")
    return Cost(statistics.median(walls[1:]), statistics.median(cpus[1:]))


def table(title: str, rows: Sequence[tuple[str, Cost]], floor: Cost, floor_name: str) -> str:
    """Return a Markdown table of costs beside a floor."""
    lines = [f"### {title}", "", f"| | CPU s | wall s | CPU / {floor_name} |", "|---|---|---|---|"]
    lines += [f"| {name} | {c.cpu:.3f} | {c.wall:.3f} | {c.times(floor)} |" for name, c in rows]
    return "\n".join([*lines, ""])
