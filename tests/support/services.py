"""Fixtures of real servers: one of each per worker, started by the first test that asks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
import redis

from gonogo.services import Postgres, Valkey

_numbers = itertools.count(1)


def without_client_settings() -> None:
    """Forget the PG* variables of whoever runs the tests: libpq would obey them."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this worker; tests share it, so they do not stop it."""
    with Postgres.start() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database that only this test uses."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def strange_bytes(postgres: Postgres) -> Iterator[str]:
    """A query whose answer is not UTF-8: what a session of another encoding has asked last."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        provider = "LOCALE_PROVIDER libc" if connection.info.server_version >= 150_000 else ""
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' {provider}"
            " LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    with psycopg.connect(postgres.url(name), client_encoding="SQL_ASCII") as session:
        session.execute(b"SELECT 'caf\xe9'")
        yield f"SELECT 1 AS v, query FROM pg_stat_activity WHERE datname = '{name}'"
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """A Valkey or Redis server for this worker; tests share it, so they do not stop it."""
    with Valkey.start() as server:
        yield server


@pytest.fixture
def valkey(valkey_server: Valkey) -> str:
    """The URL of an empty Valkey or Redis database 0; all other numbers are empty too."""
    with redis.Redis(port=valkey_server.port) as client:
        client.flushall()
    return valkey_server.url()
