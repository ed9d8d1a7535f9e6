"""SIGKILL in the middle of a dump, a restore test and a restore: resumed, whole, nothing left."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from random import Random

import psycopg
import pytest
from tests.actions.migrating import until
from tests.crash.lives import Killer, Nursery, Run, left_behind, live
from tests.crash.toys import Toy
from tests.support.backups import Shop, ask, databases, fill, name_of

from gonogo import records
from gonogo.services import Postgres

BOOK = """---
gonogo: 1
service: shop
targets:
  db: {url}
---
# Shop: release

## Pre-deployment

- [ ] A backup is made
  ```yaml
  action: backup
  on: db
  to: backups/{to}
  tools: tools
  ```
- [ ] The backup can be restored
  ```yaml
  check: restore
  on: db
  tools: tools
  ```
"""
BACK = """
## Deployment

1. Put the database back
   ```yaml
   action: restore
   on: {empty}
   backup: backups/{to}
   tools: tools
   ```
"""


def _slow(folder: Path, server: Postgres, before: float, after: float) -> None:
    """Put programs into `folder` that take their time before and behind their work."""
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        real = shlex.quote(str(server.bin / name))
        (folder / name).write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec {real} "$@"\n'
            f'sleep {before}\n{real} "$@"\ncode=$?\nsleep {after}\nexit $code\n'
        )
        (folder / name).chmod(0o755)


def at_moments(random: Random, most: int) -> Killer:
    """Kill some time after a life's first event, anywhere in its steps."""
    moments: dict[int, float] = {}

    def kill(run: Run, _known: int, passed: float) -> bool:
        moment = moments.setdefault(run.kills, random.uniform(0.0, 1.2))
        return run.kills < most and passed > 0 and passed >= moment

    return kill


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_backup_and_its_proof_survive_kills(
    seed: int, nursery: Nursery, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    fill(database)
    empty = f"{name_of(database)}_back"
    url = postgres.create_database(empty)
    to = "a/" if seed % 2 else "a.dump"
    text = BOOK.format(url=database, to=to) + BACK.format(empty=url, to=to.rstrip("/"))
    random = Random(seed)
    run = Run(tmp_path / "shop", Toy(seed, text, "{}"))
    _slow(run.folder / "tools", postgres, random.uniform(0, 0.5), random.uniform(0, 0.5))
    before = databases(postgres)
    try:
        live(run, nursery, at_moments(random, 8))
        assert run.code == 0, run.errors() + (run.folder / "out").read_text()
        assert run.kills >= 4
        assert databases(postgres) == before, "a scratch database is left"
        assert left_behind(run.folder) == []
        found = sorted(path.name for path in (run.folder / "backups").iterdir())
        name = to.rstrip("/")
        assert found == [name, f"{name}.json"]
        (home,) = (run.folder / ".gonogo" / "runs").iterdir()
        made = records.read(home, records.BACKUPS)
        assert [Path(record["backup"]).name for record in made] == [name]
        assert [r["passed"] for r in records.read(home, records.RESTORE_TESTS)][-1] is True
        assert ask(url, "SELECT count(*) FROM documents") == 500
        asked = [e.item for e in run.events() if e.kind == "question.asked"]
        assert asked == [], "nobody is asked: an attempt goes on by itself"
    finally:
        run.close()
        postgres.drop_database(empty)


LIFE = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
from tests.support.kinds import a_context
from gonogo.actions.backup import Restore
from gonogo.plan.kinds import Effect
url, folder, way, path = sys.argv[1:]
context = replace(
    a_context(Path(folder), targets={"db": url}, effect=Effect.ACTION, timeout_s=60.0),
    folder=Path(folder) / "attempt", run_folder=Path(folder) / "run",
    variables={"PATH": path},
)
seen = Restore(on="db", backup="backups/a.dump", replace=True, way=way).perform(context)
print(json.dumps([seen.indicators["way"], seen.indicators["kept"]]))
"""
# The server carries out what a life has sent it before it was killed; an exchange is sent from a
# database beside the live one, and throws out whoever looks into that one meanwhile.
NOBODY_EXCHANGES = """SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity
  WHERE application_name = 'gonogo' AND datname IN ('postgres', 'template1'))"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["swap", "in place"])
def test_a_restore_over_live_data_survives_kills(
    way: str, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    """The live database is whole after every kill: all of the old one, or all of the backup."""
    fill(database)
    Shop(postgres, database, tmp_path).back_up()
    fill(database, "DELETE FROM documents WHERE id % 2 = 0; INSERT INTO users (name) VALUES ('x')")
    _slow(tmp_path / "tools", postgres, 0.2, 0.2)
    path = f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    argv = [sys.executable, "-c", LIFE, database, str(tmp_path), way, path]
    before = databases(postgres)
    seen: set[int] = set()
    for number in range(60):
        child = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            out, _ = child.communicate(timeout=0.4 + 0.35 * number)
            break
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
        until(postgres.url(), NOBODY_EXCHANGES)
        seen.add(_count(database))
    assert child.returncode == 0
    did, kept = json.loads(out)
    assert did == way
    assert seen <= {250, 500}
    assert _count(database) == 500
    assert number >= 2
    new = databases(postgres) - before
    assert new == ({kept.removeprefix("database ")} if way == "swap" else set())
    for name in new:
        postgres.drop_database(name)


def _count(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM documents").fetchone()
        assert row is not None
        return int(row[0])
