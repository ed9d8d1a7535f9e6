"""A connection to PostgreSQL with a thread beside it that ends what takes too long."""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from typing import Any, Self

import psycopg

SPARE_S = 2.0  # how long a server may take to cancel before the connection is cut


class Watched(ABC):
    """Connects at the start of a block, is watched meanwhile, and closes at its end."""

    def __init__(self, watcher: str) -> None:
        """Remember the name of the thread that watches."""
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=watcher, daemon=True)
        self._connection: psycopg.Connection[Any]

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            WorkError: it cannot be reached, or refuses.
        """
        self._connection = self._connect()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection; what is not committed is rolled back by the server."""
        self._done.set()
        self._watcher.join(SPARE_S * 2)
        with contextlib.suppress(psycopg.Error):
            self._connection.close()

    @abstractmethod
    def _connect(self) -> psycopg.Connection[Any]:
        """Return the open connection."""

    @abstractmethod
    def _watch(self) -> None:
        """Look until `_done` is set whether what the server does has to be cancelled."""
