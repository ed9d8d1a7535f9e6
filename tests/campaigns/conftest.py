from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from tests.campaigns.acting import cache, queue, to_v2

from gonogo.demo import campaigns_place
from gonogo.demo.workspace import Workspace
from gonogo.services import Postgres, Valkey

_numbers = itertools.count(1)


@contextmanager
def laid_out(
    folder: Path, postgres: Postgres, valkey: Valkey, first: int = 0
) -> Iterator[Workspace]:
    """The service as it is delivered; its cache and its queue are `first` and the number after."""
    name = f"campaigns_{next(_numbers)}"
    addresses = {
        "DATABASE_URL": postgres.create_database(name),
        "CACHE_URL": valkey.url(first),
        "QUEUE_URL": valkey.url(first + 1),
    }
    for number in (first, first + 1):
        with redis.Redis(port=valkey.port, db=number) as client:
            client.flushdb()
    made = campaigns_place.lay_out(folder, postgres.bin, addresses)
    yield made
    made.take_down()
    postgres.drop_database(name)


@pytest.fixture
def bare(tmp_path: Path, postgres: Postgres, valkey_server: Valkey) -> Iterator[Workspace]:
    """The service in a path with a space: nothing runs, no schema."""
    with laid_out(tmp_path / "the campaigns", postgres, valkey_server) as made:
        yield made


@pytest.fixture
def campaigns(bare: Workspace) -> Workspace:
    """The service with v1 and its worker up."""
    campaigns_place.bring_up(bare)
    return bare


@pytest.fixture
def rehearsal(tmp_path: Path, postgres: Postgres, valkey_server: Valkey) -> Iterator[Workspace]:
    """A second place with v1 and its worker: its own folder, port, database, cache and queue."""
    with laid_out(tmp_path / "the rehearsal", postgres, valkey_server, first=2) as made:
        campaigns_place.bring_up(made)
        yield made


@pytest.fixture(scope="module")
def kept_up(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, valkey_server: Valkey
) -> Iterator[Workspace]:
    """v2, which stays up for all tests of a file."""
    folder = tmp_path_factory.mktemp("kept") / "the campaigns"
    with laid_out(folder, postgres, valkey_server, first=4) as made:
        campaigns_place.bring_up(made)
        to_v2(made)
        yield made


@pytest.fixture
def v2(kept_up: Workspace) -> Iterator[Workspace]:
    """v2 without faults, with an empty cache and nothing in its queue but the worker's beat."""
    cache(kept_up).flushdb()
    queue(kept_up).delete("retry", "dead", "queue:default")
    yield kept_up
    kept_up.script("bin/fault", "none")
