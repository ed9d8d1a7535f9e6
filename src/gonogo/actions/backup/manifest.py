"""What is known of one backup: a file beside it that says what, when, from where, and how big."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gonogo.clock import moment
from gonogo.errors import WorkError

FORMAT = "gonogo backup 1"
PART = ".part"  # what is not complete; no check takes it for a backup
_CHUNK = 1024 * 1024
_HEAD = f'{{\n "format": "{FORMAT}"'.encode()  # how `put` begins a manifest
_WORDS = (
    *("what", "path", "sha256", "started", "run", "database", "name", "server", "tool", "pattern"),
)
_MOST = 2**63
What = Literal["postgresql", "redis", "files"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in the file; sizes in bytes, durations in seconds, times in ISO 8601 UTC."""

    what: What
    path: str  # the name of the backup; it lies beside this file
    size: int
    sha256: str
    started: str
    duration_s: float
    run: str  # the run and attempt that made it
    database: str = ""  # identity: see `gonogo.records`
    name: str = ""  # the name of the database, or the folder
    server: str = ""
    tool: str = ""
    pattern: str = ""  # what `keep` counts
    complete: bool = True  # everything of the database; false: chosen tables or schemas
    tables: Sequence[str] = ()  # the chosen tables, by their full names
    content: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)  # encoding and locale
    room: int = 0  # bytes of what was dumped, on its server; 0: not known

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"format": FORMAT, **asdict(self)}


def beside(backup: Path) -> Path:
    """Return where the manifest of a backup lies."""
    return backup.with_name(f"{backup.name}.json")


def of_json(data: Mapping[str, Any]) -> Manifest | None:
    """Read what `as_json` wrote; None when it is something else."""
    if data.get("format") != FORMAT:
        return None
    names = Manifest.__dataclass_fields__
    try:
        known = Manifest(**{name: value for name, value in data.items() if name in names})
    except TypeError:
        return None
    return known if _is_sound(known) else None


def _is_sound(known: Manifest) -> bool:
    """Say whether every field holds what it is for; a damaged manifest is never half believed."""
    fields = asdict(known)
    lists = isinstance(known.tables, list | tuple) and isinstance(known.content, dict)
    return (
        all(isinstance(fields[name], str) for name in _WORDS)
        and all(_is_number(fields[name]) for name in ("size", "room", "duration_s"))
        and (lists and isinstance(known.place, dict) and isinstance(known.complete, bool))
        and all(isinstance(name, str) for name in known.tables)
        and _is_counted(known.content)
        and _is_moment(known.started)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_counted(content: Mapping[str, Any]) -> bool:
    """Say whether the rows of each table, or the number of keys or files, are numbers."""
    rows = content.get("rows", content.get("entries", 0))
    return all(map(_is_number, rows.values() if isinstance(rows, dict) else [rows]))


def _is_moment(text: str) -> bool:
    try:
        moment(text).timestamp()
    except (ValueError, OverflowError):
        return False
    return True


def read(backup: Path) -> Manifest | None:
    """Return the manifest beside a backup; None when there is none, or none of ours."""
    data = load(beside(backup))
    return of_json(data) if data is not None else None


def refuse_damaged(backup: Path) -> None:
    """Refuse a backup whose manifest is ours, but cut off or changed: it would not be missed.

    Raises:
        WorkError: nobody can tell of which database the backup is, and whether it is whole.
    """
    path = beside(backup)
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
    except OSError:
        return
    data = load(path)
    is_ours = _HEAD.startswith(head) if data is None else data.get("format") == FORMAT
    if is_ours and read(backup) is None:
        raise WorkError(
            f"the manifest `{path.name}` is damaged: it does not tell of which database "
            f"`{backup.name}` is, and whether it is whole",
            hint="take another backup; or remove the manifest, and the backup is judged by itself",
            failed=True,
        )


def load(path: Path) -> dict[str, Any] | None:
    """Return a JSON object from a file; None when there is none."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def put(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object so that a reader sees all or nothing of it, also after a power cut."""
    draft = path.with_name(f"{path.name}{PART}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(backup: Path) -> None:
    """Make a backup, a file or a folder of files, survive a power cut."""
    for path in [backup, *(sorted(backup.rglob("*")) if backup.is_dir() else ())]:
        sync_folder(path)  # a file is flushed the same way


def size_of(backup: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if not backup.is_dir():
        return backup.stat().st_size
    return sum(path.stat().st_size for path in backup.rglob("*") if path.is_file())


def checksum(backup: Path, refuse: Callable[[str], None]) -> str:
    """Return the SHA-256 of a file; of a folder, that of the names and sums of its files.

    `refuse` is called again and again; it raises when the work must end.
    """
    if not backup.is_dir():
        return _sum(backup, refuse)
    whole = hashlib.sha256()
    for path in sorted(path for path in backup.rglob("*") if path.is_file()):
        whole.update(f"{path.relative_to(backup)}\0{_sum(path, refuse)}\n".encode())
    return whole.hexdigest()


def _sum(path: Path, refuse: Callable[[str], None]) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                refuse(f"`{path.name}` was not read to its end")
    except OSError as error:
        raise WorkError(
            f"`{path.name}` cannot be read: {(error.strerror or str(error)).lower()}",
            hint="look at its permissions and at the disk",
        ) from error
    return digest.hexdigest()
