"""Sends HTTP load on a fixed schedule, in a process of its own, timed from the intended start.

A schedule says when each request is due, whatever the server does meanwhile (open loop). A closed
loop, in which each user waits for an answer before the next request, stops asking while the server
is down and then calls it healthy. `gonogo.load.running` starts the process; it is not imported
here, because whoever only reads a schedule needs no process.
"""

from __future__ import annotations

from gonogo.load.job import Job, Request
from gonogo.load.schedule import Stage, count, length_s
from gonogo.load.summary import NEEDED, Result, generator_fault

__all__ = [
    "NEEDED",
    "Job",
    "Request",
    "Result",
    "Stage",
    "count",
    "generator_fault",
    "length_s",
]
