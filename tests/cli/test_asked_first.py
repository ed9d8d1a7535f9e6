"""`rollback: ask` counts for the undoing of steps too, also without a rollback section."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import gonogo

RUNBOOK = """---
gonogo: 1
service: shop
rollback: ask
---
# Shop: release

## Deployment

- Switch over
  ```bash
  echo new >>state
  ```
  - Kind: action
  - Undo: `echo old >>state`

## Smoke tests

- It answers
  ```bash
  false
  ```
"""


def test_steps_are_undone_only_after_a_yes(tmp_path: Path) -> None:
    (tmp_path / "deploy.md").write_text(RUNBOOK)
    asked = gonogo("run", "deploy.md", "--yes", cwd=tmp_path)
    assert asked.code == 3, asked.both
    assert "roll back?" in asked.both
    assert (tmp_path / "state").read_text().split() == ["new"]
    given = gonogo("answer", "rollback", "yes", "--by", "ana", cwd=tmp_path)
    assert given.code == 0, given.both
    done = gonogo("resume", cwd=tmp_path)
    assert done.code == 4, done.both
    assert (tmp_path / "state").read_text().split() == ["new", "old"]
