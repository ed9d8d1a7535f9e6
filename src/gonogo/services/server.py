"""Starts, watches and ends one server process that listens on a port of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gonogo.clock import SystemClock
from gonogo.errors import InternalError, UsageError
from gonogo.services.account import Account, environment
from gonogo.services.workplace import Workplace

HOST = "127.0.0.1"
LEASH = Path(__file__).with_name("leash.py")
TRIES = 5
READY_WITHIN_S = 60.0
BEAT_S = 0.01
TAIL_LINES = 12
PASSING = ("in use", "pre-existing shared memory")  # what a second try can mend


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of server is run: its command for a port, its proof of life, its end."""

    name: str
    command: Callable[[int], Sequence[str]]
    is_ready: Callable[[int, int], bool]  # (port, pid)
    polite: signal.Signals  # the signal that ends it in good order at once
    account: Account


class Server:
    """One server process; started from the main thread only, because it ends with its starter."""

    def __init__(self, recipe: Recipe, workplace: Workplace) -> None:
        """Prepare; nothing runs before `start`."""
        self._recipe = recipe
        self._workplace = workplace
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def pid(self) -> int | None:
        """Return the process id while the server runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Start on a free port (the same one after a stop) and return when it answers.

        Raises UsageError with the last lines of the server's log when it does not.
        """
        if threading.current_thread() is not threading.main_thread():
            # the kernel ties the server to the *thread* that started it
            raise InternalError("a server must be started from the main thread")
        fixed, tail = self.port, ""
        for left in reversed(range(TRIES)):
            self.port = fixed or free_port()
            self._spawn()
            if self._became_ready():
                return
            tail = self._tail()
            self.end()
            if not left or not any(sign in tail for sign in PASSING):
                break
            SystemClock().wait(0.1)
        hint = "the lines above are the server's own"
        raise UsageError(f"{self._recipe.name} did not start:\n{tail}", hint=hint, code="GN792")

    def end(self, *, politely: bool = True) -> None:
        """End the server: in good order, then by force; nothing of it runs afterwards."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (self._recipe.polite, signal.SIGQUIT) if politely else ():
            if process.poll() is None:
                process.send_signal(number)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                continue
            return
        process.kill()
        process.wait()

    def _spawn(self) -> None:
        account = self._recipe.account
        ids = ("-", "-") if account.uid is None else (str(account.uid), str(account.gid))
        leash = (str(os.getpid()), str(int(self._recipe.polite)), *ids)
        home = None if account.uid is None else self._workplace.path
        with self._workplace.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), *leash, *self._recipe.command(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(home),
                cwd="/",
                process_group=0,  # a Ctrl-C in the terminal is ours to handle
            )
        self._workplace.note(self._process.pid)

    def _became_ready(self) -> bool:
        clock = SystemClock()
        deadline = clock.monotonic() + READY_WITHIN_S
        while (pid := self.pid) is not None and clock.monotonic() < deadline:
            if self._recipe.is_ready(self.port, pid):
                return True
            clock.wait(BEAT_S)
        return False

    def _tail(self) -> str:
        text = self._workplace.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-TAIL_LINES:]) or "it said nothing"


class Service:
    """What every server of ours can do; ends with this process, however that ends."""

    def __init__(self, recipe: Recipe, workplace: Workplace) -> None:
        """Hold what `start` of the kind prepared."""
        self._workplace = workplace
        self._server = Server(recipe, workplace)

    @property
    def port(self) -> int:
        """Return the port on 127.0.0.1, the same for the life of this object."""
        return self._server.port

    @property
    def pid(self) -> int | None:
        """Return the process id of the server while it runs."""
        return self._server.pid

    @property
    def log(self) -> Path:
        """Return the file with what the server wrote since it was last started."""
        return self._workplace.log

    def restart(self) -> None:
        """Stop in good order (or take note of a kill) and start again on the same port."""
        self._server.end()
        self._server.start()

    def kill(self) -> None:
        """Kill the server as a crash would; `restart` brings it back."""
        self._server.end(politely=False)

    def stop(self) -> None:
        """Stop, closing all connections, and remove everything unless a folder was given."""
        self._server.end()
        self._workplace.leave()

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()


def free_port() -> int:
    """Return a port that is free at this moment; somebody may take it, so starting is retried."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
