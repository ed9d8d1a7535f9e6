"""Carries out one restore test: find the backup, restore, compare, drop, and leave a record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gonogo import process, records
from gonogo.actions.backup import archive, feeding, finding, fitting, scratch, sealing, tools
from gonogo.actions.backup.feeding import Fed
from gonogo.actions.backup.finding import Found
from gonogo.actions.backup.fitting import Room
from gonogo.clock import SystemClock, stamp
from gonogo.databases import content
from gonogo.databases.content import Choice, Content
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_clock = SystemClock()
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be proved, as the block says it."""

    on: str
    backup: str
    source: str
    compare: tuple[str, ...]
    jobs: int
    tools: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a restore test has seen."""

    backup: Path
    restored: bool
    differences: tuple[str, ...] = ()
    tables: int = 0
    rows: int = 0
    fingerprints: int = 0
    against: str = "snapshot"
    restore_s: float = 0.0
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()
    failure: str = ""  # why it was not restored
    free: int | None = None  # bytes on the disk of the server; None: not known

    def problem(self) -> str:
        """Return in one sentence why this is no way back; empty when it is one."""
        if self.failure:
            return self.failure
        more = len(self.differences) - 1
        first = self.differences[0] if self.differences else ""
        return f"{first} (and {more} more)" if more > 0 else first


def prove(trial: Trial, context: Context) -> Proof:
    """Carry out the test; its outcome is recorded also when it could not be carried out.

    Raises:
        WorkError: it could not be tried: no connection, no right to make a database, no time.
    """
    deadline = Deadline(context)
    begun = _clock.monotonic()
    with Server(trial.source or trial.on, context, deadline) as source:
        identity = source.identity()
        found: Found | None = None
        why = "it could not be tried"
        passed = False
        try:
            found = _found(trial, identity, context)
            proof = _tried(trial, found, source, context, deadline)
            why = proof.problem()
            passed = not why
        except WorkError as error:
            why = error.message
            raise
        finally:
            at = stamp(_clock.now())
            record = {
                "id": f"restore test {sealing.attempt_of(context)} {at}",
                "database": identity,
                "backup": str(found.path) if found is not None else trial.backup,
                "passed": passed,
                "complete": found is None or _is_complete(found),
                "why": context.redact(why),
                "at": at,
                "duration_s": round(_clock.monotonic() - begun, 3),
            }
            records.append(context.run_folder, records.RESTORE_TESTS, record)
    return proof


def _is_complete(found: Found) -> bool:
    """Say whether all of the database is to be in it; without a manifest it is compared with it."""
    return found.manifest is None or found.manifest.complete


def _found(trial: Trial, identity: str, context: Context) -> Found:
    if trial.backup.strip() == finding.THIS_RUN:
        return finding.of_this_run(context, identity)
    found = finding.newest(trial.backup, context)
    if found is None:
        raise WorkError(f"there is no backup `{trial.backup}`", hint="correct `backup:`")
    return found


def _tried(
    trial: Trial, found: Found, source: Server, context: Context, deadline: Deadline
) -> Proof:
    begun = _clock.monotonic()
    for name in ("pg_restore", "psql"):
        process.end(context.folder / name, _GRACE_S)  # of an earlier life of this attempt
    failure = fitting.unfit(found, source)
    if not failure and found.manifest is None:
        name = archive.database_of(found, trial.tools, context, deadline)
        failure = fitting.of_another(name, source)
    if failure:
        return Proof(found.path, restored=False, failure=failure)
    with (
        ThreadPoolExecutor(1, thread_name_prefix="gonogo-sum") as pool,
        Server(trial.on, context, deadline) as server,
    ):
        changed = pool.submit(fitting.changed, found, deadline)  # read while the server prepares
        wanted = _wanted(trial, found, source, deadline)
        room = fitting.require_room(found, source, server)
        tool = tools.find(_program(found), trial.tools, context, server.version)
        place = found.manifest.place if found.manifest is not None else content.place(source)
        with scratch.scratch(server, context, place) as name:
            _schemas(found, trial.on, name, context, deadline)
            failure = changed.result()  # nothing of a changed one is carried out
            began = _clock.monotonic()
            fed = Fed(failure)
            if not failure:
                fed = _restored(trial, found, tool, name, context, deadline)
            took = round(_clock.monotonic() - began, 3)
            if fed.failure:
                return _refuted(found, fed.failure, room, took)
            got = _looked(trial, name, set(wanted.fingerprints), context, deadline)
    exact = found.manifest is not None
    return Proof(
        found.path,
        restored=True,
        differences=tuple(content.differences(wanted, got, exact=exact)),
        tables=len(wanted.rows),
        rows=sum(got.rows.values()),
        fingerprints=len(wanted.fingerprints),
        against="snapshot" if exact else "live",
        restore_s=took,
        duration_s=round(_clock.monotonic() - begun, 3),
        notes=tuple(_notes(found, wanted, got, room, fed.left_out)),
        free=room.free,
    )


def _looked(
    trial: Trial, name: str, named: set[str], context: Context, deadline: Deadline
) -> Content:
    """Read what is in the scratch database, over several connections when that is worth it."""
    with ExitStack() as stack:
        copy = stack.enter_context(Server(trial.on, context, deadline, name))
        beside = [
            stack.enter_context(Server(trial.on, context, deadline, name))
            for _ in range(content.helpers(copy, trial.jobs))
        ]
        return content.look(copy, deadline, Choice(), named, small=0, beside=beside)


def _refuted(found: Found, failure: str, room: Room, took: float) -> Proof:
    return Proof(
        found.path,
        restored=False,
        failure=failure,
        restore_s=took,
        notes=(room.note,),
        free=room.free,
    )


def _program(found: Found) -> str:
    return "psql" if found.form in fitting.TEXTS else "pg_restore"


def _wanted(trial: Trial, found: Found, source: Server, deadline: Deadline) -> Content:
    """Return what must be there: as counted with the dump, else as the source is now.

    Raises:
        WorkError: a table is to be compared by content and the backup has no fingerprint of it.
    """
    known = found.manifest
    if known is None:
        if trial.compare:
            raise WorkError(
                f"`{found.path.name}` has no manifest, so its content cannot be compared",
                hint="make it with `action: backup`, or leave `compare` out",
            )
        return content.look(source, deadline, Choice(), (), small=0)
    wanted = Content.of_json(known.content)
    for table in trial.compare:
        if content.full_name(source, table) not in wanted.fingerprints:
            raise WorkError(
                f"the backup has no fingerprint of `{table}`, which is large",
                hint=f"write `compare: {table}` at the step that makes the backup too",
            )
    return wanted


def _schemas(found: Found, on: str, name: str, context: Context, deadline: Deadline) -> None:
    """Make the schemas of chosen tables: pg_dump leaves them out of such a backup."""
    known = found.manifest
    chosen = {table.partition(".")[0] for table in known.tables} if known is not None else set()
    if not chosen - {"public"}:
        return
    with Server(on, context, deadline, name) as copy:
        for schema in sorted(chosen - {"public"}):
            copy.say("CREATE SCHEMA {}", schema)


def _restored(
    trial: Trial, found: Found, tool: tools.Tool, name: str, context: Context, deadline: Deadline
) -> Fed:
    """Restore into an empty database; say why that failed, or nothing."""
    parts = Server(trial.on, context, deadline, name).parts
    folder = context.folder / _program(found)
    if process.trace(folder) is not process.Trace.NEVER_STARTED:
        tools.forget(folder)  # the database of that one is gone
    if found.form in fitting.TEXTS:
        return feeding.feed(found, tool, parts, context, deadline)
    arguments = ["--exit-on-error", "--no-owner", "--no-privileges", "--no-subscriptions"]
    arguments += [f"--jobs={found.jobs(trial.jobs)}", str(found.path)]
    call = tools.Call(tool, arguments, parts, "the restore")
    outcome = tools.run(call, folder, context, deadline)
    if outcome.exit_code == 0:
        return Fed("")
    whole = archive.read(found, trial.tools, context, deadline)
    said = tools.failed(call, outcome, context)
    return Fed(whole.problem or "; ".join(part for part in (said.message, said.hint) if part))


def _notes(found: Found, wanted: Content, got: Content, room: Room, left_out: int) -> list[str]:
    notes = [room.note]
    if not _is_complete(found):
        notes.append("the backup holds chosen tables or schemas only: no way back for all of it")
    if left_out:
        notes.append(f"{left_out} statements on owners, rights and subscriptions were left out")
    notes += [f"left out by pg_dump, invalid: index {name}" for name in wanted.invalid]
    for name, version in wanted.extensions.items():
        there = got.extensions.get(name, version)
        if there != version:
            notes.append(f"extension {name} is {there} there, {version} at the source")
    if found.manifest is None:
        notes.append("no manifest: rows were not compared with what was dumped")
    return notes
