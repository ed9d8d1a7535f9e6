"""Real commands in real folders: how the tests of `gonogo.process` build and watch them."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gonogo.process import Command

BuildCommand = Callable[..., Command]
SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder in which commands run."""
    place = tmp_path / "work"
    place.mkdir()
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder in which one command is recorded."""
    return tmp_path / "runs" / "7f3a" / "item"


@pytest.fixture
def sh(work: Path) -> BuildCommand:
    """Build a command from shell text, with defaults for the rest."""

    def build(text: str, **changes: Any) -> Command:
        given: dict[str, Any] = {
            "argv": ("bash", "-c", text),
            "cwd": work,
            "environment": {"PATH": os.environ["PATH"]},
            "timeout_s": 60.0,
            "durable": False,
        }
        return Command(**(given | changes))

    return build


@dataclass(frozen=True)
class Fifo:
    """A named pipe: what a test and a command wait for each other with."""

    path: Path

    def send(self, text: str = "go\n") -> None:
        """Let the reader go on; waits until there is one."""
        self.path.write_text(text)

    def receive(self) -> str:
        """Wait for a line of the command, at most 20 seconds."""
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            assert select.select([descriptor], [], [], 20)[0], f"nothing came through {self.path}"
            return os.read(descriptor, 1000).decode()
        finally:
            os.close(descriptor)


@pytest.fixture
def fifo(work: Path) -> Callable[[str], Fifo]:
    """Make a named pipe in the command's folder."""

    def make(name: str) -> Fifo:
        os.mkfifo(work / name)
        return Fifo(work / name)

    return make


def record(folder: Path, name: str = "pid.json") -> dict[str, Any]:
    """Read a record of the shim."""
    data: dict[str, Any] = json.loads((folder / name).read_text())
    return data


def await_end(pid: int, seconds: float = 20) -> None:
    """Wait until a process that need not be our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], seconds)[0], f"process {pid} does not end"
    finally:
        os.close(descriptor)


def await_kept(folder: Path, text: str, seconds: float = 20) -> None:
    """Wait until the shim has written `text` of the command's output to its file."""
    ticks = threading.Event()
    for _ in range(int(seconds * 100)):
        path = folder / "stdout"
        if path.exists() and text in path.read_text(errors="replace"):
            return
        ticks.wait(0.01)
    raise AssertionError(f"{text!r} was not kept within {seconds} s")


def is_running(pid: int) -> bool:
    """Say whether a process is alive (a zombie is not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def processes_of(folder: Path) -> list[int]:
    """Return the processes that name `folder` in their arguments: its shims."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words[-2:] == [str(folder).encode(), b""]:
                found.append(int(entry.name))
    return found


HELPER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from gonogo.process import Command, run
    argv, cwd, folder, timeout, path = sys.argv[1:]
    print("ready", flush=True)
    run(Command(("bash", "-c", argv), Path(cwd), {"PATH": path}, float(timeout), durable=False),
        Path(folder))
    print("over", flush=True)
    """
)


@dataclass(frozen=True)
class Helper:
    """Another Python process that is inside `run`, to be killed."""

    process: subprocess.Popen[str]

    def await_ready(self) -> None:
        """Wait until it is just about to call `run`."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def helper(work: Path, folder: Path) -> Iterator[Callable[..., Helper]]:
    """Start helpers, and leave none behind."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *, timeout_s: float = 60, into: Path | None = None) -> Helper:
        arguments = [text, str(work), str(into or folder), str(timeout_s), os.environ["PATH"]]
        process = subprocess.Popen(
            [sys.executable, "-c", HELPER, *arguments],
            env={"PYTHONPATH": str(SOURCES)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Helper(process)

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
