"""What a step costs the disk: one flush for a check, two for an action, counted by strace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def flushes(folder: Path, count: int) -> int:
    """Return how often a run of so many checks and as many actions flushed the journal's log."""
    folder.mkdir()
    seen = folder / "seen"
    watched = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", seen]
    subprocess.run(
        [*watched, sys.executable, "-m", "tests.store.flushing", folder / "journal.db", str(count)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        check=True,
        timeout=60,
    )
    return seen.read_text().count("journal.db-wal>")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_check_costs_one_flush_and_an_action_two(tmp_path):
    """The difference of two runs: starting and ending cancel out; a checkpoint may add a few."""
    more = flushes(tmp_path / "many", 25) - flushes(tmp_path / "few", 5)
    assert 20 * 3 <= more <= 20 * 3 + 4
