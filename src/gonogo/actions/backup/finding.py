"""Finds the backup that a block means: the newest of a pattern, or the one this run has made."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gonogo import records
from gonogo.actions.backup import manifest, plain
from gonogo.actions.backup.manifest import PART, Manifest
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

THIS_RUN = "this run"
_HEAD = 512


class Form(StrEnum):
    """How a backup is written."""

    DUMP = "dump"  # of pg_dump, in one file: its custom format
    TAR = "tar"  # of pg_dump, in one file: tar
    FOLDER = "folder"  # of pg_dump, by several jobs
    PLAIN = "plain"  # of pg_dump, as SQL text
    PACKED = "packed"  # the same, through gzip
    KEYS = "keys"  # all keys of a cache
    FILES = "files"  # a tar of files
    STRANGE = "strange"  # encrypted, of another program, or damaged from its first byte


ARCHIVES = (Form.DUMP, Form.TAR, Form.FOLDER)
"""What pg_restore reads."""

DAMAGED = (OSError, EOFError, zlib.error)
"""What reading a packed file raises when it is cut off or was changed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A backup on the disk, its form, and its manifest if it has one."""

    path: Path
    form: Form
    manifest: Manifest | None

    def jobs(self, wanted: int) -> int:
        """Return how many tables can be restored at once: from a tar only one after the other."""
        return 1 if self.form is Form.TAR else wanted


def newest(said: str, context: Context) -> Found | None:
    """Return the newest backup of a path with `*`; None when there is none.

    Raises:
        WorkError: the folder cannot be read.
    """
    text = filling.fill(said, context).strip().rstrip("/")
    path = (context.cwd / Path(text).expanduser()).absolute()
    anchor = Path(path.anchor)
    try:
        places = [found for found in anchor.glob(str(path.relative_to(anchor))) if _counts(found)]
        dated = [(_when(found), str(found), found) for found in places]
    except (OSError, ValueError) as error:
        raise WorkError(f"`{said}` cannot be looked at: {error}") from error
    if not dated:
        return None
    return describe(max(dated)[2])


def _counts(path: Path) -> bool:
    if path.name.endswith(PART):
        return False
    return path.suffix != ".json" or not path.with_suffix("").exists()


def _when(path: Path) -> str:
    from datetime import UTC, datetime

    from gonogo.clock import stamp

    known = manifest.read(path)
    if known is not None:
        return known.started
    return stamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))


def of_this_run(context: Context, database: str) -> Found:
    """Return the last backup that this run has made of a database.

    Raises:
        WorkError: there is none, or it is gone.
    """
    record = records.last(context.run_folder, records.BACKUPS, database)
    if record is None:
        raise WorkError(
            "this run has made no backup of this database",
            hint="put a step with `action: backup` before it, or name a file with `backup:`",
        )
    path = Path(record["backup"])
    if not path.exists():
        raise WorkError(f"the backup of this run is gone: `{path}`", hint="who has removed it?")
    found = describe(path)
    if found.manifest is None or found.manifest.sha256 != record["sha256"]:
        raise WorkError(
            f"`{path}` is not the backup that this run has made: its manifest is gone or another",
            hint="who has replaced it? name a file with `backup:` to use it all the same",
        )
    return found


def describe(path: Path) -> Found:
    """Return what lies at a path.

    Raises:
        WorkError: it cannot be read, it is no file, or its manifest is damaged.
    """
    manifest.refuse_damaged(path)
    return Found(path, _form(path), manifest.read(path))


def _form(path: Path) -> Form:
    if path.is_dir():
        return Form.FOLDER if (path / "toc.dat").exists() else Form.STRANGE
    if not path.is_file():  # reading a pipe would wait for ever
        raise WorkError(f"`{path.name}` is no file", hint="name a file or a folder")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise WorkError(
            f"`{path.name}` cannot be read: {(error.strerror or str(error)).lower()}",
            hint="look at its permissions",
        ) from error
    if head.startswith(b"PGDMP"):
        return Form.DUMP
    if head.startswith(b"gonogo keys"):
        return Form.KEYS
    if head.startswith(b"\x1f\x8b"):
        return _inside(path)
    if head[257:262] == b"ustar":
        return Form.TAR if head.startswith(b"toc.dat\0") else Form.FILES
    return Form.PLAIN if _is_text(head) else Form.STRANGE


def _inside(path: Path) -> Form:
    """Tell a packed SQL text from a packed archive."""
    try:
        with gzip.open(path) as file:
            head = file.read(_HEAD)
    except DAMAGED:
        return Form.PACKED  # its end is missing; reading it will say so
    if head[257:262] == b"ustar":
        return Form.FILES
    return Form.PACKED if _is_text(head) else Form.STRANGE


def _is_text(head: bytes) -> bool:
    return b"PostgreSQL database dump" in head or plain.CLUSTER in head
