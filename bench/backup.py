"""A guarded backup with its restore test beside bare pg_dump, createdb, pg_restore and dropdb."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from gonogo.services import Postgres

RUNS = int(os.environ.get("GONOGO_BENCH_RUNS", "3"))
MEGABYTES = int(os.environ.get("GONOGO_BENCH_MB", "1024"))
PER_SCALE = 15  # megabytes of pgbench's tables and indexes per unit of its scale
JOBS = "4"
BOOK = """---
gonogo: 1
service: bench
targets:
  db: {url}
---
# Bench

## Pre-deployment

- [ ] Back up
  ```yaml
  action: backup
  on: db
  to: guarded-{number}.dump
  timeout: 1h
  ```
- [ ] Prove
  ```yaml
  check: restore
  on: db
  timeout: 1h
  ```
"""
IDLE = """---
gonogo: 1
service: bench
---
# Bench

## Pre-deployment

- [ ] One
  ```bash
  true
  ```
- [ ] Two
  ```bash
  true
  ```
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds of all processors: ours, the programs', the server's."""

    wall: float
    cpu: float


def called(commands: Sequence[list[str]], cwd: Path, env: dict[str, str]) -> None:
    """Run the commands one after the other."""
    for command in commands:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}")


class Meter:
    """Measures what one server and the programs that use it take."""

    def __init__(self, url: str) -> None:
        """Find the process of the server."""
        with psycopg.connect(url) as connection:
            pid = connection.info.backend_pid
            self._server = int(self._numbers(pid)[1])

    def cost(self, work: Callable[[], None]) -> Cost:
        """Do the work once."""
        cpu, begun = self._cpu(), time.perf_counter()
        work()
        return Cost(time.perf_counter() - begun, self._cpu() - cpu)

    def _cpu(self) -> float:
        """Return the seconds so far; of a session that has ended its server keeps the account."""
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        ticks = sum(map(int, self._numbers(self._server)[11:15]))
        children = Path(f"/proc/{self._server}/task/{self._server}/children").read_text()
        for child in children.split():
            try:
                ticks += sum(map(int, self._numbers(int(child))[11:15]))
            except OSError:
                continue
        return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _numbers(pid: int) -> list[str]:
        """Return what stands in /proc/PID/stat behind the name: state, parent, and so on."""
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def bare(server: Postgres, url: str, number: int) -> list[list[str]]:
    """Return what somebody would type."""
    at = [f"--port={server.port}", "--host=127.0.0.1", "--username=postgres"]
    programs = {n: str(server.bin / n) for n in ("pg_dump", "createdb", "pg_restore", "dropdb")}
    file = f"bare-{number}.dump"
    return [
        [programs["pg_dump"], "--format=custom", f"--file={file}", f"--dbname={url}"],
        [programs["createdb"], *at, "copy"],
        [programs["pg_restore"], f"--jobs={JOBS}", f"--dbname={server.url('copy')}", file],
        [programs["dropdb"], *at, "copy"],
    ]


def guarded(folder: Path, env: dict[str, str], text: str) -> None:
    """Run a runbook with the real command."""
    (folder / "deploy.md").write_text(text)
    argv = [sys.executable, "-m", "gonogo", "run", "deploy.md", "--yes", "--by", "bench"]
    called([argv], folder, env)


def report() -> str:
    """Measure all in turn and return a table."""
    rounds: list[dict[str, Cost]] = []
    with tempfile.TemporaryDirectory() as name, Postgres.start() as server:
        folder = Path(name)
        url = server.create_database("bench")
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # every user keeps compiled modules
        env |= {"PATH": f"{server.bin}{os.pathsep}{env['PATH']}", "GONOGO_HOME": str(folder / "g")}
        scale = str(max(MEGABYTES // PER_SCALE, 1))
        called([[str(server.bin / "pgbench"), "-i", "-q", "-s", scale, url]], folder, env)
        meter = Meter(url)
        for number in range(RUNS + 1):  # the first round warms up
            programs, book = bare(server, url, number), BOOK.format(url=url, number=number)
            rounds.append(
                {
                    "bare": meter.cost(lambda: called(programs, folder, env)),  # noqa: B023
                    "run": meter.cost(lambda: guarded(folder, env, book)),  # noqa: B023
                    "start": meter.cost(lambda: guarded(folder, env, IDLE)),
                }
            )
            for left in folder.glob("*.dump*"):
                left.unlink()
    return _table(rounds[1:])


def _table(rounds: Sequence[dict[str, Cost]]) -> str:
    """Return medians; ratios are taken within a round, so that a busy moment hits both sides."""
    steps = [
        {**each, "steps": Cost(each["run"].wall - each["start"].wall,
                               each["run"].cpu - each["start"].cpu)}
        for each in rounds
    ]  # fmt: skip

    def row(what: str, name: str) -> str:
        wall, cpu, by_wall, by_cpu = (
            statistics.median(values)
            for values in zip(
                *(
                    (
                        each[name].wall,
                        each[name].cpu,
                        each[name].wall / each["bare"].wall,
                        each[name].cpu / each["bare"].cpu,
                    )
                    for each in steps
                ),
                strict=True,
            )
        )
        return f"| {what} | {wall:.2f} | {cpu:.2f} | {by_wall:.2f}x | {by_cpu:.2f}x |"

    return "\n".join(
        (
            f"### Backup and restore test of {MEGABYTES} MB (target: <= 1.1x of the bare programs)",
            "",
            "| | wall s | CPU s | wall / bare | CPU / bare |",
            "|---|---|---|---|---|",
            row("pg_dump, createdb, pg_restore, dropdb", "bare"),
            row("`action: backup`, `check: restore`: the two steps", "steps"),
            row("the start and end of a run, two steps that do nothing", "start"),
            row("the whole run", "run"),
            "",
        )
    )
