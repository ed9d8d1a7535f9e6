"""Starts the process that sends the load, or attaches to it, and reads what it has left."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import gonogo
from gonogo import process
from gonogo.errors import WorkError
from gonogo.load.job import Job, to_environment
from gonogo.load.summary import Result
from gonogo.process import Command, EndedBy, OnOutput, Outcome

_RESULT = "load.json"
_MOST = 1_000_000  # characters of a job; an environment has no room for more
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how the load is sent: the attempt's folder, the limit in seconds, who looks on."""

    folder: Path
    cwd: Path
    environment: Mapping[str, str]
    timeout_s: float
    is_action: bool
    on_output: OnOutput
    should_stop: Callable[[], bool]


def carry_out(job: Job, place: Place) -> Result:
    """Send the load and return what was seen; attaches when it was started before.

    Raises:
        WorkError: it could not be sent, was stopped, or nobody knows how it ended.
    """
    path = place.folder.absolute() / _RESULT
    outcome = process.run(
        _command(job, place, path),
        place.folder,
        on_output=place.on_output,
        should_stop=place.should_stop,
    )
    _refuse(outcome, place)
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        last = (outcome.stderr.strip() or "nothing").splitlines()[-1][-400:]
        raise WorkError(
            f"the load generator ended without a result; its last words: {last}",
            hint=f"exit code {outcome.exit_code}, signal {outcome.signal}; is there enough memory?",
        ) from None
    if "problem" in written:
        raise WorkError(written["problem"], hint="correct the block; nothing was sent")
    return Result(**written["result"])


def _command(job: Job, place: Place, path: Path) -> Command:
    environment = to_environment(job)
    if sum(map(len, environment.values())) > _MOST:
        raise WorkError(
            "the requests are longer than a megabyte together", hint="send shorter bodies"
        )
    for name in _PASSED_ON:
        if name in place.environment:
            environment[name] = place.environment[name]
    environment["PYTHONPATH"] = str(Path(gonogo.__file__).resolve().parents[1])
    python = (sys.executable, "-P", "-X", "utf8", "-m", "gonogo.load.child")
    return Command(
        argv=(*python, str(path)),
        cwd=place.cwd.absolute(),
        environment=environment,
        timeout_s=place.timeout_s,
        grace_s=1.0,
        durable=place.is_action,
    )


def _refuse(outcome: Outcome, place: Place) -> None:
    match outcome.ended_by:
        case EndedBy.EXIT:
            return
        case EndedBy.ABORT:
            begun = outcome.started is not None
            raise WorkError(
                "the load was stopped" + (" in its middle" if begun else " before it began"),
                hint="an unfinished load test says nothing; run it again",
                failed=place.is_action and begun,
            )
        case EndedBy.DEADLINE:
            raise WorkError(
                f"the load did not end within {place.timeout_s:g} s",
                hint="allow more time with `timeout:`",
                failed=place.is_action,
            )
        case EndedBy.LOST:
            raise WorkError(
                "the load was started, and nobody knows how it ended", hint="run it again"
            )
