"""Where a backup goes: its path, the room on that disk, and which older ones are let go."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gonogo.actions.backup import manifest, naming
from gonogo.actions.backup.manifest import PART, Manifest
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

_SPARE = 1.25  # a backup may be this much larger than the last one


@dataclass(frozen=True, slots=True)
class Target:
    """The path of one backup and the pattern of all backups that `keep` counts."""

    path: Path
    pattern: str  # what is written, each name in it replaced by `*`

    @property
    def part(self) -> Path:
        """Return where it is written until it is complete."""
        return self.path.with_name(f"{self.path.name}{PART}")


def settle(said: str, context: Context, stamp: str) -> Target:
    """Return the target that `to` means; `{{time}}` is the moment when the attempt began."""
    text = filling.fill(naming.with_time(said, stamp), context).strip()
    path = context.cwd / Path(text).expanduser()
    return Target(path.absolute(), naming.pattern(said))


def prepare(target: Target) -> None:
    """Make the folder of a target and take away what is left of an attempt that was cut off.

    Raises:
        WorkError: there is such a backup already, or the folder cannot be written.
    """
    if target.path.exists():
        raise WorkError(
            f"`{target.path.name}` exists already and is not written over",
            hint="it may be the way back of an earlier run; write `{{time}}` into `to:`, "
            "or move it away",
        )
    try:
        target.path.parent.mkdir(parents=True, exist_ok=True)
        drop(target.part)
    except OSError as error:
        raise WorkError(
            f"`{target.path.parent}` cannot be written: {(error.strerror or str(error)).lower()}",
            hint="correct `to:`, or its permissions",
        ) from error


def keep_private(part: Path, *, folder: bool) -> None:
    """Make what is to be written before its program does: nobody else may ever read of it.

    Raises:
        WorkError: it cannot be made.
    """
    try:
        if folder:
            part.mkdir(mode=0o700)
        else:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise WorkError(
            f"`{part}` cannot be written: {(error.strerror or str(error)).lower()}",
            hint="correct `to:`, or the permissions there",
        ) from error


def close_to_others(part: Path) -> None:
    """Let only its owner read all files of a backup that is a folder."""
    for path in part.rglob("*") if part.is_dir() else ():
        path.chmod(0o600)


def drop(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def series(target: Target, database: str) -> list[tuple[Path, Manifest]]:
    """Return all backups of this series and database beside the target, newest first."""
    found = []
    for file in target.path.parent.glob("*.json"):
        backup = file.with_name(file.name.removesuffix(".json"))
        known = manifest.read(backup)
        if known is not None and known.pattern == target.pattern and known.database == database:
            found.append((backup, known))
    return sorted(found, key=lambda pair: pair[1].started, reverse=True)


def require_room(target: Target, database: str, whole: int, what: str) -> int:
    """Return the free bytes; `whole` is the size of what is backed up.

    Raises:
        WorkError: the last backup of this series, or all of `whole`, would not fit.
    """
    earlier = [known.size for path, known in series(target, database) if path.exists()]
    needed = int(earlier[0] * _SPARE) if earlier else whole
    basis = "the last backup and a quarter more" if earlier else f"the size of {what}"
    free = shutil.disk_usage(target.path.parent).free
    if free < needed:
        raise WorkError(
            f"`{target.path.parent}` has {shown(free)} free, expected at least "
            f"{shown(needed)}: {basis}",
            hint="make room there, or name another disk in `to:`",
        )
    return free


def shown(count: int) -> str:
    """Return a size in the unit that people read."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}" if unit != "B" else f"{count} B"
        size /= 1024
    return f"{size:.3g} TiB"


def rotate(target: Target, database: str, keep: int) -> list[str]:
    """Let go what is older than the newest `keep`, never the one just made; return their names."""
    if keep < 1:
        return []
    gone = []
    there = [pair for pair in series(target, database) if pair[0] != target.path]
    for backup, _ in there[max(keep - 1, 0) :]:
        drop(backup)  # the backup first: a manifest alone is taken for nothing
        manifest.beside(backup).unlink(missing_ok=True)
        gone.append(backup.name)
    return gone
