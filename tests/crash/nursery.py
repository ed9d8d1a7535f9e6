"""Forks gonogo processes whose imports are already done: what a kill costs is then its own work.

It reads one JSON line per process (`cwd`, `argv`, `out`, `err`), answers with the process id, and
with the exit status once it has ended. The forked process runs the command line as `python -m
gonogo` would; a smaller test starts it for real.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from typing import TextIO

import gonogo.__main__
import gonogo.catalog
import gonogo.cli.conduct
import gonogo.cli.resume
import gonogo.cli.run
import gonogo.report
import gonogo.runbook.assemble
import gonogo.store.dbos


def become(order: dict[str, object]) -> None:
    """Turn this forked process into `gonogo …`; never returns."""
    code = 70
    try:
        os.chdir(str(order["cwd"]))
        for number, name, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, str(order["out"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, str(order["err"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        sys.argv = ["gonogo", *order["argv"]]  # type: ignore[misc]
        code = gonogo.__main__.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - this is the end of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def say(stream: TextIO, number: int) -> None:
    stream.write(f"{number}\n")
    stream.flush()


def main() -> None:
    assert threading.active_count() == 1, "a fork would lose threads"
    answers = os.fdopen(os.dup(1), "w")
    say(answers, os.getpid())
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            become(json.loads(line))
        say(answers, pid)
        say(answers, os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    main()
