"""Looks before a restore test whether the backup is fit for it, and the server has the room."""

from __future__ import annotations

from dataclasses import dataclass

from gonogo.actions.backup import manifest, telling
from gonogo.actions.backup.finding import ARCHIVES, Form, Found
from gonogo.actions.backup.target import shown
from gonogo.databases import room
from gonogo.databases.content import Choice
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError

TEXTS = (Form.PLAIN, Form.PACKED)


@dataclass(frozen=True, slots=True)
class Room:
    """What is known of the disk of the server; bytes, None when not known."""

    free: int | None
    note: str


def unfit(found: Found, source: Server) -> str:
    """Say why a backup cannot be the way back, as far as a glance tells; nothing when it may be."""
    if found.form not in (*ARCHIVES, *TEXTS):
        return telling.words_for(found)
    known = found.manifest
    if known is None:
        return ""
    if known.database != source.identity():
        if known.name == source.database:
            return f"it is of a database `{known.name}` on another server"
        return f"it is of another database: `{known.name}`, expected `{source.database}`"
    if manifest.size_of(found.path) < known.size:
        return f"it is cut off: {manifest.size_of(found.path)} B, expected {known.size} B"
    return ""


def of_another(name: str, source: Server) -> str:
    """Say that a backup of the database `name` is of another one; nothing when it may be right."""
    if not name or name in (source.database, source.identity().partition("/")[2]):
        return ""
    return f"it is of another database: `{name}`, expected `{source.database}`"


def changed(found: Found, deadline: Deadline) -> str:
    """Read all of a backup and say whether it is another one than its manifest tells of."""
    known = found.manifest
    if known is None or manifest.checksum(found.path, deadline.refuse) == known.sha256:
        return ""
    return "it was changed since it was made: its checksum is not that of its manifest"


def require_room(found: Found, source: Server, server: Server) -> Room:
    """Return the room on the disk of the server, for the evidence.

    Raises:
        WorkError: it is known, and less than the database takes at its source.
    """
    seen = room.look(server)
    if seen.free is None:
        return Room(None, f"room on the server's disk: not known, {seen.why}")
    needed, basis = _needed(found, source)
    if needed is None:
        return Room(
            seen.free,
            f"room on the server's disk: {shown(seen.free)} free; what is needed: {basis}",
        )
    if seen.free < needed:
        raise WorkError(
            f"the server has {shown(seen.free)} free at `{seen.where}`, expected at least "
            f"{shown(needed)} for the scratch database: {basis}",
            hint="make room there, or test on another server: name it in `on:`, "
            "and this database in `source:`",
        )
    return Room(
        seen.free, f"room on the server's disk: {shown(seen.free)} free, {shown(needed)} needed"
    )


def _needed(found: Found, source: Server) -> tuple[int | None, str]:
    if room.is_spread(source):
        return None, "not known, its tables lie in several tablespaces"
    known = found.manifest
    if known is not None and known.room:
        return known.room, f"the size of `{known.name}` when it was dumped"
    if known is not None and not known.complete:
        return None, "not known, it is a part of the database"
    return room.size(source, Choice()), f"the size of `{source.database}` now"
