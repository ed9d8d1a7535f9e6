"""What the steps of one run leave for later steps of it: backups made, restores tested.

Each record is one JSON line in a file of the run's own folder. A line that a power cut has cut
short is not read; a record with an `id` that is there already is not written twice.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BACKUPS = "backups.jsonl"
RESTORE_TESTS = "restore-tests.jsonl"
IDENTITY_SQL = (
    "SELECT system_identifier::text || '/' || current_database() FROM pg_control_system()"
)
"""Tells one PostgreSQL database from all others, wherever its server is reached."""

Record = Mapping[str, Any]


def append(folder: Path, name: str, record: Record) -> None:
    """Add `record` to a file of the run, so that it is there after a power cut.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        known = {found.get("id") for found in _records(text)}
        if record.get("id") is not None and record["id"] in known:
            return
        start = b"" if not text or text.endswith(b"\n") else b"\n"  # behind a line that was cut
        file.write(start + json.dumps(record, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path, name: str) -> tuple[Record, ...]:
    """Return the records of a file in the order in which they were written; none: nothing."""
    try:
        text = (folder / name).read_bytes()
    except FileNotFoundError:
        return ()
    return _records(text)


def last(folder: Path, name: str, database: str) -> Record | None:
    """Return the latest record about this database (see `IDENTITY_SQL`), if there is one."""
    found = [record for record in read(folder, name) if record.get("database") == database]
    return found[-1] if found else None


def _records(text: bytes) -> tuple[Record, ...]:
    found: list[Record] = []
    for line in text.split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return tuple(found)
