"""A terminal for tests: a real pseudo-terminal with a process that believes in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.cli.running import PROGRAM, surroundings

_PATIENCE_S = 60.0
_DRAWING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x1b(?:\[[0-9;?]*)?$")


def _take_terminal() -> None:
    """Make it the controlling terminal; its end counts, also where the tests run under `nohup`."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """One command at a terminal of 80 columns; every wait is for words, never for time."""

    def __init__(self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        """Start the command with the terminal as its controlling one."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        settings = termios.tcgetattr(theirs)
        settings[3] &= ~termios.ECHO  # what we type must not look like what was said
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        self.child = subprocess.Popen(
            [*PROGRAM, *(str(word) for word in words)],
            cwd=cwd,
            env=surroundings(env),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509
        )
        os.close(theirs)
        self.raw = ""
        self._at = 0
        self._open = True

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.hang_up()

    @property
    def seen(self) -> str:
        """Everything that was shown, without the drawing."""
        return _DRAWING.sub("", self.raw)

    def expect(self, words: str) -> str:
        """Wait until `words` are shown after all that was expected before; return what came."""
        end = time.monotonic() + _PATIENCE_S
        while (place := self.seen.find(words, self._at)) < 0:
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"never showed {words!r}:\n{self.seen}")
        came = self.seen[self._at : place + len(words)]
        self._at = place + len(words)
        return came

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C: every process in the foreground of the terminal gets it."""
        os.write(self._ours, b"\x03")

    def press_ctrl_d(self) -> None:
        """Press Ctrl-D: the end of input."""
        os.write(self._ours, b"\x04")

    def hang_up(self) -> None:
        """Close the terminal window."""
        if self._open:
            os.close(self._ours)
            self._open = False

    def end(self) -> int:
        """Wait for the end of the command; return its exit code."""
        end = time.monotonic() + _PATIENCE_S
        while self._open and self._read(end - time.monotonic()):
            pass
        return self.child.wait(timeout=max(1.0, end - time.monotonic()))

    def _read(self, patience_s: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, patience_s))
        if not ready:
            return False
        try:
            more = os.read(self._ours, 65536)
        except OSError:  # the other side is closed
            return False
        self.raw += more.decode(errors="replace")
        return bool(more)
