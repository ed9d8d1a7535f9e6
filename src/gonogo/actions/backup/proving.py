"""Carries out one restore test: find the backup, restore, compare, drop, and leave a record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gonogo import process, records
from gonogo.actions.backup import archive, finding, manifest, scratch, sealing, tools
from gonogo.actions.backup.finding import Form, Found
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
                "why": context.redact(why),
                "at": at,
                "duration_s": round(_clock.monotonic() - begun, 3),
            }
            records.append(context.run_folder, records.RESTORE_TESTS, record)
    return proof


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
    process.end(context.folder / "pg_restore", _GRACE_S)  # of an earlier life of this attempt
    failure = _unfit(found, source, deadline)
    if failure:
        return Proof(found.path, restored=False, failure=failure)
    wanted = _wanted(trial, found, source, deadline)
    with Server(trial.on, context, deadline) as server:
        tool = tools.find("pg_restore", trial.tools, context, server.version)
        place = found.manifest.place if found.manifest is not None else content.place(source)
        with scratch.scratch(server, context, place) as name:
            _schemas(found, trial.on, name, context, deadline)
            began = _clock.monotonic()
            failure = _restored(trial, found, tool, name, context, deadline)
            took = round(_clock.monotonic() - began, 3)
            if failure:
                return Proof(found.path, restored=False, failure=failure, restore_s=took)
            with Server(trial.on, context, deadline, name) as copy:
                got = content.look(copy, deadline, Choice(), set(wanted.fingerprints), small=0)
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
        notes=tuple(_notes(wanted, got, exact=exact)),
    )


def _unfit(found: Found, source: Server, deadline: Deadline) -> str:
    """Say why a backup cannot be the way back, before anything is made."""
    if found.form not in (Form.DUMP, Form.FOLDER):
        return f"it is no archive of pg_dump that can be restored for a test ({found.form.value})"
    known = found.manifest
    if known is None:
        return ""
    if known.database != source.identity():
        return f"it is of another database: `{known.name}`, expected `{source.database}`"
    if manifest.size_of(found.path) < known.size:
        return f"it is cut off: {manifest.size_of(found.path)} B, expected {known.size} B"
    if manifest.checksum(found.path, deadline.refuse) != known.sha256:
        return "it was changed since it was made: its checksum is not that of its manifest"
    return ""


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
) -> str:
    """Restore into an empty database; return why that failed, or nothing."""
    arguments = ["--exit-on-error", "--no-owner", "--no-privileges", "--no-subscriptions"]
    arguments += [f"--jobs={trial.jobs}", str(found.path)]
    parts = Server(trial.on, context, deadline, name).parts
    call = tools.Call(tool, arguments, parts, "the restore")
    folder = context.folder / "pg_restore"
    if process.trace(folder) is not process.Trace.NEVER_STARTED:
        tools.forget(folder)  # the database of that one is gone
    outcome = tools.run(call, folder, context, deadline)
    if outcome.exit_code == 0:
        return ""
    whole = archive.read(found, trial.tools, context, deadline)
    said = tools.failed(call, outcome, context)
    return whole.problem or "; ".join(part for part in (said.message, said.hint) if part)


def _notes(wanted: Content, got: Content, *, exact: bool) -> list[str]:
    notes = [f"left out by pg_dump, invalid: index {name}" for name in wanted.invalid]
    for name, version in wanted.extensions.items():
        found = got.extensions.get(name, version)
        if found != version:
            notes.append(f"extension {name} is {found} there, {version} at the source")
    if not exact:
        notes.append("no manifest: rows were not compared with what was dumped")
    return notes
