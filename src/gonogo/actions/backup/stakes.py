"""Says before a restore over live data which backup takes the place of what, and refuses others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gonogo import records
from gonogo.actions.backup import archive, cache, finding, manifest, target, telling
from gonogo.actions.backup.finding import Form, Found
from gonogo.clock import SystemClock, moment, stamp
from gonogo.databases import content, postgres
from gonogo.databases.deadline import Deadline
from gonogo.databases.redis import SCHEMES
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

_CONFIRMED = "confirmed.jsonl"
_clock = SystemClock()
_UNITS = ((86400, "days"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be restored, as the block says it."""

    on: str
    backup: str
    way: str
    jobs: int
    tools: str
    replace: bool
    source: str = ""  # the target that the backup is of, when that is not `on`


def meant(wish: Wish, identity: str, context: Context) -> Found:
    """Return the backup that the block names: that of this run, or the newest of a pattern.

    Raises:
        WorkError: there is none.
    """
    if wish.backup.strip() == finding.THIS_RUN:
        return finding.of_this_run(context, identity)
    found = finding.newest(wish.backup, context)
    if found is None:
        raise WorkError(f"there is no backup `{wish.backup}`", hint="correct `backup:`")
    return found


def confirmed(wish: Wish, context: Context) -> Found | None:
    """Return the backup that a person has seen when asked; a newer one does not take its place.

    Raises:
        WorkError: it is gone.
    """
    if not wish.replace:
        return None
    record = records.last(context.run_folder, _CONFIRMED, _key(wish))
    if record is None:
        return None
    path = Path(record["backup"])
    if not path.exists():
        raise WorkError(
            f"the backup that was confirmed is gone: `{path}`", hint="who has removed it?"
        )
    return finding.describe(path)


def at_stake(wish: Wish, context: Context) -> str:
    """Return which backup it is, its age and database, and what it takes the place of.

    Raises:
        WorkError: it would be refused.
    """
    deadline = Deadline(context)
    is_cache = filling.target(wish.on, context).startswith(SCHEMES)
    try:
        seen = _cache(wish, context, deadline) if is_cache else _database(wish, context, deadline)
    except WorkError as error:  # whether it can be reached is seen again when it is restored
        place = f"database `{filling.shown(wish.on)}` cannot be looked at: {error.message}"
        seen = _Live("", "", place)
    if wish.backup.strip() == finding.THIS_RUN and not seen.identity:
        return f"backup: the one that this run has made\nreplaced: {seen.said}"
    found = meant(wish, seen.identity, context)
    of = refuse_stranger(wish, found, seen.name, context)
    record = {
        "id": f"{_key(wish)} {stamp(_clock.now())}",
        "database": _key(wish),
        "backup": str(found.path),
    }
    records.append(context.run_folder, _CONFIRMED, record)
    return "\n".join((_described(found, of), f"replaced: {seen.said}", *_warnings(found, seen)))


def refuse_stranger(wish: Wish, found: Found, name: str, context: Context) -> str:
    """Refuse a backup of another database than the one it would replace; return of which it is.

    `name` is that of the live database, or of the cache; empty: it is not known now.

    Raises:
        WorkError: it is of another one, or does not say of which, and `source` does not name it.
    """
    refuse_form(wish, found, context)
    if found.form is Form.KEYS:
        of = found.manifest.name if found.manifest is not None else ""
        if not of:
            return of  # keys without a manifest do not say where they come from
    else:
        read = archive.read(found, wish.tools, context, Deadline(context), whole=False)
        if read.problem:
            raise WorkError(
                f"`{found.path.name}` cannot be restored: {read.problem}",
                hint="take an older backup",
                failed=True,
            )
        of = read.database
    expected = _expected(wish, context) or name
    if expected and of != expected:
        what = f"is of database `{of}`" if of else "does not say of which database it is"
        raise WorkError(
            f"the backup {what}, expected `{expected}`: `{found.path}`",
            hint="name the right backup; where another database shall take this one's place, "
            "name the target that the backup is of: `source:`",
        )
    return of


def refuse_form(wish: Wish, found: Found, context: Context) -> None:
    """Refuse what pg_restore cannot read, and for a cache what holds no keys.

    Raises:
        WorkError: it is something else.
    """
    if filling.target(wish.on, context).startswith(SCHEMES):
        if found.form is not Form.KEYS:
            message = f"`{found.path.name}` holds no keys of a cache"
            raise WorkError(message, hint="correct `backup:`")
    elif found.form not in finding.ARCHIVES:
        is_text = found.form in (Form.PLAIN, Form.PACKED)
        raise WorkError(
            f"`{found.path.name}` cannot be restored here: {telling.words_for(found)}",
            hint="restore SQL text with psql in a bash block" if is_text else "correct `backup:`",
        )


def _expected(wish: Wish, context: Context) -> str:
    """Return the name of the database under `source`; it need not be reached for that."""
    if not wish.source.strip():
        return ""
    text = filling.target(wish.source, context)
    if text.startswith(SCHEMES):
        return cache.series(wish.source, context, Deadline(context))
    parts = postgres.Address.read(text, filling.shown(wish.source)).parts
    return str(parts.get("dbname") or parts.get("user") or "")


@dataclass(frozen=True, slots=True)
class _Live:
    """What is there now: what tells it from others, its name, and how it is said."""

    identity: str
    name: str
    said: str


def _database(wish: Wish, context: Context, deadline: Deadline) -> _Live:
    with Server(wish.on, context, deadline) as server:
        count = content.count_objects(server)
        where = server.address.where
        said = f"database `{server.database}` at `{where}`, tables and other objects: {count}"
        return _Live(server.identity(), server.database, said)


def _cache(wish: Wish, context: Context, deadline: Deadline) -> _Live:
    name = cache.series(wish.on, context, deadline)
    return _Live(name, name, f"all keys of `{name}`")


def _described(found: Found, of: str) -> str:
    known = found.manifest
    begun = moment(known.started).timestamp() if known else found.path.stat().st_mtime
    age = _age(max(_clock.now().timestamp() - begun, 0.0))
    size = target.shown(manifest.size_of(found.path))
    what = "cache" if found.form is Form.KEYS else "database"
    return f"backup: `{found.path}`, of {what} `{of or 'not known'}`, {age} old, {size}"


def _warnings(found: Found, seen: _Live) -> list[str]:
    known = found.manifest
    if known is None:
        return ["it has no manifest: what comes back cannot be compared with what was dumped"]
    lines = []
    if seen.identity and known.database != seen.identity:
        lines.append("it was made on another server, or of another database")
    if not known.complete:
        lines.append("it holds chosen tables or schemas only")
    return lines


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _key(wish: Wish) -> str:
    return f"restore {wish.backup.strip()} over {wish.on.strip()}"
