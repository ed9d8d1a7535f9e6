"""Carries out one restore; whatever is replaced is kept until a person lets it go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gonogo import process
from gonogo.actions.backup import (
    cache,
    dumping,
    manifest,
    sealing,
    stakes,
    swapping,
    tools,
)
from gonogo.actions.backup.finding import Found
from gonogo.actions.backup.sealing import Order
from gonogo.actions.backup.stakes import Wish
from gonogo.databases import content
from gonogo.databases.content import Choice, Content
from gonogo.databases.deadline import Deadline
from gonogo.databases.redis import SCHEMES
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context


@dataclass(frozen=True, slots=True)
class Returned:
    """A restore that is done."""

    backup: Path
    way: str
    kept: str
    tables: int
    rows: int | None
    duration_s: float
    notes: tuple[str, ...] = ()


def go_back(wish: Wish, context: Context) -> Returned:
    """Restore, or finish what an earlier life of this attempt has begun.

    Raises:
        WorkError: it was refused, or failed; then what was there is there unchanged.
    """
    deadline = Deadline(context)
    at = sealing.began(context)
    if filling.target(wish.on, context).startswith(SCHEMES):
        return _keys(wish, context, deadline, at)
    with Server(wish.on, context, deadline) as server:
        found = _found(wish, server.identity(), context)
        if swapping.is_done(server, context):
            kept = swapping.old_name(server.database, context)
            return _returned(found, "swap", f"database {kept}", server, deadline, at)
        way = _way(wish, found, server, context)
        if way != "swap":
            kept = _before(wish, context, deadline) if way == "in place" else ""
            _in_place(wish, found, server, context, deadline, clean=way == "in place")
            return _returned(found, way, kept, server, deadline, at)
        place = content.place(server)
        name = server.database
    kept = swapping.swap(_swap(wish, found, name), place, context, deadline)
    with Server(wish.on, context, deadline) as server:
        return _returned(found, "swap", f"database {kept}", server, deadline, at)


def _swap(wish: Wish, found: Found, name: str) -> swapping.Swap:
    return swapping.Swap(wish.on, name, found, wish.jobs, wish.tools)


def _found(wish: Wish, identity: str, context: Context) -> Found:
    """Return the backup that was confirmed; where nobody was asked, the one that is meant."""
    return stakes.confirmed(wish, context) or stakes.meant(wish, identity, context)


def _way(wish: Wish, found: Found, server: Server, context: Context) -> str:
    """Settle how to restore, and refuse what cannot be meant; nothing has been touched so far."""
    going_on = manifest.load(context.folder / "way.json")
    if going_on is not None:
        return str(going_on["way"])
    _refuse_unfit(wish, found, context)
    known = found.manifest
    tables = content.count_objects(server)
    if not tables:
        way = "empty"
    elif not wish.replace:
        raise WorkError(
            f"database `{server.database}` is not empty: {tables} tables and other objects",
            hint="restore into an empty database, or write `replace: yes` to replace this one",
        )
    else:
        stakes.refuse_stranger(wish, found, server.database, context)
        may_swap = swapping.may(server)
        if wish.way == "swap" and not may_swap:
            raise WorkError(
                "the user may not exchange databases: it needs CREATEDB and must own this one",
                hint="grant both, or write `way: in place`",
            )
        way = "swap" if may_swap and wish.way != "in place" else "in place"
    if known is not None and not known.complete and way == "swap":
        way = "in place"  # a part of a database cannot take the place of all of it
    manifest.put(context.folder / "way.json", {"way": way})
    return way


def _refuse_unfit(wish: Wish, found: Found, context: Context) -> None:
    deadline = Deadline(context)
    stakes.refuse_form(wish, found, context)
    known = found.manifest
    if known is not None and manifest.checksum(found.path, deadline.refuse) != known.sha256:
        raise WorkError(
            f"`{found.path.name}` is cut off or was changed: its checksum is not that of its "
            "manifest",
            hint="take an older backup",
        )


def _before(wish: Wish, context: Context, deadline: Deadline) -> str:
    """Dump what is about to be replaced into the run's own folder; done once per attempt."""
    folder = context.folder / "before"
    name = f"before-{context.folder.parent.name}-{context.folder.name}.dump"
    order = Order(
        on=wish.on,
        to=str(context.run_folder.absolute() / name),
        format="custom",
        jobs=1,
        keep=0,
        tools=wish.tools,
        record=False,
    )
    inner = replace(context, folder=folder)
    return str(dumping.dump(order, inner, deadline).path)


def _in_place(
    wish: Wish,
    found: Found,
    server: Server,
    context: Context,
    deadline: Deadline,
    *,
    clean: bool,
) -> None:
    """Restore in one transaction: after a kill of anybody all of it is done, or nothing."""
    tool = tools.find("pg_restore", wish.tools, context, server.version)
    arguments = ["--exit-on-error", "--single-transaction"]
    arguments += ["--clean", "--if-exists"] if clean else []
    call = tools.Call(tool, [*arguments, str(found.path)], server.parts, "the restore")
    folder = context.folder / "pg_restore"
    if process.trace(folder) is process.Trace.LOST:
        tools.forget(folder)
    outcome = tools.run(call, folder, context, deadline)
    if outcome.exit_code != 0:
        raise tools.failed(call, outcome, context)


def _returned(
    found: Found, way: str, kept: str, server: Server, deadline: Deadline, at: str
) -> Returned:
    """Compare what is there now with what was counted with the dump.

    Raises:
        WorkError: something is not there as it was.
    """
    wanted = Content.of_json(found.manifest.content) if found.manifest is not None else None
    named = set(wanted.fingerprints) if wanted is not None else set()
    with server.snapshot():
        got = content.look(server, deadline, Choice(), named, small=0)
    if wanted is not None and way != "swap":  # a swap has compared before it exchanged the names
        differing = content.differences(wanted, got)
        if differing:
            raise WorkError(
                f"restored, but {differing[0]}"
                + (f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""),
                hint=f"what was there before is kept as {kept}" if kept else "",
                failed=True,
            )
    extra = sorted(set(got.rows) - set(wanted.rows)) if wanted is not None else []
    notes = tuple(f"table {name} is not in the backup and was left as it is" for name in extra)
    rows = sum(got.rows.values())
    return Returned(found.path, way, kept, len(got.rows), rows, sealing.since(at), notes)


def _keys(wish: Wish, context: Context, deadline: Deadline, at: str) -> Returned:
    series = cache.series(wish.on, context, deadline)
    found = _found(wish, series, context)
    stakes.refuse_form(wish, found, context)
    if wish.replace:
        stakes.refuse_stranger(wish, found, series, context)
    kept = ""
    if wish.replace:
        name = f"before-{context.folder.parent.name}-{context.folder.name}.keys"
        path = str(context.run_folder.absolute() / name)
        order = Order(wish.on, path, "custom", 1, 0, "", record=False)
        inner = replace(context, folder=context.folder / "before")
        kept = str(cache.save(order, inner, deadline).path)
    count = cache.put_back(found.path, wish.on, context, deadline, replace=wish.replace)
    return Returned(found.path, "keys", kept, count, None, sealing.since(at))
