"""How a backup gets its name: first written down as complete, then renamed, then recorded.

An attempt that is killed anywhere in between goes on from what it has written down in its folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gonogo import records
from gonogo.actions.backup import manifest, target
from gonogo.actions.backup.manifest import Manifest
from gonogo.actions.backup.target import Target
from gonogo.clock import SystemClock, moment, stamp
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be dumped, as the block says it."""

    on: str
    to: str
    format: str
    jobs: int
    keep: int
    tools: str
    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    compare: tuple[str, ...] = ()
    record: bool = True  # whether later steps take it for the backup of this run


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup, where it lies, and what was let go for it."""

    path: Path
    manifest: Manifest
    gone: tuple[str, ...]


def began(context: Context) -> str:
    """Return when this attempt began, the same after a restart."""
    file = context.folder / "began.json"
    known = manifest.load(file)
    if known is None:
        context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = {"at": stamp(_clock.now())}
        manifest.put(file, known)
    return str(known["at"])


def attempt_of(context: Context) -> str:
    """Return a name for this attempt that no other attempt of any run has."""
    return "/".join(context.folder.absolute().parts[-4:])


def short(moment_: str) -> str:
    """Return a moment as it stands in the name of a file: `20261122T073000Z`."""
    return moment(moment_).strftime("%Y%m%dT%H%M%SZ")


def begin(order: Order, context: Context) -> tuple[str, Target]:
    """Return when this attempt began and where its backup goes, the same after a restart.

    Raises:
        WorkError: a name in `to` is not bound.
    """
    at = began(context)
    return at, target.settle(order.to, context, short(at))


def sealed(context: Context) -> Manifest | None:
    """Return the manifest of a backup that an earlier life of this attempt has completed."""
    data = manifest.load(context.folder / "sealed.json")
    return manifest.of_json(data) if data is not None else None


def seal(known: Manifest, context: Context) -> Manifest:
    """Write down that the backup is complete; from here on only its name is missing."""
    manifest.put(context.folder / "sealed.json", known.as_json())
    return known


def since(at: str) -> float:
    """Return the seconds since a moment."""
    return round(max((_clock.now() - moment(at)).total_seconds(), 0.0), 3)


def finish(known: Manifest, where: Target, order: Order, context: Context) -> Made:
    """Give a complete backup its name and let older ones go; safe to enter again."""
    try:
        if where.part.exists():
            where.part.rename(where.path)
            manifest.sync_folder(where.path.parent)
        manifest.put(manifest.beside(where.path), known.as_json())
        if order.record:
            _record(known, where, order.on, context)
        gone = target.rotate(where, known.database, order.keep)
    except OSError as error:
        raise WorkError(
            f"the backup is complete, but cannot be kept as `{where.path}`: "
            f"{(error.strerror or str(error)).lower()}",
            hint="make room there, or correct `to:`",
        ) from error
    return Made(where.path, known, tuple(gone))


def _record(known: Manifest, where: Target, on: str, context: Context) -> None:
    record: Mapping[str, Any] = {
        "id": f"backup {known.run}",
        "what": known.what,
        "database": known.database,
        "on": context.redact(on),
        "backup": str(where.path),
        "manifest": str(manifest.beside(where.path)),
        "sha256": known.sha256,
        "size": known.size,
        "at": known.started,
    }
    records.append(context.run_folder, records.BACKUPS, record)
