"""Runs a quick look-up (a version, a syntax check) that need not survive us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gonogo.errors import WorkError
from gonogo.process.model import CompletedText
from gonogo.process.outcome import cannot_start


def run_short(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    timeout_s: float = 10,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> CompletedText:
    """Run a quick look-up without a shim and return what it said; it dies with us.

    Without `environment` it gets ours. Raises WorkError when it cannot be started or takes longer
    than `timeout_s`; then its process group is killed.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        stage = "cwd" if cwd is not None and not cwd.is_dir() else "exec"
        code = getattr(error, "errno", None) or -1
        raise cannot_start(stage, code, argv[0], str(cwd)) from error
    with child:
        try:
            stdout, stderr = child.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired:
            raise WorkError(
                f"`{argv[0]}` gave no answer within {timeout_s:g} s",
                hint="run it by hand to see what it waits for",
            ) from None
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                for pipe in (child.stdin, child.stdout, child.stderr):
                    if pipe is not None:
                        with contextlib.suppress(OSError):
                            pipe.close()
    return CompletedText(child.returncode, stdout, stderr)
