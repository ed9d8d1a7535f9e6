"""What the tests of kinds ask for: small servers on the loopback interface, a shop to back up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.backups import Shop, fill
from tests.support.kinds import Answering, Silent

from gonogo.services import Postgres


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
def shop(postgres: Postgres, database: str, tmp_path: Path) -> Shop:
    """A filled database of its own, of which a test makes, proves and restores backups."""
    fill(database)
    return Shop(postgres, database, tmp_path)
