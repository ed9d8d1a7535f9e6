from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def kept_folder() -> Iterator[Path]:
    """A folder that `nobody` can reach too, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="gonogo-kept-"))
    folder.chmod(0o711)
    yield folder / "server"
    shutil.rmtree(folder)
