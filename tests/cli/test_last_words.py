"""A command that failed says why, beside its exit code: on the screen and in every report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import Done, gonogo

BOOK = """\
---
gonogo: 1
service: web
---
# Web: release

## Pre-deployment

- [ ] The search answers

  ```bash
  echo looking
  echo "warning: the token is $SEARCH_TOKEN" >&2
  echo "connection to ${SEARCH_TOKEN} refused & closed" >&2
  exit 7
  ```
"""
SECRET = "correct-horse-battery"
SEEN = "exit code 7, expected 0: connection to •••• refused"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("last-words")
    (made / "deploy.md").write_text(BOOK)
    return made


@pytest.fixture(scope="module")
def done(folder: Path) -> Done:
    return gonogo("run", "deploy.md", "--yes", cwd=folder, env={"SEARCH_TOKEN": SECRET})


def test_the_screen_says_why(done: Done) -> None:
    assert done.code == 1, done.both
    assert SEEN in " ".join(done.out.split())
    assert SEEN in " ".join(done.err.split())  # while it runs
    assert SECRET not in done.both
    assert [line for line in done.both.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("form", ["text", "md", "html", "json", "junit"])
def test_every_report_says_why(folder: Path, done: Done, form: str) -> None:
    del done
    out = gonogo("report", "--format", form, cwd=folder).out
    assert SEEN in " ".join(out.split())
    assert SECRET not in out
    assert "refused & closed" not in out or form not in ("html", "junit")


def test_the_finding_holds_it_once(folder: Path, done: Done) -> None:
    del done
    evidence = json.loads(gonogo("report", "--format", "json", cwd=folder).out)
    (step,) = evidence["phases"][0]["steps"]
    assert step["finding"]["actual"] == f"{SEEN} & closed"
    assert step["finding"]["why"] == step["finding"]["actual"]
