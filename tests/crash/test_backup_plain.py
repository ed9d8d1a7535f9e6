"""SIGKILL while SQL text is restored for a test: resumed, proved, and no scratch database stays."""

from __future__ import annotations

import gzip
import shlex
import subprocess
from pathlib import Path
from random import Random

import pytest
from tests.crash.lives import Killer, Nursery, Run, left_behind, live
from tests.crash.toys import Toy
from tests.support.backups import databases, fill

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

- [ ] Last night's text can be restored
  ```yaml
  check: restore
  on: db
  backup: {name}
  tools: tools
  ```
"""
SLOW = b"SELECT pg_sleep(0.8);\n"  # three of them: no kill comes after the end


def in_the_middle(random: Random, server: Postgres, most: int) -> Killer:
    """Kill as soon as the scratch database is there, and a moment later."""
    seen: dict[int, float] = {}

    def kill(run: Run, _known: int, passed: float) -> bool:
        if run.kills >= most or passed <= 0:
            return False
        if run.kills not in seen:
            if not any("gonogo_scratch" in name for name in databases(server)):
                return False
            seen[run.kills] = passed + random.uniform(0.0, 0.9)
        return passed >= seen[run.kills]

    return kill


@pytest.mark.timeout(240)
@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip"])
def test_the_proof_of_a_text_survives_kills(
    packed: bool, nursery: Nursery, postgres: Postgres, database: str, tmp_path: Path
) -> None:
    fill(database)
    name = "night.sql.gz" if packed else "night.sql"
    random = Random(packed)
    run = Run(tmp_path / "shop", Toy(1, BOOK.format(url=database, name=name), "{}"))
    dump = [str(postgres.bin / "pg_dump"), database]
    text = subprocess.run(dump, capture_output=True, check=True).stdout
    for statement in (b"CREATE TABLE app", b"COPY public.users", b"CREATE INDEX"):
        text = text.replace(statement, SLOW + statement, 1)
    (run.folder / name).write_bytes(gzip.compress(text) if packed else text)
    (run.folder / "tools").mkdir()
    real = shlex.quote(str(postgres.bin / "psql"))
    (run.folder / "tools" / "psql").write_text(f'#!/bin/sh\nexec {real} "$@"\n')
    (run.folder / "tools" / "psql").chmod(0o755)
    before = databases(postgres)
    try:
        live(run, nursery, in_the_middle(random, postgres, 5))
        assert run.code == 0, run.errors() + (run.folder / "out").read_text()
        assert run.kills >= 3
        assert databases(postgres) == before, "a scratch database is left"
        assert left_behind(run.folder) == []
        assert list(run.folder.rglob("text.pipe")) == []
        (home,) = (run.folder / ".gonogo" / "runs").iterdir()
        assert [r["passed"] for r in records.read(home, records.RESTORE_TESTS)][-1] is True
        asked = [e.item for e in run.events() if e.kind == "question.asked"]
        assert asked == [], "nobody is asked: a check begins anew by itself"
    finally:
        run.close()
