"""What this run applied, kept in its folder so that a kill at any instant loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gonogo import records
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan.destructive_tree import Fresh
from gonogo.plan.migrations import Migration, Script
from gonogo.plan.sqlread import read

NAME = "migrations.jsonl"


@dataclass(frozen=True, slots=True)
class Way:
    """A migration that this run began to apply, and the way back as it was at that time."""

    version: str
    title: str
    down: Script | None


class Record:
    """The records of one run about one database and one set of migrations."""

    def __init__(self, folder: Path, database: str, series: str) -> None:
        """Keep which database and which migrations are meant; nothing is read yet."""
        self._folder = folder
        self._database = database
        self._series = series

    def before(self, applied: Sequence[str], pending: Sequence[str]) -> None:
        """Keep what was there before this run changed anything; only the first time counts."""
        self._write("before", "", applied=list(applied), pending=list(pending))

    def begin(self, migration: Migration) -> None:
        """Keep that a migration is about to be applied, with its way back."""
        down = migration.down
        way = None if down is None else [down.path, down.text, down.in_transaction]
        self._write(
            "begin", migration.version, title=migration.title, down=way, up=migration.up.text
        )

    def applied(self, version: str, took_s: float) -> None:
        """Keep that a migration was applied, and in how many seconds."""
        self._write("applied", version, took_s=round(took_s, 3))

    def after(self, applied: Sequence[str]) -> None:
        """Keep what is there now."""
        self._write("after", SystemClock().now().isoformat(), applied=list(applied))

    def undone(self, version: str) -> None:
        """Keep that a migration of this run was taken back."""
        self._write("undone", f"{version} {SystemClock().now().isoformat()}", version=version)

    def begun(self) -> tuple[Way, ...]:
        """Return what this run began to apply, oldest first; also what it has taken back since."""
        return tuple(
            Way(
                str(found["version"]),
                str(found["title"]),
                Script(*found["down"]) if found.get("down") else None,
            )
            for found in self._read()
            if found.get("event") == "begin"
        )

    def has_others(self) -> bool:
        """Say whether this run began a migration elsewhere: another database or another tool."""
        return any(found.get("event") == "begin" for found in records.read(self._folder, NAME))

    def made_by(self, version: str) -> Fresh:
        """Return what a migration of this run has made: to take that away loses nothing old."""
        fresh = Fresh()
        for found in self._read():
            if found.get("event") == "begin" and found.get("version") == version:
                for statement in read(str(found.get("up") or "")).statements:
                    fresh.learn(statement)
        return fresh

    def was_there(self) -> frozenset[str]:
        """Return what was applied before this run changed anything."""
        first = next((f for f in self._read() if f.get("event") == "before"), None)
        return frozenset(map(str, first["applied"])) if first else frozenset()

    def done(self) -> frozenset[str]:
        """Return the versions that this run has seen applied."""
        return frozenset(
            str(found["version"]) for found in self._read() if found.get("event") == "applied"
        )

    def _read(self) -> tuple[records.Record, ...]:
        mine = (self._database, self._series)
        return tuple(
            found
            for found in records.read(self._folder, NAME)
            if (found.get("database"), found.get("series")) == mine
        )

    def _write(self, event: str, what: str, **more: object) -> None:
        body: dict[str, object] = {
            "id": f"{event} {self._database} {self._series} {what}",
            "event": event,
            "database": self._database,
            "series": self._series,
            "version": what,
            "at": SystemClock().now().isoformat(),
            **more,
        }
        try:
            records.append(self._folder, NAME, body)
        except OSError as error:
            raise WorkError(
                f"`{NAME}` cannot be written in the folder of the run: {error.strerror}",
                hint="without it nobody knows later what this run applied; make room on that disk",
            ) from error
