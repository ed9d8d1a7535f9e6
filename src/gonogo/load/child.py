"""Carries out one load test in a process of its own: `python -m gonogo.load.child RESULT`.

The job comes in the environment, because it may hold secrets; the result goes into a file, so that
it is there even when whoever asked for it is gone.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
from pathlib import Path

import pycurl

from gonogo.clock import SystemClock
from gonogo.load.engine import Engine
from gonogo.load.job import Job, from_environment

_OWN_FILES = 64  # descriptors for all else than connections


def main(path: str) -> int:
    """Do the job and leave the result, or the reason why there is none, in a file."""
    job = from_environment(os.environ)  # noqa: TID251 - the job itself, no setting
    written: dict[str, object]
    try:
        problem = _room(job)
        if problem:
            written = {"problem": problem}
        else:
            gc.disable()  # a pause of the collector would be taken for one of the server
            written = {"result": Engine(job, SystemClock(), _tell).run().as_json()}
    except (pycurl.error, ValueError) as error:
        said = error.args[1] if isinstance(error, pycurl.error) and len(error.args) > 1 else error
        written = {"problem": f"a request cannot be sent: {said}"}
    draft = Path(f"{path}.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(written, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return 0


def _room(job: Job) -> str:
    """Allow as many open files as the job needs; return why that is not possible."""
    wanted = job.connections + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        return f"{job.connections} connections need {wanted} open files, {hard} are allowed here"
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return ""


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
