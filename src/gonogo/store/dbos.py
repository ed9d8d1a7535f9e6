"""The durable engine: DBOS Transact over the journal's SQLite file; nothing else knows it.

Why an engine of others, and which of its traps this module avoids, is in
docs/decisions/0001-durable-engine.md. In short: one async workflow with a constant version, every
slot reserved in plan order, JSON only, nothing ever raised from a slot, no `destroy`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dbos
from dbos import DBOS, SetWorkflowID
from dbos import error as engine_error
from sqlalchemy.exc import DBAPIError

from gonogo.store.journal import Served, damaged, explained

if TYPE_CHECKING:
    from gonogo.run.durable import Release, Result

_VERSION = "run-1"
"""Raised only when the order or the meaning of slots changes."""
_GOES_ON = ("PENDING", "ENQUEUED")
"""What the engine says of a run that was cut off, and of one that it is just taking up again."""
_IDLE_S = 0.05


class _Json(dbos.Serializer):
    """JSON without NaN; an exception becomes its name and text, anything else unknown is a bug."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_fallback, ensure_ascii=False, allow_nan=False)

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "gonogo_json"


def _fallback(value: object) -> object:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    raise TypeError(f"a slot returned {type(value).__name__}, which is not JSON")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what the database says (a full disk, no rights) into the journal's own words."""
    try:
        yield
    except DBAPIError as error:
        found = error.orig if isinstance(error.orig, sqlite3.Error) else sqlite3.Error(str(error))
        raise explained(found, path) from error
    except (json.JSONDecodeError, engine_error.DBOSException) as error:
        words = str(error).partition("\n")[0]
        raise damaged(path, f"what its engine has kept cannot be used: {words}") from error


class _DbosSlots:
    """The slots of the workflow that is running now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slots: dict[str, Any] = {}

    def reserve(self, names: Sequence[str]) -> None:
        self._slots = {name: DBOS.reserve_step() for name in names}

    async def run(self, name: str, work: Callable[[], Result]) -> Result:
        with _translated(self._path):
            result: Result = await self._slots[name].run_async({"name": name[:200]}, _carry, work)
        if not isinstance(result, Mapping):
            raise damaged(self._path, f"the result of `{name}` is no mapping")
        return result


def _carry(work: Callable[[], Result]) -> Mapping[str, object]:
    """Do a slot's work; the round trip makes a first run see what a replay will see."""
    result: Mapping[str, object] = json.loads(json.dumps(work(), allow_nan=False))
    return result


class _Serving:
    """Which releases this process was asked to carry; others wait untouched."""

    release: Release | None = None
    path: Path = Path()
    runs: set[str] = set()  # noqa: RUF012 - one engine per process, as DBOS has it


@DBOS.workflow(name="release", max_recovery_attempts=100_000)
async def _workflow(run: str) -> Mapping[str, object]:
    # Recovered at launch, but nobody asked yet to go on with it. No event of asyncio: the asking
    # thread is another one, and a wait in a thread would hold a place of the pool.
    while run not in _Serving.runs:  # noqa: ASYNC110
        await asyncio.sleep(_IDLE_S)
    release = _Serving.release
    assert release is not None, "a release is served before a run is named"
    return await release(run, _DbosSlots(_Serving.path))


class DbosEngine:
    """Implements `run.durable.Engine` on one SQLite file in one process."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened before `serve`."""
        self._path = path
        self._served: Served | None = None

    def serve(self, release: Release) -> None:
        """Take the lock and launch.

        Raises:
            JournalError: another process serves this file, or it cannot be written.
        """
        self._served = Served(self._path.with_suffix(".lock"))
        _Serving.release = release
        _Serving.path = self._path
        for name in ("dbos", "sqlalchemy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        DBOS(
            config={
                "name": "gonogo",
                "system_database_url": f"sqlite:///{self._path}",
                "application_version": _VERSION,
                "executor_id": "local",
                "serializer": _Json(),
                "log_level": "CRITICAL",
                "console_log_level": "CRITICAL",
            }
        )
        with _translated(self._path):
            DBOS.launch()

    def start(self, run: str) -> None:
        """Begin a run or go on with it.

        A run that was cut off was recovered by the launch already; a known id attaches to it.

        Raises:
            JournalError: the beginning cannot be recorded.
        """
        _Serving.runs.add(run)
        with _translated(self._path), SetWorkflowID(run):
            DBOS.start_workflow(_workflow, run)

    def refuse_strange(self, run: str) -> None:
        """Refuse a run that the engine would never take up again: waiting for it has no end.

        Raises:
            JournalError: its record is not that of a run which was cut off.
        """
        known = DBOS.get_workflow_status(run)
        if known is None:  # it is only about to begin
            return
        found = (known.status, known.name, known.app_version)
        if found[0] not in _GOES_ON or found[1:] != ("release", _VERSION):
            said = ", ".join(f"`{word}`" for word in found)
            words = f"its engine says {said} of run `{run}`, which is not one that was cut off"
            raise damaged(self._path, words)

    def finished(self, run: str) -> bool:
        """Say whether the engine has recorded the run's result."""
        status = DBOS.get_workflow_status(run)
        return status is not None and status.status in ("SUCCESS", "ERROR")
