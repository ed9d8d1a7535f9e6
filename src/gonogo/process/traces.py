"""Reads what a command's folder tells, without changing anything and without guessing."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from gonogo import shim
from gonogo.errors import WorkError
from gonogo.process.model import Trace


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
    record = read(folder, shim.EXIT) or {}
    seconds = record.get("duration_s")
    return float(seconds) if isinstance(seconds, int | float) else None


def child(folder: Path) -> int | None:
    """Return the recorded command's process id if that very process is alive."""
    record = read(folder, shim.PID) or {}
    if "child" not in record or record.get("boot_id") != shim.boot_id():
        return None
    return record["child"] if shim.start_time(record["child"]) == record["child_start"] else None


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
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def unusable(folder: Path, error: OSError) -> WorkError:
    """Say that the command's folder cannot be written or read."""
    reason = (error.strerror or str(error)).lower()
    return WorkError(
        f"the record of a command cannot be kept in `{folder}`: {reason}",
        hint="the folder must be on a local disk with room, and writable",
    )
