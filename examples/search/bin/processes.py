"""Processes that run in the background, each known by its number and the moment of its birth."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
RUN = HOME / "run"
LOGS = HOME / "logs"
STOPPED_WITHIN_S = 10.0
BEAT_S = 0.05


class RefusedError(Exception):
    """A reason not to go on, in words."""


def birth(pid: int) -> str:
    """Return when a process was born, or nothing when there is none (a zombie has ended)."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        state, *rest = stat.rpartition(")")[2].split()
        return "" if state in "ZX" else rest[18]
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "".join(told.stdout.split())


def wait_for(claim: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(BEAT_S)
    return True


@dataclass(frozen=True)
class Background:
    """One process of ours; `run/NAME.pid` names it, `run/NAME.release` says what it runs.

    A number that the system has given to another process since is never mistaken for ours. Only
    that process is ever ended, nothing by name or pattern.
    """

    name: str

    @property
    def pid_file(self) -> Path:
        return RUN / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    def running(self) -> int | None:
        """Return the process that we started, if it still runs."""
        try:
            pid, born = self.pid_file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if birth(int(pid)) == born else None

    def release(self) -> str:
        """Return what it runs: the name of a release, or `none`."""
        file = RUN / f"{self.name}.release"
        return file.read_text(encoding="utf-8").strip() if self.running() else "none"

    def launch(self, command: list[str], release: Path, settings: dict[str, str]) -> int:
        """Start it apart from us: in a session of its own, with no terminal and no pipe."""
        for folder in (RUN, LOGS):
            folder.mkdir(exist_ok=True)
        child = os.fork()
        if child == 0:
            try:
                self._become(command, release, settings)
            except BaseException as error:  # noqa: BLE001 - this copy of us must end here
                os.write(2, f"{self.name}: {error!r}\n".encode())
            os._exit(70)
        return child

    def _become(self, command: list[str], release: Path, settings: dict[str, str]) -> None:
        """Turn this child into the program; it has noted its own name before it becomes it."""
        os.setsid()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, 256)
        (RUN / f"{self.name}.release").write_text(release.name + "\n", encoding="utf-8")
        fresh = self.pid_file.with_suffix(".fresh")
        fresh.write_text(f"{os.getpid()} {birth(os.getpid())}\n", encoding="ascii")
        fresh.replace(self.pid_file)
        os.chdir(release)
        os.execve(command[0], command, settings)

    def stop(self) -> str:
        """End it and return what was done; raises RefusedError when it does not end."""
        pid = self.running()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return "nothing runs"
        release = self.release()
        for number, seconds in ((signal.SIGTERM, STOPPED_WITHIN_S), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if wait_for(lambda: self.running() is None, seconds):
                break
        if self.running() is not None:
            raise RefusedError(f"process {pid} does not end")
        self.pid_file.unlink(missing_ok=True)
        return f"{release} stopped (process {pid})"


def current() -> Path:
    """Return the folder of the release that is to run."""
    link = HOME / "current"
    if not link.is_symlink():
        raise RefusedError("there is no `current`; `bin/switch RELEASE` makes it")
    return link.resolve()
