"""Runs one command so that it survives our own death and can be found again.

`run` starts the command under a shim (`gonogo.shim`) that keeps its output, its limits and its
result in a folder; the same call on the same folder after a crash attaches to what is there and
never starts a second copy. docs/decisions/0003-command-shim.md says why it works this way.
"""

from __future__ import annotations

from gonogo.process.model import (
    OUTPUT_LIMIT,
    Command,
    CompletedText,
    EndedBy,
    OnOutput,
    Outcome,
    Trace,
)
from gonogo.process.running import end, run
from gonogo.process.short import run_short
from gonogo.process.traces import lasted, trace

__all__ = [
    "OUTPUT_LIMIT",
    "Command",
    "CompletedText",
    "EndedBy",
    "OnOutput",
    "Outcome",
    "Trace",
    "end",
    "lasted",
    "run",
    "run_short",
    "trace",
]
