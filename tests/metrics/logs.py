"""A log as a server writes it, with everything that rotation does to its files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from tests.support.kinds import a_context

from gonogo.metrics.log import BUDGET, LogReader
from gonogo.plan.model import Metric
from gonogo.plan.samples import Batch
from gonogo.plan.sources import Source
from gonogo.plan.sources_read import read_metric
from gonogo.source import Span

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
TARGETS = ("app", "db", "cache", "prom")


def a_source(fields: Mapping[str, object], targets: tuple[str, ...] = TARGETS) -> Source:
    """Return the source of a metric, which must have no mistake."""
    source, diagnostics = read_metric(Metric("figure", fields, Span.of_line(1)), targets)
    assert source is not None, diagnostics
    return source


class Log:
    """A log file and its writer; each line has a number of its own as its value."""

    def __init__(self, folder: Path, name: str = "access.jsonl") -> None:
        self.path = folder / name
        self.written: list[int] = []
        self._half = ""
        self._next = 0
        self.readers: list[LogReader] = []
        self._out: IO[str] = self.path.open("a", encoding="utf-8")

    def line(self, number: int) -> str:
        at = START + timedelta(seconds=number)
        return json.dumps({"time": at.isoformat(), "n": number, "pad": "x" * (number % 7 * 30)})

    def append(self, count: int) -> None:
        for _ in range(count):
            self.finish()
            self._out.write(self.line(self._next) + "\n")
            self.written.append(self._next)
            self._next += 1
        self._out.flush()

    def half(self) -> None:
        """Write the first half of a line; the next thing that is written is the rest."""
        if not self._half:
            text = self.line(self._next)
            self._half = text[len(text) // 2 :]
            self._out.write(text[: len(text) // 2])
            self._out.flush()

    def finish(self) -> None:
        if self._half:
            self._out.write(self._half + "\n")
            self._out.flush()
            self._half = ""
            self.written.append(self._next)
            self._next += 1

    def shift(self) -> None:
        """Move `.1` to `.2` and so on."""
        numbers = [n for n in range(1, 60) if self._numbered(n).exists()]
        for number in reversed(numbers):
            self._numbered(number).rename(self._numbered(number + 1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def rename(self) -> None:
        """Rotate; the writer goes on in the old file until it opens the log anew."""
        if self.path.exists():
            self.shift()
            self.path.rename(self._numbered(1))

    def reopen(self) -> None:
        self.finish()
        self._out.close()
        self._out = self.path.open("a", encoding="utf-8")

    def rotate(self) -> None:
        """Rotate as logrotate does, with a server that opens its log anew at once."""
        self.rename()
        self.reopen()

    def copy_and_cut(self) -> None:
        """Rotate as `copytruncate` does."""
        self.finish()
        if self.path.exists():
            self.shift()
            shutil.copyfile(self.path, self._numbered(1))
            os.truncate(self.path, 0)

    def cut(self) -> None:
        self.finish()
        os.truncate(self.path, 0)

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)

    def compress(self, number: int = 1) -> None:
        plain = self._numbered(number)
        packed = plain.with_name(plain.name + ".gz")
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()

    def raw(self, data: bytes) -> None:
        self._out.flush()
        with self.path.open("ab") as out:
            out.write(data)

    def close(self) -> None:
        self._out.close()
        for reader in self.readers:
            reader.close()


class Watching:
    """Reads a log as a watch does, and may die and come back at any point."""

    def __init__(self, log: Log, *, budget: int = BUDGET, **fields: object) -> None:
        self.log = log
        self.fields = {"log": log.path.name, "value": "n", **fields}
        self.budget = budget
        self.now = START
        self.values: list[int] = []
        self.batches: list[Batch] = []
        self.position: object = None
        self.reader = self._opened()

    def _opened(self) -> LogReader:
        source = a_source(self.fields)
        context = a_context(self.log.path.parent)
        stored = json.loads(json.dumps(self.position))
        reader = LogReader(source, context, stored, budget=self.budget)  # type: ignore[arg-type]
        self.log.readers.append(reader)
        return reader

    def read(self, after_s: float = 1) -> Batch:
        self.now += timedelta(seconds=after_s)
        batch = self.reader.read(self.now)
        self.position = batch.position
        self.batches.append(batch)
        self.values += [int(s.value) for s in batch.samples if s.value is not None]
        return batch

    def crash(self) -> None:
        """Forget everything but the last stored position."""
        self.reader.close()
        self.reader = self._opened()

    @property
    def blind(self) -> list[str]:
        return [batch.blind for batch in self.batches if batch.blind]


def begun(log: Log, lines: int) -> Watching:
    """Watch a log whose first lines have been read."""
    watching = Watching(log)
    log.append(lines)
    watching.read()
    return watching
