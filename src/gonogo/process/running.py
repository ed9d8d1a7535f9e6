"""Starts a command under its shim, attaches to one that is there, and ends it when it must."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from gonogo import shim
from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.process.model import Command, EndedBy, OnOutput, Outcome, Trace
from gonogo.process.outcome import (
    Live,
    cannot_watch,
    not_started,
    outcome,
    refuse_another,
    refuse_unusable,
)
from gonogo.process.traces import beginning, child, exists, is_locked, trace, unusable

_STEP_S = 0.05  # how often a wish to stop is looked at
_POLL_S = 0.02  # how often a command that we did not start is looked at
_START_S = 5.0  # how long a shim may take from its start to its first record
_SPARE_S = 3.0  # what the shim gets beyond the grace before we kill by ourselves

_NEVER_WANTED = Outcome(
    exit_code=None,
    signal=None,
    stdout="",
    stderr="",
    duration_s=0.0,
    ended_by=EndedBy.ABORT,
    truncated=False,
    reattached=False,
    started=None,
    ended=None,
)

_clock = SystemClock()
_left: list[subprocess.Popen[bytes]] = []  # shims that outlived an interrupted `run`


def never() -> bool:
    """Say that nobody wants the command to stop."""
    return False


def run(
    command: Command,
    folder: Path,
    *,
    on_output: OnOutput | None = None,
    should_stop: Callable[[], bool] = never,
) -> Outcome:
    """Start `command`, or attach to it if `folder` tells of a start; return how it ended.

    `on_output` gets (stream, text) while the command runs, from the beginning also when attached;
    what is beyond the limit's first three quarters comes at the end. Raises WorkError when the
    command cannot be started or its output cannot be kept; a repeated call raises the same.
    An exception out of a callback leaves the command running, to be attached to later.
    """
    refuse_unusable(command)
    folder = folder.absolute()
    live = Live(folder, on_output)
    while True:
        if trace(folder) is not Trace.NEVER_STARTED:
            refuse_another(command, folder)
            _attend(folder, command, live, should_stop)
            return outcome(folder, command, live, reattached=True)
        if should_stop():
            return _NEVER_WANTED
        started = _try_start(command, folder)
        if started is None:  # somebody else is just starting it, or only looking
            _clock.wait(_POLL_S)
            continue
        words = _attend(folder, command, live, should_stop, started)
        if trace(folder) is Trace.NEVER_STARTED:
            raise not_started(folder, words)
        return outcome(folder, command, live, reattached=False)


def end(folder: Path, grace_s: float) -> None:
    """End the recorded command with its process group: SIGTERM, then SIGKILL after `grace_s`.

    Returns when it is gone; does nothing if it does not run. Processes that have left the group
    (daemons) live on.
    """
    if trace(folder) is not Trace.RUNNING:
        return
    began = _clock.monotonic()
    while not exists(folder, shim.PID) and trace(folder) is Trace.RUNNING:
        if _clock.monotonic() - began > _START_S:
            raise WorkError(
                f"the command in `{folder}` cannot be ended: its shim does not answer",
                hint="look for a stopped `shim.py` process with this folder and end it by hand",
            )
        _clock.wait(_POLL_S)
    if _ask_shim_to_end(folder, grace_s):
        _wait_until(lambda: trace(folder) is not Trace.RUNNING, grace_s + _SPARE_S)
    group = child(folder)
    if group is not None:
        _end_group(group, signal.SIGTERM, grace_s)
        _end_group(group, signal.SIGKILL, _SPARE_S)


def _attend(
    folder: Path,
    command: Command,
    live: Live,
    should_stop: Callable[[], bool],
    started: subprocess.Popen[bytes] | None = None,
) -> str:
    """Follow the command until it no longer runs; return what a shim of ours said when it broke."""
    words = b""
    unwanted = asked = False
    try:
        while started is not None or trace(folder) is Trace.RUNNING:
            live.look()
            unwanted = unwanted or should_stop()
            if unwanted and not asked:
                asked = _ask_shim_to_end(folder, command.grace_s)
            if started is not None:
                heard = _hear(started)
                words = (words + (heard or b"").lstrip(b"."))[-4000:]
                if heard is None:
                    started.wait()
                    started = None
            else:
                if not is_locked(folder) and (unwanted or _is_overdue(folder, command)):
                    end(folder, command.grace_s)  # without its shim nobody else would
                _clock.wait(_POLL_S)
    finally:
        if started is not None:  # an exception: the command goes on without us
            _left.append(started)
            if started.stdout is not None:
                started.stdout.close()
    live.look()
    return words.decode(errors="replace").strip()


def _hear(started: subprocess.Popen[bytes]) -> bytes | None:
    """Wait for a word of the shim, briefly; return None when it has nothing more to say."""
    assert started.stdout is not None
    poller = select.poll()
    poller.register(started.stdout, select.POLLIN)
    if not poller.poll(_STEP_S * 1000):
        return b""
    heard = os.read(started.stdout.fileno(), shim.CHUNK)
    if not heard:
        started.stdout.close()
    return heard or None


def _try_start(command: Command, folder: Path) -> subprocess.Popen[bytes] | None:
    """Start the command under the folder's lock; None if somebody else holds it or was faster."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if command.durable:
                shim.sync_folder(str(folder.parent))
        lock = os.open(folder / shim.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if exists(folder, shim.PID) or exists(folder, shim.EXIT):
                return None
            _write_spec(command, folder)
            return _start(command, folder, lock)
        finally:
            os.close(lock)  # the shim, if there is one, still holds the lock
    except BlockingIOError:
        return None
    except OSError as error:
        raise unusable(folder, error) from error


def _write_spec(command: Command, folder: Path) -> None:
    """Write down what to run, before anything runs; never the environment."""
    (folder / shim.END).unlink(missing_ok=True)
    spec = {
        "format": 1,
        "boot_id": shim.boot_id(),
        "argv": command.argv,
        "cwd": str(command.cwd),
        "timeout_s": command.timeout_s if math.isfinite(command.timeout_s) else None,
        "grace_s": command.grace_s,
        "output_limit": command.output_limit,
        "stdin": command.stdin is not None,
        # Python may set this one for itself; the command is to see exactly what it was given.
        "unset": [] if "LC_CTYPE" in command.environment else ["LC_CTYPE"],
        "durable": command.durable,
    }
    if command.stdin is not None:
        text = command.stdin.encode("utf-8", "surrogateescape")
        shim.put(str(folder), shim.STDIN, text, sync=False)
    shim.put(str(folder), shim.COMMAND, json.dumps(spec).encode(), sync=command.durable)


def _start(command: Command, folder: Path, lock: int) -> subprocess.Popen[bytes]:
    """Start the shim, which inherits the lock."""
    _left[:] = [former for former in _left if former.poll() is None]
    python = os.path.realpath(sys.executable)
    try:
        return subprocess.Popen(
            [python, "-I", "-S", "-X", "utf8", _script(), str(folder)],
            env=dict(command.environment),
            cwd="/",
            stdin=lock,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise cannot_watch(error, python, command.argv[0]) from error


def _script() -> str:
    """Return the shim's compiled file, which starts faster, if it belongs to the source."""
    cached = shim.__spec__.cached
    with contextlib.suppress(OSError):
        source = Path(shim.__file__).stat()
        numbers = (0, int(source.st_mtime), source.st_size)  # the flags, and what it was made from
        header = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
        if cached and Path(cached).read_bytes()[:16] == MAGIC_NUMBER + header:
            return cached
    return shim.__file__


def _ask_shim_to_end(folder: Path, grace_s: float) -> bool:
    """Leave the wish to end and wake the shim; say whether there is one to obey it."""
    record = beginning(folder)
    # Whoever has recorded itself and still holds the lock is the shim: no need to doubt its number.
    if "shim" not in record or not is_locked(folder) or trace(folder) is not Trace.RUNNING:
        return False
    try:
        shim.put(str(folder), shim.END, json.dumps({"grace_s": grace_s}).encode(), sync=False)
    except OSError:  # a full disk still has room for a name; the shim then takes its own grace
        (folder / shim.END).touch()
    with contextlib.suppress(ProcessLookupError):
        os.kill(record["shim"], signal.SIGTERM)
    return True


def _end_group(group: int, number: int, seconds: float) -> None:
    """Signal what is left of a process group and wait until nothing is, at most `seconds`."""
    if shim.members(group):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            os.killpg(group, signal.SIGCONT)  # a stopped process would not see the first one
        _wait_until(lambda: not shim.members(group), seconds)


def _wait_until(fact: Callable[[], bool], seconds: float) -> None:
    until = _clock.monotonic() + seconds
    while not fact() and _clock.monotonic() < until:
        _clock.wait(_POLL_S)


def _is_overdue(folder: Path, command: Command) -> bool:
    started = beginning(folder).get("started_at")
    return started is not None and _clock.now().timestamp() > started + command.timeout_s
