"""What the tests of sources ask for: small servers on the loopback interface, and a log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.metrics.logs import Log
from tests.support.kinds import Answering, Silent


@pytest.fixture
def web() -> Iterator[Answering]:
    """A web server that answers as its paths say."""
    with Answering.start() as server:
        yield server


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A port that accepts connections and never says a word."""
    with Silent.start() as server:
        yield server


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log that is written to, and empty yet."""
    made = Log(tmp_path)
    yield made
    made.close()
