"""A release on a scaled calendar: killed in its watch, it goes on with the looks that are left."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.running import finish, gonogo, heard, id_of, start

from gonogo.clock import SystemClock
from gonogo.store.journal import SqliteJournal

BOOK = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Switch

   ```bash
   echo switched
   ```

## Watch for 24 hours

### First 24 hours

- Every: 4h

- [ ] The service is up

  ```bash
  echo up
  ```

  - Expect: output contains "up"
"""


def test_killed_in_its_watch_it_looks_again_when_a_look_is_due(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(BOOK)
    child = start("run", "deploy.md", "--yes", "--calendar", "1/7200", cwd=tmp_path)
    heard(child, "look")
    child.kill()
    finish(child)
    done = gonogo("resume", "--json", cwd=tmp_path)
    evidence = json.loads(done.out)
    assert evidence["calendar"] == "1/7200"
    assert "scaled calendar 1/7200" in done.err
    home = tmp_path / ".gonogo"
    with closing(SqliteJournal(home / "journal.db", SystemClock())) as journal:
        events = journal.events(id_of(home))
    looks = [e for e in events if e.kind in ("look.taken", "look.missed")]
    began = next(e for e in events if e.kind == "checkpoints.began").body["started_ms"]
    dues = [int(str(e.body["due_ms"])) - int(str(began)) for e in looks]
    assert dues == [n * 2_000 for n in range(7)]  # each once, on the grid of before the kill
    step = evidence["phases"][1]["steps"][0]
    assert [one["status"] for one in step["looks"]] == [
        "pass" if e.kind == "look.taken" else "missed" for e in looks
    ]
    for name in ("report.md", "report.txt", "report.html", "junit.xml"):
        text = (home / "runs" / id_of(home) / name).read_text()
        assert "scaled calendar 1/7200" in " ".join(text.split()), name


@pytest.mark.parametrize("said", ["720", "1/0", "2/3", "soon"])
def test_a_calendar_is_written_as_a_fraction(tmp_path: Path, said: str) -> None:
    (tmp_path / "deploy.md").write_text(BOOK)
    done = gonogo("run", "deploy.md", "--yes", "--calendar", said, cwd=tmp_path)
    assert done.code == 2
    assert f"`{said}` is no scaled calendar, expected `1/N`" in done.err
    assert not (tmp_path / ".gonogo").exists()
