"""Looks at the machine on which gonogo runs: processors, memory, disk.

Read from /proc, as it is on Linux; elsewhere only the disk can be seen, and a metric of the others
is blind and says so.
"""

from __future__ import annotations

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.plan.samples import Batch, Sample, position_of, to_ms, whole
from gonogo.plan.sources import Gauge, HostSource

PROC = Path("/proc")
_PLACES = Decimal("0.001")


class _BlindError(Exception):
    """It cannot be seen; the text says why."""


class HostReader:
    """A figure of this machine."""

    def __init__(
        self, source: HostSource, context: Context, position: object = None, *, proc: Path = PROC
    ) -> None:
        """Remember what to look at.

        Raises:
            WorkError: a name in the path is not bound.
        """
        self._source = source
        self._proc = proc
        self._path = context.cwd / filling.fill(source.path, context)
        self._since_ms = whole(position_of(position).get("read_ms"))
        self._busy: tuple[int, int] | None = None

    def read(self, now: datetime) -> Batch:
        """Look once; the first look at the processors gives nothing to compare with."""
        now_ms = to_ms(now)
        since_ms, self._since_ms = self._since_ms, now_ms
        samples, blind = [], None
        try:
            value = self._value()
            if value is not None:
                samples.append(Sample(now_ms, value))
        except _BlindError as problem:
            blind = str(problem)
        except OSError as problem:
            name = problem.filename or self._path
            blind = f"`{name}` cannot be read: {problem.strerror or problem}"
        except (ValueError, IndexError, KeyError, ArithmeticError):
            blind = f"`{self._proc}` is not as Linux writes it"
        return Batch(samples, {"read_ms": now_ms}, (), blind, since_ms)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _value(self) -> Decimal | int | None:
        gauge = self._source.host
        match gauge:
            case Gauge.DISK | Gauge.DISK_FREE:
                return self._disk(gauge)
            case Gauge.MEMORY | Gauge.MEMORY_FREE:
                return self._memory(gauge)
            case Gauge.LOAD:
                return Decimal(self._text("loadavg").split()[0])
            case Gauge.CPU:
                return self._cpu()

    def _text(self, name: str) -> str:
        path = self._proc / name
        if not path.exists():
            raise _BlindError(f"`{self._source.host}` can be seen on Linux only")
        return path.read_text(encoding="ascii", errors="replace")

    def _cpu(self) -> Decimal | None:
        """Return how busy the processors were since the last look; waiting for disks is idle."""
        numbers = [int(word) for word in self._text("stat").splitlines()[0].split()[1:9]]
        idle = numbers[3] + numbers[4]
        total = sum(numbers)  # guests are in `user` already
        before, self._busy = self._busy, (total - idle, total)
        if before is None or total <= before[1]:
            return None
        busy = max(0, total - idle - before[0])
        return _percent(min(busy, total - before[1]), total - before[1])

    def _memory(self, gauge: Gauge) -> Decimal | int:
        rows = (line.split(":") for line in self._text("meminfo").splitlines())
        sizes = {name: int(rest.split()[0]) * 1024 for name, rest in rows}
        free, total = sizes["MemAvailable"], sizes["MemTotal"]
        return free if gauge is Gauge.MEMORY_FREE else _percent(total - free, total)

    def _disk(self, gauge: Gauge) -> Decimal | int:
        found = os.statvfs(self._path)
        if not found.f_blocks:
            raise _BlindError(f"`{self._path}` is on no disk with a size")
        free = found.f_bavail * found.f_frsize
        if gauge is Gauge.DISK_FREE:
            return free
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        return _percent(used, used + free)  # as `df`: what is kept for root counts for nobody


def _percent(part: int, whole_: int) -> Decimal:
    return (Decimal(part * 100) / Decimal(whole_)).quantize(_PLACES)
