from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from tests.demo.acting import rows, to_v2

from gonogo.demo.workspace import Workspace
from gonogo.services import Postgres, Valkey

_numbers = itertools.count(1)


@contextmanager
def laid_out(
    folder: Path, postgres: Postgres, cache: str, database: str = ""
) -> Iterator[Workspace]:
    """The search service as it is delivered, taken down afterwards."""
    name = database or f"search_{next(_numbers)}"
    made = Workspace.lay_out(folder, postgres.bin, postgres.create_database(name), cache)
    try:
        yield made
    finally:
        made.take_down()
        postgres.drop_database(name)


@pytest.fixture
def bare(tmp_path: Path, postgres: Postgres, valkey: str) -> Iterator[Workspace]:
    """The search service as it is delivered, in a path with a space: nothing runs, no schema."""
    with laid_out(tmp_path / "the search", postgres, valkey) as made:
        yield made


@pytest.fixture
def search(bare: Workspace) -> Workspace:
    """The search service with v1 up and its schema."""
    bare.bring_up()
    return bare


@pytest.fixture(scope="module", params=["v1", "v2"])
def kept_up(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    valkey_server: Valkey,
) -> Iterator[Workspace]:
    """One release that stays up for all tests of a file that only ask it."""
    folder = tmp_path_factory.mktemp("kept") / "the search"
    with laid_out(folder, postgres, valkey_server.url(1)) as made:
        made.bring_up()
        yield to_v2(made) if request.param == "v2" else made


@pytest.fixture
def app(kept_up: Workspace) -> Workspace:
    """The release that is kept up, with an empty cache, log and audit log."""
    redis.Redis.from_url(kept_up.settings["CACHE_URL"]).flushdb()
    rows(kept_up, "TRUNCATE audit_log RESTART IDENTITY")
    kept_up.access_log.write_text("")
    return kept_up


@pytest.fixture
def release(kept_up: Workspace) -> str:
    """The name of the release that is kept up."""
    return (kept_up.folder / "current").resolve().name
