"""Keeps the calls of a tool that change a database: no second one begins beside the first."""

from __future__ import annotations

from pathlib import Path

from gonogo import process, records
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_NAME = "migration-calls.jsonl"
_STEP_S = 0.1
_clock = SystemClock()


def keep(context: Context, what: str, folder: Path) -> None:
    """Keep, before a call begins, in which folder its process can be found.

    Raises:
        WorkError: the folder of the run cannot be written.
    """
    place = str(folder.absolute())
    try:
        records.append(context.run_folder, _NAME, {"id": place, "what": what, "folder": place})
    except OSError as error:
        raise WorkError(
            f"`{_NAME}` cannot be written in the folder of the run: {error.strerror}",
            hint="without it nobody can find the tool again after a kill; make room on that disk",
        ) from error


def wait_for_earlier(context: Context, what: str) -> None:
    """Wait until no earlier call of this run is under way: a kill of gonogo leaves its tool alive.

    Raises:
        WorkError: it does not end within the time of the step, or nobody wants to wait any more.
    """
    until = _clock.monotonic() + context.timeout_s
    for found in records.read(context.run_folder, _NAME):
        folder = Path(str(found["folder"]))
        while found["what"] == what and process.trace(folder) is process.Trace.RUNNING:
            if _clock.monotonic() > until or context.should_stop():
                raise WorkError(
                    "an earlier call of the tool by this run is still under way",
                    hint=f"its record is in `{folder}`; wait until it has ended, or end it",
                )
            _clock.wait(_STEP_S)
