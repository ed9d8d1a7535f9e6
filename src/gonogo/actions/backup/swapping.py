"""Exchanges a live database for a restored one in one transaction; the old one is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gonogo import process
from gonogo.actions.backup import scratch, tools
from gonogo.actions.backup.finding import Found
from gonogo.databases import content
from gonogo.databases.content import Choice, Content
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_MAINTENANCE = ("postgres", "template1")
_GRACE_S = 5.0
_BUSY = "55006"  # object in use: somebody has connected between the two statements
_LISTS = frozenset(
    ("search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries")
)
_MAY = """
SELECT (r.rolsuper OR r.rolcreatedb) AND pg_has_role(d.datdba, 'USAGE')
FROM pg_roles r, pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()"""
_SETTINGS = """
SELECT coalesce(r.rolname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c
WHERE d.datname = %s ORDER BY 1, 2"""
_COMMENT = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
_RIGHTS = """
SELECT coalesce(r.rolname, ''), a.privilege_type, a.is_grantable
FROM pg_database d, aclexplode(d.datacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = %s"""


@dataclass(frozen=True, slots=True)
class Swap:
    """What is exchanged: the database `name` behind the target `on`, for a backup."""

    on: str
    name: str
    found: Found
    jobs: int
    tools: str


def may(server: Server) -> bool:
    """Say whether the user may make databases and owns this one."""
    return bool(server.ask(_MAY)[0][0])


def old_name(name: str, context: Context) -> str:
    """Return what the replaced database is called after this attempt."""
    return scratch.name_of(context, f"{name}_before")


def is_done(server: Server, context: Context) -> bool:
    """Say whether an earlier life of this attempt has exchanged the names."""
    found = server.ask(
        "SELECT 1 FROM pg_database WHERE datname = %s AND shobj_description(oid, 'pg_database')"
        " = %s",
        (old_name(server.database, context), scratch.mark_of(context)),
    )
    return bool(found)


def swap(order: Swap, place: Mapping[str, Any], context: Context, deadline: Deadline) -> str:
    """Restore beside the live database, compare, exchange the names; return the old one's name.

    Raises:
        WorkError: it failed; the live database is unchanged and nothing is left beside it.
    """
    process.end(context.folder / "pg_restore", _GRACE_S)  # of an earlier life
    fresh = scratch.name_of(context, f"{order.name}_new")
    with _maintenance(order.on, order.name, context, deadline) as server:
        scratch.make(server, fresh, context, place)
        try:
            _filled(order, fresh, server.version, context, deadline)
            _exchange(server, order.name, fresh, context, deadline)
        except BaseException:
            scratch.drop(server, fresh, quietly=True)
            raise
    return old_name(order.name, context)


def _maintenance(on: str, live: str, context: Context, deadline: Deadline) -> Server:
    """Return a connection to another database of the server: one in use cannot be renamed."""
    problem: WorkError | None = None
    for name in _MAINTENANCE:
        server = Server(on, context, deadline, name)
        if name == live:
            continue
        try:
            with Server(on, context, deadline, name):
                return server
        except WorkError as error:
            problem = error
    assert problem is not None
    raise problem


def _filled(order: Swap, fresh: str, version: int, context: Context, deadline: Deadline) -> None:
    """Restore into the fresh database and compare it with what was counted with the dump."""
    tool = tools.find("pg_restore", order.tools, context, version)
    parts = Server(order.on, context, deadline, fresh).parts
    arguments = ["--exit-on-error", f"--jobs={order.found.jobs(order.jobs)}", str(order.found.path)]
    call = tools.Call(tool, arguments, parts, "the restore")
    tools.forget(context.folder / "pg_restore")
    outcome = tools.run(call, context.folder / "pg_restore", context, deadline)
    if outcome.exit_code != 0:
        raise tools.failed(call, outcome, context)
    known = order.found.manifest
    if known is None:
        return
    wanted = Content.of_json(known.content)
    with Server(order.on, context, deadline, fresh) as copy:
        got = content.look(copy, deadline, Choice(), set(wanted.fingerprints), small=0)
    differing = content.differences(wanted, got)
    if differing:
        raise WorkError(
            f"the backup is not what was dumped: {differing[0]}",
            hint="the live database is unchanged; take an older backup",
            failed=True,
        )


def _exchange(server: Server, name: str, fresh: str, context: Context, deadline: Deadline) -> None:
    """Give the fresh database the settings, the rights and the name of the live one."""
    comment = server.ask(_COMMENT, (name,))[0][0]
    while True:
        deadline.refuse("the databases were not exchanged", failed=True)
        server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname IN (%s, %s) AND pid <> pg_backend_pid()",
            (name, fresh),
        )
        server.ask("BEGIN")
        try:
            server.say("ALTER DATABASE {} RENAME TO {}", name, old_name(name, context))
            _inherit(server, old_name(name, context), fresh)
            server.say("ALTER DATABASE {} RENAME TO {}", fresh, name)
            server.comment(old_name(name, context), scratch.mark_of(context))
            server.comment(name, comment)
        except WorkError as error:
            server.ask("ROLLBACK")
            if _BUSY not in error.message:
                raise
        else:
            server.ask("COMMIT")
            return


def _inherit(server: Server, old: str, fresh: str) -> None:
    """Copy what belongs to a database and is in no dump of it: owner, rights, settings."""
    owner = server.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", (old,))
    server.say("ALTER DATABASE {} OWNER TO {}", fresh, str(owner[0][0]))
    rights = server.ask(_RIGHTS, (old,))
    if rights:
        server.say("REVOKE ALL ON DATABASE {} FROM PUBLIC", fresh)
    for role, right, grantable in rights:
        server.grant(fresh, str(right), str(role), option=bool(grantable))
    for role, setting, value in server.ask(_SETTINGS, (old,)):
        server.setting(fresh, str(role), (str(setting), str(value)), raw=setting in _LISTS)
