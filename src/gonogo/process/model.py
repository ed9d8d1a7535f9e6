"""What a command is, what its folder tells about it, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

OUTPUT_LIMIT = 10 * 1024 * 1024
OnOutput = Callable[[str, str], None]


class EndedBy(StrEnum):
    """What ended a command."""

    EXIT = "exit"  # it ended by itself, with an exit code or by a signal that was not ours
    DEADLINE = "deadline"  # it ran longer than it may
    ABORT = "abort"  # somebody wanted it to stop
    LOST = "lost"  # it was started and is gone; nobody knows how it ended


class Trace(StrEnum):
    """What a folder tells about its command."""

    NEVER_STARTED = "never started"  # not one instruction of it has run
    RUNNING = "running"  # it runs, or its shim is about to start or to record it
    ENDED = "ended"  # its end is recorded
    LOST = "lost"  # it was (or may have been) started, is gone, and left no record of its end


@dataclass(frozen=True, slots=True)
class Command:
    """What to run; `environment` is all that it gets, is never written down and never printed.

    `timeout_s` and `grace_s` (between SIGTERM and SIGKILL) are seconds, `output_limit` is bytes
    per stream. Without `stdin` the command reads an immediate end of file. `durable=False` saves
    the disk flushes: such a command still survives our death, but after a power cut it counts as
    lost or never started; it is for looks at the world that may be repeated.
    """

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(repr=False)
    timeout_s: float
    stdin: str | None = field(default=None, repr=False)
    output_limit: int = OUTPUT_LIMIT
    grace_s: float = 5.0
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended; exactly one of `exit_code` and `signal` is set unless it is lost.

    When an abort came before the start, neither is set and `started` is None. `truncated`: a
    stream was longer than the limit; its text then keeps head and tail and says what is missing.
    """

    exit_code: int | None
    signal: int | None
    stdout: str
    stderr: str
    duration_s: float
    ended_by: EndedBy
    truncated: bool
    reattached: bool
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class CompletedText:
    """What a short command said; `exit_code` is negative for a signal."""

    exit_code: int
    stdout: str
    stderr: str
