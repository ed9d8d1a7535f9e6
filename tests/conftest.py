"""What every test may ask for; a folder's own fixtures stand in that folder."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from tests.support.services import (
    database,
    postgres,
    strange_bytes,
    valkey,
    valkey_server,
    without_client_settings,
)
from tests.support.sink import mails, sink

__all__ = ["database", "mails", "postgres", "sink", "strange_bytes", "valkey", "valkey_server"]


# A busy machine is no mistake of ours, so no example has a deadline; a CI plays the same examples
# every time, so that a change fails for what it changed.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also run the tests that take minutes")
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


def pytest_configure() -> None:
    without_client_settings()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "realtime" not in str(config.getoption("markexpr")):
        leave = pytest.mark.skip(reason="takes half an hour: `-m realtime`")
        for item in items:
            if "realtime" in item.keywords:
                item.add_marker(leave)
    if config.getoption("--nightly"):
        return
    skip = pytest.mark.skip(reason="takes minutes: `python3 go.py test --nightly`")
    for item in items:
        if "nightly" in item.keywords:
            item.add_marker(skip)
