"""Reads what a command's folder tells, without changing anything and without guessing."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from gonogo import shim
from gonogo.errors import WorkError
from gonogo.process.model import EndedBy, Trace

_ENDINGS = tuple(EndedBy)
_FIRST = 1  # the process of the system itself; a smaller number would be a whole group
_LARGEST = 1e11  # seconds since 1970 of the year 5138; no process number is larger


def trace(folder: Path) -> Trace:
    """Say what `folder` tells about its command, without changing anything."""
    if exists(folder, shim.EXIT):
        return Trace.ENDED
    spec = read(folder, shim.COMMAND)
    if spec is None:
        return Trace.NEVER_STARTED
    if is_locked(folder):
        return Trace.RUNNING
    if exists(folder, shim.EXIT):  # it ended between the first look and the lock
        return Trace.ENDED
    if exists(folder, shim.PID):
        return Trace.RUNNING if child(folder) else Trace.LOST
    # The shim records itself before the first instruction of the command. Only a power cut can
    # have lost that record while this spec, which was flushed before, is still there.
    return Trace.NEVER_STARTED if spec.get("boot_id") == shim.boot_id() else Trace.LOST


def lasted(folder: Path) -> float | None:
    """Return for how many seconds the command in `folder` ran; None where no record says it."""
    seconds = (ending(folder) or {}).get("duration_s")
    return None if seconds is None else float(seconds)


def child(folder: Path) -> int | None:
    """Return the recorded command's process id if that very process is alive."""
    record = beginning(folder)
    if "child" not in record or record.get("boot_id") != shim.boot_id():
        return None
    return record["child"] if shim.start_time(record["child"]) == record["child_start"] else None


def beginning(folder: Path) -> dict[str, Any]:
    """Return what the shim has recorded before the command; empty if damaged or not there."""
    record = read(folder, shim.PID) or {}
    pids = [record.get(name) for name in ("shim", "child")]
    sound = (
        all(isinstance(pid, int) and _FIRST < pid < _LARGEST for pid in pids)
        and isinstance(record.get("child_start"), str)
        and _is_number(record.get("started_at"))
    )
    return record if sound else {}


def ending(folder: Path) -> dict[str, Any] | None:
    """Return how the command ended; empty if damaged: half of a record proves nothing."""
    record = read(folder, shim.EXIT)
    if not record:
        return record
    streams = [record.get(name) for name in shim.STREAMS]
    problem = record.get("problem")
    known = [record.get(name) for name in ("exit_code", "signal") if record.get(name) is not None]
    times = [record.get(name) for name in ("started_at", "ended_at", "duration_s")]
    sound = all(_is_number(number) for number in (*known, *times)) and (
        _is_problem(problem) if problem else len(known) == 1
    )
    return record if sound and record.get("ended_by") in _ENDINGS and _are_counted(streams) else {}


def _is_problem(problem: object) -> bool:
    return (
        isinstance(problem, dict)
        and isinstance(problem.get("stage"), str)
        and isinstance(problem.get("errno"), int)
    )


def _are_counted(streams: list[object]) -> bool:
    names = ("bytes", "dropped", "errno")
    return all(
        isinstance(part, dict) and all(isinstance(part.get(name), int) for name in names)
        for part in streams
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def is_locked(folder: Path) -> bool:
    """Say whether a shim (or somebody who is about to start one) holds the folder."""
    try:
        descriptor = os.open(folder / shim.LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        raise unusable(folder, error) from error
    finally:
        os.close(descriptor)
    return False


def exists(folder: Path, name: str) -> bool:
    """Say whether this record is in the folder."""
    return (folder / name).exists()


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """Return a record, empty if it cannot be understood, None if there is none."""
    try:
        data = json.loads((folder / name).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unusable(folder, error) from error
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def unusable(folder: Path, error: OSError) -> WorkError:
    """Say that the command's folder cannot be written or read."""
    reason = (error.strerror or str(error)).lower()
    return WorkError(
        f"the record of a command cannot be kept in `{folder}`: {reason}",
        hint="the folder must be on a local disk with room, and writable",
    )
