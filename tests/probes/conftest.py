"""What the tests of kinds ask for: small servers on the loopback interface, data to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.probes.looking import SCHEMA, Looker
from tests.support.backups import fill
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
def data(database: str, tmp_path: Path) -> Looker:
    """A database with three tables and 42 rows."""
    fill(database, SCHEMA)
    return Looker(database, tmp_path)


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Looker:
    """A database without tables."""
    return Looker(database, tmp_path)
