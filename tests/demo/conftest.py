from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonogo.demo.workspace import Workspace
from gonogo.services import Postgres

_numbers = itertools.count(1)


@pytest.fixture
def bare(tmp_path: Path, postgres: Postgres, valkey: str) -> Iterator[Workspace]:
    """The search service as it is delivered, in a path with a space: nothing runs, no schema."""
    name = f"search_{next(_numbers)}"
    folder = tmp_path / "the search"
    made = Workspace.lay_out(folder, postgres.bin, postgres.create_database(name), valkey)
    yield made
    made.take_down()
    postgres.drop_database(name)


@pytest.fixture
def search(bare: Workspace) -> Workspace:
    """The search service with v1 up and its schema."""
    bare.bring_up()
    return bare
