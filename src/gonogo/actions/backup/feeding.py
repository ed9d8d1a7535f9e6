"""Reads a plain SQL dump into a scratch database: unpacked, screened and handed to psql at once."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gonogo import process
from gonogo.actions.backup import archive, tools
from gonogo.actions.backup.finding import DAMAGED, Found
from gonogo.actions.backup.plain import Screen
from gonogo.actions.backup.tools import Tool
from gonogo.databases.deadline import Deadline
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_CHUNK = 1024 * 1024
_STEP_MS = 50  # how often it is looked whether psql is still there
_STEP_S = 0.01  # the same, before psql has opened the pipe


@dataclass(frozen=True, slots=True)
class Fed:
    """How it went: why it is not restored, or nothing; and how many statements were left out."""

    failure: str
    left_out: int = 0


def feed(
    found: Found, tool: Tool, parts: Mapping[str, Any], context: Context, deadline: Deadline
) -> Fed:
    """Read the dump into the database at `parts`; the first error ends it.

    Raises:
        WorkError: it did not end in time, or somebody stopped it.
    """
    pipe = context.folder / "text.pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)
    feeder = _Feeder(found, pipe)

    def is_useless() -> bool:
        return bool(feeder.problem) or context.should_stop()

    arguments = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    call = tools.Call(tool, [*arguments, f"--file={pipe}"], parts, "the restore")
    inner = replace(context, should_stop=is_useless)
    thread = threading.Thread(target=feeder.run, name="gonogo-feed", daemon=True)
    thread.start()
    try:
        outcome = tools.run(call, context.folder / "psql", inner, deadline)
    except WorkError:
        feeder.end(thread)
        if not feeder.problem:
            raise
        return Fed(feeder.problem)
    finally:
        feeder.end(thread)
        pipe.unlink(missing_ok=True)
    if feeder.problem or outcome.exit_code == 0:
        return Fed(feeder.problem, feeder.screen.left_out)
    return Fed(_explained(call, outcome, pipe, context))


def _explained(call: tools.Call, outcome: process.Outcome, pipe: Path, context: Context) -> str:
    """Say why psql has failed; its lines are those of the dump."""
    words = outcome.stderr.replace(f"psql:{pipe}:", "line ").replace("ERROR:  ", "error: ")
    line = next((part for part in words.splitlines() if part.startswith("line ")), "")
    where = line.partition(": ")[0]
    told = tools.failed(call, replace(outcome, stderr=words), context)
    return "; ".join(part for part in (told.message, where, told.hint) if part)


class _Feeder:
    """Writes the text into a pipe, as far as it may go; runs in a thread of its own."""

    def __init__(self, found: Found, pipe: Path) -> None:
        """Remember what to read, and where to write it."""
        self.screen = Screen()
        self._found = found
        self._pipe = pipe
        self._over = threading.Event()
        self._broken = ""

    @property
    def problem(self) -> str:
        """Return why the dump cannot be restored, or nothing."""
        return self._broken or self.screen.problem

    def run(self) -> None:
        """Write until the text is at its end, psql is gone, or something is wrong."""
        descriptor = self._opened()
        if descriptor is None:
            return
        try:
            with archive.opened(self._found) as file:
                while (piece := file.read(_CHUNK)) and not self.problem:
                    if not self._write(descriptor, self.screen.pass_on(piece)):
                        return
            self._write(descriptor, self.screen.finish())
        except DAMAGED as error:
            self._broken = f"it is cut off or damaged: {error}"
        finally:
            os.close(descriptor)

    def end(self, thread: threading.Thread) -> None:
        """Wait for the thread, which has nothing more to do."""
        self._over.set()
        thread.join()

    def _opened(self) -> int | None:
        """Open the pipe as soon as psql reads from it."""
        while not self._over.is_set():
            try:
                return os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    self._broken = f"it cannot be handed to psql: {error}"
                    return None
            self._over.wait(_STEP_S)
        return None

    def _write(self, descriptor: int, text: bytes) -> bool:
        """Write all of it; False when psql is gone."""
        left = memoryview(text)
        poller = select.poll()
        poller.register(descriptor, select.POLLOUT)
        while left:
            if self._over.is_set():
                return False
            if not poller.poll(_STEP_MS):
                continue
            with contextlib.suppress(BlockingIOError):
                try:
                    left = left[os.write(descriptor, left) :]
                except BrokenPipeError:
                    return False
        return True
