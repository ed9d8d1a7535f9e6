"""The folder of one running server, and the sweeping of folders whose owner was killed.

A folder belongs to the process that holds the lock on its `owner.lock`. The kernel lets go of the
lock when that process ends, however it ends, so a folder without a holder is a left-over.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gonogo.clock import SystemClock
from gonogo.errors import UsageError
from gonogo.services.account import Account

LOCK = "owner.lock"
PID = "server.pid"
PASSABLE = 0o711  # another user passes through but sees no names
END_WITHIN_S = 10.0


@dataclass(slots=True)
class Workplace:
    """A folder that is ours until `leave`."""

    path: Path
    lock: int | None
    kept: bool

    @property
    def log(self) -> Path:
        """Return where the server writes what it has to say."""
        return self.path / "server.log"

    def note(self, pid: int) -> None:
        """Write down which process serves here, for a later sweep."""
        (self.path / PID).write_text(f"{pid} {birth(pid)}", encoding="utf-8")

    def leave(self) -> None:
        """Remove the folder (one that was asked for by name is kept) and let go of the lock."""
        lock, self.lock = self.lock, None
        if lock is None:
            return
        if self.kept:
            (self.path / PID).unlink(missing_ok=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(lock)


def enter(service: str, account: Account, folder: Path | None) -> Workplace:
    """Take a fresh temporary folder, or the given one, after sweeping what others left behind.

    Raises UsageError when the folder is in use or out of reach for `account`.
    """
    if folder is not None:
        return _enter_named(folder.absolute(), account)
    base = _base(account)
    gate = _lock(base / LOCK, wait=True)  # so that no sweep sees a folder before it is locked
    if gate is None:
        raise UsageError(f"cannot lock `{base}`", hint="set TMPDIR to a local disk", code="GN791")
    try:
        _sweep(base)
        path = Path(tempfile.mkdtemp(prefix=f"{service}-", dir=base))
        path.chmod(PASSABLE)
        lock = _lock(path / LOCK)
    finally:
        os.close(gate)
    if lock is None:
        raise UsageError(f"cannot lock `{path}`", hint="set TMPDIR to a local disk", code="GN791")
    return Workplace(path, lock, kept=False)


def birth(pid: int) -> str:
    """Return when a process was born, as the system writes it, or nothing when there is none.

    With the pid it names a process for good: pids are used again, births are not.
    """
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        state, *rest = stat.rpartition(")")[2].split()
        return "" if state in "ZX" else rest[18]  # a zombie has ended
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "".join(told.stdout.split())


def _enter_named(folder: Path, account: Account) -> Workplace:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder / LOCK)
    except OSError as error:
        message = f"cannot keep a server's data in `{folder}`: {error.strerror}"
        raise UsageError(
            message, hint="name a folder that you may write to", code="GN791"
        ) from None
    if lock is None:
        message = f"the data folder `{folder}` is in use by another gonogo"
        raise UsageError(message, hint="stop that one, or name another folder", code="GN791")
    place = Workplace(folder, lock, kept=True)
    if account.uid is not None:
        folder.chmod(folder.stat().st_mode | 0o011)
    if not account.reaches(folder):
        place.leave()
        message = f"the user `{account.name}`, which the server runs as, cannot reach `{folder}`"
        raise UsageError(message, hint="name a folder below /tmp or /var/tmp", code="GN791")
    _end_left_over(folder)
    return place


def _base(account: Account) -> Path:
    """Return the folder that holds all folders of this user, made on first use."""
    for root in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if root.is_dir() and account.reaches(root):
            break
    else:
        message = f"no temporary folder that the user `{account.name}` can reach"
        raise UsageError(message, hint="set TMPDIR to such a folder", code="GN791")
    base = root / f"gonogo-services-{os.geteuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if base.is_symlink() or found.st_uid != os.geteuid():  # put there by somebody else
        message = f"`{base}` belongs to another user"
        raise UsageError(message, hint="set TMPDIR to a folder of your own", code="GN791")
    base.chmod(PASSABLE)
    return base


def _lock(path: Path, *, wait: bool = False) -> int | None:
    """Lock a file and return its descriptor, or nothing when somebody else holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sweep(base: Path) -> None:
    """Remove every folder that nobody holds, with the server that may still run in it."""
    for path in base.iterdir():
        if not path.is_dir():
            continue
        lock = _lock(path / LOCK)
        if lock is None:
            continue
        _end_left_over(path)
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _end_left_over(path: Path) -> None:
    """Kill the server of a dead owner, unless its pid belongs to another process by now."""
    try:
        pid, born = (path / PID).read_text(encoding="utf-8").split()
        number = int(pid)
    except (OSError, ValueError):
        return
    clock = SystemClock()
    deadline = clock.monotonic() + END_WITHIN_S
    while birth(number) == born and clock.monotonic() < deadline:
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            return
        clock.wait(0.01)
