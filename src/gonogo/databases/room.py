"""How much room a PostgreSQL server has for one more database, where that can be known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo.databases.content import Choice
    from gonogo.databases.server import Server

_TITLE = "postgres:"  # how the title of a server's process begins
_PROCESS = """
SELECT pg_backend_pid(), inet_client_port(), (SELECT setting FROM pg_settings
WHERE name = 'data_directory')"""
_SPREAD = """
SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')
AND (oid = (SELECT dattablespace FROM pg_database WHERE datname = current_database())
     OR oid IN (SELECT reltablespace FROM pg_class))"""
_SIZES = """
SELECT n.nspname, c.relname, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm')"""


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes and where; `free` is None when that cannot be known, then `why` says why."""

    free: int | None
    where: str = ""
    why: str = ""


def size(server: Server, choice: Choice) -> int:
    """Return the bytes of a database on its server, or of the chosen part with its indexes."""
    if choice.is_all:
        return int(server.ask("SELECT pg_database_size(current_database())")[0][0])
    return sum(
        int(count) for schema, name, count in server.ask(_SIZES) if choice.holds(schema, name)
    )


def is_spread(server: Server) -> bool:
    """Say whether a database has tables in tablespaces of their own, on other disks perhaps."""
    return bool(server.ask(_SPREAD)[0][0])


def look(server: Server) -> Room:
    """Return the room where the server puts a new database.

    PostgreSQL tells nobody how full its disk is. So the answer is known only when the server runs
    on this machine: its process is found here, and the folder it works in is looked at.
    """
    pid, port, folder = server.ask(_PROCESS)[0]
    if not _is_here(int(pid), port):
        return Room(None, why="the server runs on another machine, or in a container")
    places = [Path(f"/proc/{pid}/cwd")]  # also when the folder has another name for it
    places += [Path(str(folder))] if folder else []
    for place in (inner for outer in places for inner in (outer / "base", outer)):
        try:
            found = os.statvfs(place)
        except OSError:
            continue
        return Room(found.f_bavail * found.f_frsize, str(folder or place.parent))
    return Room(None, why="the folder of the server's data may not be looked at")


def _is_here(pid: int, port: int | None) -> bool:
    """Say whether a process of this machine serves our connection; its title names our port."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return title.startswith(_TITLE) and (f"({port})" if port else "[local]") in title
