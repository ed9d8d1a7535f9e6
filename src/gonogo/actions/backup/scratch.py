"""A database of our own for one restore: made, marked as ours, and gone afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gonogo.actions.backup import manifest, sealing
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_STEM = "gonogo_scratch"
_LEFT = """
SELECT datname FROM pg_database
WHERE starts_with(datname, %s) AND starts_with(shobj_description(oid, 'pg_database'), %s)"""
_MARK = "made by gonogo for the attempt "
_PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}


def name_of(context: Context, stem: str) -> str:
    """Return the name of this attempt's database, the same after a restart."""
    digest = hashlib.sha256(str(context.folder.absolute()).encode()).hexdigest()[:16]
    return f"{stem[:40]}_{digest}"


def mark_of(context: Context) -> str:
    """Return the comment that tells this attempt's database from everybody else's."""
    return _MARK + sealing.attempt_of(context)


@contextmanager
def scratch(server: Server, context: Context, place: Mapping[str, Any]) -> Iterator[str]:
    """Make a database, give its name, and drop it whatever happens.

    Raises:
        WorkError: it cannot be made or dropped, or one of that name is not ours.
    """
    name = name_of(context, _STEM)
    for other in server.ask(_LEFT, (f"{_STEM}_", mark_of(context).rpartition("/")[0] + "/")):
        if other[0] != name:  # of an earlier attempt that could not drop it
            drop(server, str(other[0]), quietly=True)
    make(server, name, context, place)
    try:
        # Nobody needs it after a power cut, so no commit in it waits for the disk.
        server.setting(name, "", ("synchronous_commit", "off"), raw=False)
        yield name
    except BaseException:
        drop(server, name, quietly=True)
        raise
    drop(server, name)


def make(server: Server, name: str, context: Context, place: Mapping[str, Any]) -> None:
    """Make an empty database with the marks of this attempt; its own left-over is dropped first.

    Raises:
        WorkError: no right to make one, or one of that name is not ours.
    """
    note = context.folder / "scratch.json"
    noted = (manifest.load(note) or {}).get("name") == name
    found = server.ask(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
    )
    if found:
        mark = found[0][0]
        if mark != mark_of(context) and not (mark is None and noted):
            raise WorkError(
                f"there is a database `{name}` already, and it is not ours",
                hint="look at it, and rename or drop it",
            )
        drop(server, name)
    context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest.put(note, {"name": name})  # a kill between the next two leaves it without its mark
    server.create(name, _options(place))
    server.comment(name, mark_of(context))


def _options(place: Mapping[str, Any]) -> dict[str, str]:
    """Return encoding and locale for CREATE DATABASE."""
    options = {"TEMPLATE": "template0"}
    if not place:
        return options
    options |= {
        "ENCODING": str(place["encoding"]),
        "LC_COLLATE": str(place["datcollate"]),
        "LC_CTYPE": str(place["datctype"]),
    }
    kind = str(place.get("datlocprovider", ""))  # absent before PostgreSQL 15
    if kind == "c":
        options["LOCALE_PROVIDER"] = "libc"
    provider = _PROVIDERS.get(kind)
    if provider is not None:
        locale = place.get("datlocale") or place.get("daticulocale")
        options |= {"LOCALE_PROVIDER": provider[0], provider[1]: str(locale)}
    return options


def drop(server: Server, name: str, *, quietly: bool = False) -> None:
    """Drop a database of ours with all connections to it; `quietly`: another error matters more.

    Raises:
        WorkError: it could not be dropped; its name is in the message.
    """
    try:
        server.drop(name)
    except WorkError as error:
        if not quietly:
            message = f"the database `{name}` could not be dropped: {error.message}"
            raise WorkError(message, hint=f"drop it by hand: `DROP DATABASE {name}`") from error
