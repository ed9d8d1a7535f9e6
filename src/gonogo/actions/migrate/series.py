"""The migrations of one tool in one database: what is applied, what is pending, and both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from gonogo.actions.migrate.database import Database
from gonogo.actions.migrate.files import usable
from gonogo.actions.migrate.ledger import Ledger
from gonogo.actions.migrate.record import Record, Way
from gonogo.actions.migrate.sending import Order, send
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.plan.migrations import Migration, keys, order, split_pending
from gonogo.plan.sqlrisks import needs_no_transaction

_clock = SystemClock()
_LOCK = 7_330_017_261  # one migration of gonogo at a time in a database
_STEP = "SELECT pg_sleep(0.2)"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a block says about its migrations."""

    on: str
    tool: str
    folder: str
    table: str
    lock_timeout_s: float
    command: str
    app: str
    to: str = ""  # the newest to apply; empty: all

    @property
    def series(self) -> str:
        """Return the name under which this run keeps its records of them."""
        return f"{self.tool} {self.table if self.tool == 'folder' else self.app}".rstrip()


@dataclass(frozen=True, slots=True)
class State:
    """What is applied and pending, as titles, oldest first."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    unknown: tuple[str, ...] = ()  # applied, and nobody knows the file
    changed: tuple[str, ...] = ()  # applied, and the file is not the same any more


class Series(Protocol):
    """The migrations of one tool; adapters for tools with commands of their own have it too."""

    def state(self) -> State:
        """Return what is applied and pending; changes nothing."""
        ...

    def pending(self) -> tuple[Migration, ...]:
        """Return what is pending, with its text where the tool has one."""
        ...

    def up(self, record: Record) -> None:
        """Apply all that is pending; each is in the record before it begins."""
        ...

    def back(self, way: Way, record: Record) -> None:
        """Take back one migration, the newest of those that this run applied."""
        ...

    def applied_of(self, ways: Sequence[Way]) -> tuple[Way, ...]:
        """Return those of the migrations that the database has now."""
        ...


class Folder:
    """Plain SQL files, sent by gonogo itself."""

    def __init__(self, database: Database, settings: Settings, context: Context) -> None:
        """Look at the table; the folder is read when it is needed (going back needs none)."""
        self._database = database
        self._settings = settings
        self._context = context
        self._ledger = Ledger(database, settings.table)

    def _files(self) -> tuple[Migration, ...]:
        return usable(folder_of(self._settings, self._context))

    def state(self) -> State:
        """Return what is applied and pending."""
        files = self._files()
        there = self._ledger.applied()
        pending, unknown = split_pending(files, there)
        title = {key: item.title for item in files for key in keys(item)}
        return State(
            tuple(title.get(version, version) for version in there),
            tuple(item.title for item in pending),
            unknown,
            self._ledger.changed(files),
        )

    def pending(self) -> tuple[Migration, ...]:
        """Return what is pending, as far as the block wants to go, with its text.

        Raises:
            WorkError: the folder has no migration of the name under `to`.
        """
        files, to = self._files(), self._settings.to
        last = next((item for item in files if to in keys(item)), None)
        if to and last is None:
            names = ", ".join(f"`{item.title}`" for item in files[-3:])
            raise WorkError(
                f"there is no migration `{to}`, the newest are {names}",
                hint="look at `to:`; nothing was applied",
            )
        waiting = split_pending(files, self._ledger.applied())[0]
        return tuple(m for m in waiting if last is None or order(m.version) <= order(last.version))

    def up(self, record: Record) -> None:
        """Apply what is pending, each in a transaction with its row.

        Raises:
            WorkError: one failed; those before it stay applied.
        """
        with self._alone():
            self._ledger.make()
            for migration in self.pending():
                _refuse_half_done(migration, record)
                record.begin(migration)
                self._say(f"up {migration.title}")
                order = Order(migration.title, migration.up, self._settings.lock_timeout_s)
                release = self._context.run_folder.name
                took = send(self._database, order, partial(self._ledger.add, migration, release))
                record.applied(migration.version, took)

    def back(self, way: Way, record: Record) -> None:
        """Take back one migration by the way back that was recorded when it was applied.

        Raises:
            WorkError: it has none, or it failed.
        """
        if way.down is None:
            raise WorkError(
                f"`{way.title}` has no way back: it was applied without a down file",
                hint="restore the backup, or mend the schema by hand",
                failed=True,
            )
        with self._alone():
            self._say(f"down {way.title}")
            version = self._as_written(way)
            order = Order(way.title, way.down, self._settings.lock_timeout_s)
            send(self._database, order, partial(self._ledger.remove, version))
            record.undone(way.version)

    def applied_of(self, ways: Sequence[Way]) -> tuple[Way, ...]:
        """Return those of the migrations that the table has now."""
        there = self._ledger.applied()
        return tuple(way for way in ways if self._as_written(way) in there)

    def _as_written(self, way: Way) -> str:
        forms = {way.version, way.title, way.version.lstrip("0") or "0"}
        return next((v for v in self._ledger.applied() if v in forms), way.version)

    def _say(self, words: str) -> None:
        self._context.on_output("stdout", f"{words}\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other migrations out; one of our own dead process ends within seconds.

        Raises:
            WorkError: another one is under way, and does not end in time.
        """
        until = _clock.monotonic() + max(self._settings.lock_timeout_s, 1.0) + 2.0
        while not self._database.rows(f"SELECT pg_try_advisory_lock({_LOCK})")[0][0]:
            if _clock.monotonic() > until or self._context.should_stop():
                raise WorkError(
                    f"another migration is under way in this database: {self._other()}",
                    hint="wait until it has ended",
                )
            self._database.rows(_STEP)
        try:
            yield
        finally:
            if not self._database.connection.closed:
                self._database.rows(f"SELECT pg_advisory_unlock({_LOCK})")

    def _other(self) -> str:
        found = self._database.rows(
            "SELECT a.pid, a.usename, a.application_name FROM pg_locks l JOIN pg_stat_activity a"
            " USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s"
            " AND l.objid = %s AND l.database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())",
            (_LOCK >> 32, _LOCK & 0xFFFFFFFF),
        )
        return f"pid {found[0][0]} ({found[0][1]}, {found[0][2]})" if found else "it has just ended"


def _refuse_half_done(migration: Migration, record: Record) -> None:
    """Refuse to repeat what this run began without a transaction and did not finish.

    Raises:
        WorkError: nobody knows how much of it is done.
    """
    text = migration.up
    if text.in_transaction and not needs_no_transaction(text.text):
        return
    begun = {way.version for way in record.begun()}
    if migration.version in begun and migration.version not in record.done():
        raise WorkError(
            f"`{migration.title}` was begun without a transaction by this run and did not end",
            hint="look at what it has done (an index may be invalid), finish or undo it by hand, "
            "then write its row or take it out of the folder",
            failed=True,
        )


def folder_of(settings: Settings, context: Context) -> Path:
    """Return the folder of the migrations."""
    usual = "migrations" if settings.tool == "folder" else "."
    return context.cwd / filling.fill(settings.folder or usual, context)
