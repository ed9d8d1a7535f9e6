"""One nursery for the session: see `tests/crash/nursery.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.lives import Nursery

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.nursery"],
        env={**os.environ, "PYTHONPATH": paths, "GONOGO_HOME": ".gonogo"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Nursery(process)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=10)
    assert process.stdout is not None
    process.stdout.close()
