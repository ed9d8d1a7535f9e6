"""A password that stands in a runbook is pointed at by `lint` and `plan`, and never printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import gonogo

SECRETS = ("hunter2long", "s3cretpw", "hunter4long", "hunter5long", "hunter6long")
SHELL = """\
# Shop

## Deployment

1. Look

   ```bash
   PGPASSWORD=hunter2long psql -h db -c "SELECT 1" <fill-in>
   ```

   - Undo: `mysql -u root -ps3cretpw shop`

2. Change

   ```sql
   CREATE ROLE web PASSWORD 'hunter6long'
   ```
"""
FRONT = """\
---
gonogo: 1
env: {DB_PASSWORD: hunter4long, OTHER: "1"}
targets:
  db: postgresql://web:hunter5long@db/shop
---

# Shop

## Deployment

1. Go with hunter4long

   ```bash
   echo hunter4long
   ```
"""


@pytest.mark.parametrize("runbook", [SHELL, FRONT], ids=["shell", "front-matter"])
@pytest.mark.parametrize(
    "words", ["lint", "lint --json", "plan", "plan --json", "run --yes"], ids=str
)
def test_no_literal_secret_is_printed(tmp_path: Path, runbook: str, words: str) -> None:
    (tmp_path / "deploy.md").write_text(runbook)
    command, *options = words.split()
    done = gonogo(command, "deploy.md", *options, cwd=tmp_path)
    assert done.code in (0, 2), done.both
    assert done.both.strip()
    assert [secret for secret in SECRETS if secret in done.both] == []


def test_the_caret_still_points_to_the_place(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(SHELL)
    lines = gonogo("lint", "deploy.md", cwd=tmp_path).err.splitlines()
    at = next(n for n, line in enumerate(lines) if "GN505" in line)
    shown, carets = lines[at + 3], lines[at + 4]
    start = shown.index("PGPASSWORD=") + len("PGPASSWORD=")
    assert shown[start:].startswith("•" * len("hunter2long") + " psql")
    assert carets.index("^") == start
    assert carets.count("^") == len("hunter2long")
    at = next(n for n, line in enumerate(lines) if "GN501" in line)
    assert lines[at + 3].index("<fill-in>") == lines[at + 4].index("^")


def test_the_json_form_keeps_the_place(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(FRONT)
    said = json.loads(gonogo("lint", "--json", "deploy.md", cwd=tmp_path).out)
    places = [(d["line"], d["column"]) for d in said["diagnostics"] if d["code"] == "GN306"]
    assert places == [(3, 20), (5, 7)]
