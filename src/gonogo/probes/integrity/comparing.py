"""Compares what was counted with the first look of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gonogo import records
from gonogo.clock import SystemClock, stamp
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context
from gonogo.probes.integrity.counting import WITHOUT, Counted, Seen

FIRST_LOOKS = "integrity.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """One table, now and at the first look."""

    table: str
    rows: int | None  # None: it is gone
    before: int | None  # None: it was not counted before
    is_new: bool  # it was not there at the first look, or this is the first
    changed: bool | None  # None: not asked for, or there is nothing to compare with
    mark: str

    @property
    def lost(self) -> int | None:
        """Return how many rows are gone; None when that cannot be said."""
        if self.before is None:
            return 0 if self.is_new else None
        return max(self.before - (self.rows or 0), 0)

    @property
    def gained(self) -> int:
        """Return how many rows have come."""
        if self.rows is None or (self.before is None and not self.is_new):
            return 0
        return max(self.rows - (self.before or 0), 0)

    def words(self) -> str:
        """Return in a sentence what is notable; nothing for a table that is as it was."""
        if self.rows is None:
            return f"{self.table}: gone, it had {self.before} rows"
        if self.before is None:
            return "" if self.is_new else f"{self.table}: was there, and was not counted before"
        if self.rows < self.before:
            return f"{self.table}: {self.rows} rows, {self.lost} fewer than before"
        if self.changed:
            why = f" ({self.mark})" if self.mark.startswith(WITHOUT) else ""
            return f"{self.table}: {self.rows} rows as before, with other content{why}"
        more = f", {self.gained} more than before" if self.gained else ""
        if self.mark and self.changed is None:
            return f"{self.table}: no fingerprint was made of it before"
        return f"{self.table}: {self.rows} rows{more}" if more else ""


@dataclass(frozen=True, slots=True)
class Compared:
    """All tables, and since when."""

    lines: Sequence[Line]
    is_first: bool
    since: str

    def lost(self) -> int | None:
        """Return the sum of what is gone; None when it cannot be said of every table."""
        each = [line.lost for line in self.lines]
        return None if None in each else sum(count or 0 for count in each)

    def gained(self) -> int:
        """Return the sum of what has come."""
        return sum(0 if self.is_first else line.gained for line in self.lines)

    def changed(self) -> int | None:
        """Return how many tables have other content; None when one cannot be compared."""
        each = [line for line in self.lines if line.mark]
        unknown = [x for x in each if x.changed is None and not x.is_new and x.before == x.rows]
        return None if unknown else sum(bool(line.changed) for line in each)


class Memory:
    """The looks of earlier steps of this run at the same database."""

    def __init__(self, context: Context) -> None:
        """Remember where they are."""
        self._folder = context.run_folder
        self._me = "/".join(context.folder.absolute().parts[-4:])
        self._first: dict[str, Mapping[str, Any]] = {}
        self._there: list[str] = []
        self._since = ""

    def load(self, database: str) -> None:
        """Read them; what an earlier life of this very attempt has seen does not count."""
        for record in records.read(self._folder, FIRST_LOOKS):
            if record.get("database") != database or record.get("id") == self._me:
                continue
            self._since = self._since or str(record["at"])
            self._there = self._there or list(record["there"])
            for table, found in record["tables"].items():
                known = self._first.get(table)
                if known is None or (found["mark"] and not known["mark"]):
                    self._first[table] = {**found, **({"rows": known["rows"]} if known else {})}

    def known(self) -> Sequence[str]:
        """Return the tables that were counted."""
        return tuple(self._first)

    def columns(self, table: str) -> Sequence[str]:
        """Return the columns that the fingerprint of a table was made of."""
        found = self._first.get(table)
        return tuple(found["columns"]) if found is not None else ()

    def compare(self, seen: Seen) -> Compared:
        """Compare, and keep what is seen for the first time.

        Raises:
            WorkError: it cannot be kept.
        """
        lines = [self._line(name, seen.counted.get(name)) for name in seen.wanted]
        is_first = not self._since
        fresh = {
            name: {"rows": one.rows, "mark": one.mark, "columns": list(one.columns)}
            for name, one in seen.counted.items()
            if name not in self._first or (one.mark and not self._first[name]["mark"])
        }
        if fresh or is_first:
            self._keep(seen, fresh)
        return Compared(lines, is_first, self._since)

    def _line(self, name: str, now: Counted | None) -> Line:
        first = self._first.get(name)
        is_new = not self._since or name not in self._there
        before = None if first is None else int(first["rows"])
        mark = now.mark if now is not None else ""
        changed = None
        if now is not None and first is not None and mark and first["mark"]:
            changed = now.mark != first["mark"] and now.rows == before
        return Line(name, None if now is None else now.rows, before, is_new, changed, mark)

    def _keep(self, seen: Seen, fresh: Mapping[str, Any]) -> None:
        record = {
            "id": self._me,
            "database": seen.database,
            "at": stamp(SystemClock().now()),
            "there": list(seen.there),
            "tables": fresh,
        }
        try:
            records.append(self._folder, FIRST_LOOKS, record)
        except OSError as error:
            raise WorkError(
                f"the look cannot be kept for later steps: {error.strerror or error}",
                hint="make room on the disk of the runs",
            ) from error
