"""The disk is full in the middle of a run: it stops at once, says so, and goes on after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.crash.lives import Nursery, Process, Run, prove, undisturbed
from tests.crash.toys import a_toy

ROOT = Path(__file__).parents[2]
LIMITED = ["bash", "-c", 'ulimit -f "$1"; shift; exec "$@"', "-"]


@contextmanager
def filled(nursery: Nursery, folder: Path) -> Iterator[tuple[Run, Process]]:
    """A run that a full disk has stopped; goes on behind the block, and comes to the same."""
    toy = a_toy(2)
    calm = undisturbed(folder / "calm", toy, nursery)
    run = Run(folder / "full", toy)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    limited = Process([*LIMITED, "420", sys.executable, "-m", "gonogo"], environment)
    try:
        limited.start(run.folder, run.argv())
        assert limited.ended() == 3, run.errors()
        yield run, limited
        nursery.start(run.folder, run.argv())
        run.code = nursery.ended()
        prove(run, calm)
    finally:
        run.close()
        calm.close()


@pytest.mark.timeout(120)
def test_a_run_goes_on_once_there_is_room_again(nursery: Nursery, tmp_path: Path) -> None:
    """A limit on the size of files fails the write as a full file system does."""
    with filled(nursery, tmp_path) as (run, _limited):
        assert "`gonogo resume" in run.errors()
        assert "Traceback" not in run.errors()


@pytest.mark.timeout(120)
def test_resumed_while_it_is_still_full_it_says_so_and_harms_nothing(
    nursery: Nursery, tmp_path: Path
) -> None:
    with filled(nursery, tmp_path) as (run, limited):
        for _ in range(2):
            known = run.events()
            (run.folder / "err").write_text("")
            limited.start(run.folder, run.argv())
            assert limited.ended() == 3, run.errors()
            assert "journal.db` cannot be written: disk I/O error" in run.errors()
            assert "`ulimit -f` or the disk itself stops it, then `gonogo resume`" in run.errors()
            assert "Traceback" not in run.errors()
            assert run.events()[: len(known)] == known
