"""A guarded backup with its restore test beside bare pg_dump, createdb, pg_restore and dropdb."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gonogo.services import Postgres

RUNS = 2
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


def seconds(*commands: list[str], cwd: Path, env: dict[str, str]) -> float:
    """Run the commands one after the other; return how long all of them took."""
    begun = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return time.perf_counter() - begun


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


def guarded(folder: Path, env: dict[str, str], text: str) -> float:
    """Run a runbook with the real command; return how long that took."""
    (folder / "deploy.md").write_text(text)
    argv = [sys.executable, "-m", "gonogo", "run", "deploy.md", "--yes", "--by", "bench"]
    return seconds(argv, cwd=folder, env=env)


def report() -> str:
    """Measure all in turn and return a table."""
    walls: dict[str, list[float]] = {"bare": [], "gonogo": [], "idle": []}
    with tempfile.TemporaryDirectory() as name, Postgres.start() as server:
        folder = Path(name)
        url = server.create_database("bench")
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env |= {"PATH": f"{server.bin}{os.pathsep}{env['PATH']}", "GONOGO_HOME": str(folder / "g")}
        scale = str(max(MEGABYTES // PER_SCALE, 1))
        seconds([str(server.bin / "pgbench"), "-i", "-q", "-s", scale, url], cwd=folder, env=env)
        for number in range(RUNS + 1):  # the first round warms up
            walls["bare"].append(seconds(*bare(server, url, number), cwd=folder, env=env))
            book = BOOK.format(url=url, number=number)
            walls["gonogo"].append(guarded(folder, env, book))
            walls["idle"].append(guarded(folder, env, IDLE))
    median = {name: statistics.median(found[1:]) for name, found in walls.items()}
    ratio = {name: found / median["bare"] for name, found in median.items()}
    return "\n".join(
        (
            f"### Backup and restore test of {MEGABYTES} MB (target: <= 1.1x of the bare programs)",
            "",
            "| | wall s | wall / bare |",
            "|---|---|---|",
            f"| pg_dump, createdb, pg_restore, dropdb | {median['bare']:.2f} | 1.00x |",
            f"| `action: backup`, `check: restore` | {median['gonogo']:.2f} "
            f"| {ratio['gonogo']:.2f}x |",
            f"| of it a run of two steps that do nothing | {median['idle']:.2f} "
            f"| {ratio['idle']:.2f}x |",
            "",
        )
    )
