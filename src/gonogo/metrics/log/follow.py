"""Follows a log that is being written, through rotation and truncation, each line exactly once.

A file that was replaced is kept open for a while: servers go on writing to it until they have
reopened their log. What can be lost is said, never assumed to be nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from gonogo.metrics.log.files import (
    Identity,
    Known,
    OpenFile,
    Trace,
    begins_like,
    first_bytes_inside,
    is_compressed,
    opened,
    siblings,
)
from gonogo.plan.samples import position_of, whole

LONGEST_LINE = 1 << 20
CHUNK = 1 << 18
LINGER_MS = 30_000
_MOST_KNOWN = 100
_MOST_OPEN = 64

Sink = Callable[[bytes], None]
"""Takes whole lines, with their ends; only the last of a finished file may lack it."""


class Follower:
    """Hands out the lines of one log, whatever happens to its files."""

    def __init__(self, path: Path, position: object = None, *, from_start: bool = False) -> None:
        """Go on at a stored position; without one, begin at the end (or the start) of the log."""
        self._path = path
        self._open: list[OpenFile] = []  # oldest first; the last has the name of the log
        self._known: list[Known] = []
        self._lost: list[str] = []
        self._missing_since: int | None = None
        self._beside: list[tuple[Path, int]] | None = None  # as it was at the last look
        stored = position_of(position)
        self.read_ms = whole(stored.get("read_ms"))
        traces = stored.get("files")
        if isinstance(traces, list):
            self._known = _all_known(stored.get("known"))
            self._resume([t for t in map(Trace.from_json, traces) if t is not None])
        else:
            self._begin(from_start=from_start)

    def read(self, now_ms: int, sink: Sink, budget: int) -> tuple[int, tuple[str, ...]]:
        """Hand new lines to the sink; return how many were too long, and what was not seen.

        About `budget` bytes are read at most; `behind` tells what is left.
        """
        lost, self._lost = self._lost, []
        try:
            for file in list(self._open):
                if not file.is_whole:
                    lost += self._cut(file)
            lost += self._look_beside()
            lost += self._look_at_path(now_ms)
        except OSError as problem:
            lost.append(f"`{self._path.name}` cannot be read: {_why(problem)}")
        overlong = 0
        for file in self._open:
            file.at_end = False
            if budget <= 0:
                continue
            before = file.offset
            try:
                read, dropped = _drain(file, sink, budget)
            except OSError as problem:
                lost.append(f"`{self._path.name}` cannot be read: {_why(problem)}")
                break
            if file.offset > before and file.replaced_ms is not None:
                file.replaced_ms = now_ms  # somebody still writes to it
            budget -= read
            overlong += dropped
        self._retire(now_ms, sink)
        self.read_ms = now_ms
        return overlong, tuple(dict.fromkeys(lost))

    @property
    def behind(self) -> int:
        """Return how many bytes are there and were left for the next look; not half a line."""
        return sum(max(0, file.size - file.offset) for file in self._open if not file.at_end)

    def position(self) -> dict[str, object]:
        """Return where to go on, as JSON."""
        return {
            "files": [file.trace().as_json() for file in self._open],
            "known": [known.as_json() for known in self._known],
            "read_ms": self.read_ms,
        }

    def close(self) -> None:
        """Close all files."""
        for file in self._open:
            file.handle.close()
        self._open = []

    def _begin(self, *, from_start: bool) -> None:
        self._beside = siblings(self._path)
        self._know(path for path, _ in self._beside)
        with contextlib.suppress(OSError):
            handle = opened(self._path)
            size = 0 if from_start else os.fstat(handle.fileno()).st_size
            offset, inside = _line_start(handle, size)
            file = OpenFile(handle, offset)
            file.skipping = inside
            self._open.append(file)

    def _resume(self, traces: list[Trace]) -> None:
        """Find the files again that were being read; the rest of a file that is gone is lost."""
        beside = [path for path, _ in siblings(self._path) if not is_compressed(path)]
        for trace in traces:
            file = _found(trace, [self._path, *beside])
            if file is None:
                self._lost.append(self._gone(trace))
            elif all(file.identity != other.identity for other in self._open):
                self._open.append(file)
            else:
                file.handle.close()

    def _gone(self, trace: Trace) -> str:
        name = self._path.name
        for path, _ in siblings(self._path):
            inside = first_bytes_inside(path) if is_compressed(path) else None
            if inside and begins_like(inside, trace.head):
                self._know([path])
                return f"`{name}` was compressed into `{path.name}` before it was read to its end"
        return f"`{name}` was cut or removed; what was written to it since the last look is lost"

    def _cut(self, file: OpenFile) -> list[str]:
        """Handle a file that lost what was read: go on in its copy if there is one."""
        trace = file.trace()
        copy = None
        for _, handle in self._strangers():
            if copy is None and trace.fits(handle):
                copy = OpenFile.resumed(handle, trace)
            else:
                handle.close()
        file.restart()
        if copy is None:
            return [
                f"`{self._path.name}` was cut; what was written to it before that, since the last "
                "look, is lost"
            ]
        self._open.insert(self._open.index(file), copy)
        return []

    def _look_at_path(self, now_ms: int) -> list[str]:
        """See which file has the name of the log now; open it, and those between."""
        try:
            handle = opened(self._path)
        except FileNotFoundError:
            return self._no_path(now_ms)
        self._missing_since = None
        identity = Identity.of(os.fstat(handle.fileno()))
        mine = next((file for file in self._open if file.identity == identity), None)
        if mine is not None:
            handle.close()
            if mine is not self._open[-1]:  # renamed back
                self._open.remove(mine)
                self._open.append(mine)
            mine.replaced_ms = None
            return []
        for file in self._open:
            file.replaced_ms = now_ms if file.replaced_ms is None else file.replaced_ms
        known = next((known for known in self._known if known.fits(handle)), None)
        self._open.append(OpenFile(handle, 0 if known is None else known.size))
        return []

    def _no_path(self, now_ms: int) -> list[str]:
        if self._missing_since is None:
            self._missing_since = now_ms
        if self._open and now_ms - self._missing_since < LINGER_MS:
            return []  # between renaming and opening anew
        return [f"`{self._path.name}` does not exist"]

    def _look_beside(self) -> list[str]:
        """Open the files that were the log between two looks, oldest first."""
        beside = siblings(self._path)
        if beside == self._beside:
            return []
        self._beside = beside
        lost = self._packed_between()
        found = []
        for path, handle in self._strangers():
            if any(file.is_copied_in(handle) for file in self._open):
                self._remember(Known.of(handle, os.fstat(handle.fileno()).st_size))
                handle.close()
                continue
            found.append((os.fstat(handle.fileno()).st_mtime_ns, path.name, OpenFile(handle)))
        at = max(len(self._open) - 1, 0)
        self._open[at:at] = [file for _, _, file in sorted(found, key=lambda each: each[:2])]
        return lost

    def _packed_between(self) -> list[str]:
        """Say which compressed files are new and hold what was never read."""
        lost = []
        for path, _ in siblings(self._path):
            if not is_compressed(path) or self._is_known(path):
                continue
            inside = first_bytes_inside(path)
            seen = inside is not None and (
                not inside
                or any(file.begins(inside) for file in self._open)
                or any(known.begins(inside) for known in self._known)
            )
            if not seen:
                lost.append(f"`{path.name}` was compressed before it was read")
            self._know([path])
        return lost

    def _is_known(self, path: Path) -> bool:
        try:
            with opened(path) as handle:
                return any(known.fits(handle) for known in self._known)
        except OSError:
            return True

    def _strangers(self) -> Iterator[tuple[Path, BinaryIO]]:
        """Yield the readable files beside the log of which nothing was read, opened."""
        mine = {file.identity for file in self._open}
        for path, _ in siblings(self._path):
            if is_compressed(path):
                continue
            try:
                handle = opened(path)
            except OSError:
                continue
            identity = Identity.of(os.fstat(handle.fileno()))
            if identity in mine or any(known.fits(handle) for known in self._known):
                handle.close()
                continue
            yield path, handle

    def _know(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with contextlib.suppress(OSError), opened(path) as handle:
                self._remember(Known.of(handle, os.fstat(handle.fileno()).st_size))

    def _remember(self, known: Known) -> None:
        self._known = [each for each in self._known if each.identity != known.identity]
        self._known = [*self._known, known][-_MOST_KNOWN:]

    def _retire(self, now_ms: int, sink: Sink) -> None:
        """Let go of replaced files that are read to their end and have been quiet for a while."""
        for at, file in enumerate(list(self._open[:-1])):
            if file.replaced_ms is None:
                file.replaced_ms = now_ms
            is_used = any(later.size for later in self._open[at + 1 :])
            is_over = is_used and now_ms - file.replaced_ms >= LINGER_MS
            if not file.at_end or not (is_over or len(self._open) > _MOST_OPEN):
                continue
            rest = os.pread(file.handle.fileno(), LONGEST_LINE, file.offset)
            if b"\n" in rest:
                continue  # was written just now
            if rest and not file.skipping:
                sink(rest)
            file.advance(rest)
            self._remember(Known.of(file.handle, file.offset))
            file.handle.close()
            self._open.remove(file)


def _drain(file: OpenFile, sink: Sink, budget: int) -> tuple[int, int]:
    """Read to the end of a file; return how many bytes, and how many lines were too long."""
    number = file.handle.fileno()
    read = overlong = 0
    pending = b""
    while read < budget:
        data = os.pread(number, CHUNK, file.offset + len(pending))
        if not data:
            file.at_end = True
            break
        read += len(data)
        if file.skipping:
            end = data.find(b"\n") + 1
            file.skipping = end == 0
            file.advance(data[:end] if end else data)
            continue
        cut = data.rfind(b"\n") + 1
        if not cut:
            pending += data
            if len(pending) > LONGEST_LINE:
                overlong += 1
                file.skipping = True
                file.advance(pending)
                pending = b""
            continue
        block = pending + data[:cut]
        pending = b""
        file.advance(block)
        if len(block) > LONGEST_LINE:
            lines = block[:-1].split(b"\n")
            fitting = [line for line in lines if len(line) <= LONGEST_LINE]
            overlong += len(lines) - len(fitting)
            block = b"\n".join([*fitting, b""])
        sink(block)
    return read, overlong


def _line_start(handle: BinaryIO, size: int) -> tuple[int, bool]:
    """Return where the last, half-written line begins; and whether that is out of sight."""
    length = min(size, LONGEST_LINE)
    data = os.pread(handle.fileno(), length, size - length)
    cut = data.rfind(b"\n") + 1
    if cut or size == length:
        return size - length + cut, False
    return size, True


def _found(trace: Trace, paths: list[Path]) -> OpenFile | None:
    """Return the file of a trace: by its number, else by what is in it."""
    fitting: OpenFile | None = None
    for path in paths:
        try:
            handle = opened(path)
        except OSError:
            continue
        identity = Identity.of(os.fstat(handle.fileno()))
        same = identity == trace.identity
        if trace.fits(handle) and (same or (fitting is None and trace.tail[0])):
            if fitting is not None:
                fitting.handle.close()
            fitting = OpenFile.resumed(handle, trace)
            if same:
                return fitting
        else:
            handle.close()
    return fitting


def _all_known(stored: object) -> list[Known]:
    found = map(Known.from_json, stored) if isinstance(stored, list) else []
    return [known for known in found if known is not None]


def _why(problem: OSError) -> str:
    return problem.strerror or str(problem)
