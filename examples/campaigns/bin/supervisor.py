"""Starts and ends one program of the release in the background, and knows which process it is.

Used by `service` and `worker`. The process is named by its number and the moment of its birth in
run/NAME.pid, so a number that the system has given to another process since is never mistaken for
ours. Only that process is ever ended, nothing by name or pattern.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
RUN = HOME / "run"
READY_WITHIN_S = 20.0
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
class Program:
    """One program of the release: its name, its file, and how to see that it is ready."""

    name: str
    file: str
    ready: Callable[[str], str]  # given the release: why it is not ready, or nothing

    @property
    def pid_file(self) -> Path:
        return RUN / f"{self.name}.pid"

    @property
    def release_file(self) -> Path:
        return RUN / f"{self.name}.release"

    @property
    def log(self) -> Path:
        return HOME / "logs" / f"{self.name}.log"

    def pid(self) -> int | None:
        """Return the process that we started, if it still runs."""
        try:
            pid, born = self.pid_file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if birth(int(pid)) == born else None

    def running_release(self) -> str:
        return self.release_file.read_text(encoding="utf-8").strip() if self.pid() else "none"

    def start(self) -> None:
        link = HOME / "current"
        if not link.is_symlink():
            raise RefusedError("there is no `current`; `bin/switch RELEASE` makes it")
        release = link.resolve()
        if (pid := self.pid()) is not None:
            runs = self.running_release()
            if runs != release.name:
                raise RefusedError(f"{runs} runs, `current` is {release.name}; use `restart`")
            print(f"{self.name} {release.name} runs already (process {pid})")
            return
        began = time.monotonic()
        written = self.log.stat().st_size if self.log.exists() else 0
        child = self._launch(release)
        if problem := self._trouble(child, release.name):
            with self.log.open(encoding="utf-8", errors="replace") as log:
                log.seek(written)
                print("".join(log.readlines()[-12:]), file=sys.stderr, end="")
            raise RefusedError(f"{self.name} {release.name} {problem}")
        took = time.monotonic() - began
        print(f"{self.name} {release.name} is ready (process {child}, {took:.1f} s)")

    def stop(self) -> None:
        pid = self.pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            print(f"{self.name}: nothing runs")
            return
        release = self.running_release()
        for number, seconds in ((signal.SIGTERM, STOPPED_WITHIN_S), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if wait_for(lambda: self.pid() is None, seconds):
                break
        if self.pid() is not None:
            raise RefusedError(f"process {pid} does not end")
        self.pid_file.unlink(missing_ok=True)
        print(f"{self.name} {release} stopped (process {pid})")

    def restart(self) -> None:
        self.stop()
        self.start()

    def status(self) -> None:
        release = self.running_release()
        if release == "none":
            raise RefusedError(f"{self.name}: nothing runs")
        if problem := self.ready(release):
            raise RefusedError(f"{self.name} {release} runs, but {problem}")
        print(f"{self.name} {release} is ready (process {self.pid()})")

    def release(self) -> None:
        print(self.running_release())
        if self.pid() is None:
            raise RefusedError(f"{self.name}: nothing runs")

    def main(self) -> int:
        commands = {"start": self.start, "stop": self.stop, "restart": self.restart}
        looks = {"status": self.status, "release": self.release}
        if len(sys.argv) != 2 or sys.argv[1] not in commands | looks:
            print(f"usage: {self.name} {'|'.join(commands | looks)}", file=sys.stderr)
            return 2
        RUN.mkdir(exist_ok=True)
        with (RUN / f"{self.name}.lock").open("w") as lock:
            if sys.argv[1] in commands:
                fcntl.flock(lock, fcntl.LOCK_EX)  # two that start at once would start two
            try:
                (commands | looks)[sys.argv[1]]()
            except RefusedError as reason:
                print(f"{self.name}: {reason}", file=sys.stderr)
                return 1
            except KeyError as missing:
                print(f"{self.name}: {missing.args[0]} is not set", file=sys.stderr)
                return 2
        return 0

    def _launch(self, release: Path) -> int:
        """Start the program apart from us: in a session of its own, with no terminal or pipe."""
        for folder in (RUN, self.log.parent):
            folder.mkdir(exist_ok=True)
        child = os.fork()
        if child == 0:
            try:
                self._become(release)
            except BaseException as error:  # noqa: BLE001 - this copy of us must end here
                os.write(2, f"{self.name}: {error!r}\n".encode())
            os._exit(70)
        return child

    def _become(self, release: Path) -> None:
        """Turn this child into the program; it has noted its own name before it becomes it."""
        os.setsid()
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, 256)
        self.release_file.write_text(release.name + "\n", encoding="utf-8")
        fresh = self.pid_file.with_suffix(".fresh")
        fresh.write_text(f"{os.getpid()} {birth(os.getpid())}\n", encoding="ascii")
        fresh.replace(self.pid_file)
        os.chdir(release)
        settings = {**os.environ, "CAMPAIGNS_HOME": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}
        os.execve(sys.executable, [sys.executable, self.file], settings)

    def _trouble(self, child: int, release: str) -> str:
        """Wait until the child is ready; return why it never was, and leave nothing then."""
        ended = False
        problem = ""

        def settled() -> bool:
            nonlocal ended, problem
            ended = os.waitpid(child, os.WNOHANG)[0] != 0
            problem = "" if ended else self.ready(release)
            return ended or not problem

        in_time = wait_for(settled, READY_WITHIN_S)
        if ended:
            self.pid_file.unlink(missing_ok=True)
            return "ended at once"
        if in_time:
            return ""
        self.stop()
        return f"was not ready in {READY_WITHIN_S:.0f} s: {problem}"
