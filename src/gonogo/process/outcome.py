"""Turns a command's records and output files into live text, an outcome, or a clear refusal."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gonogo import shim
from gonogo.errors import WorkError
from gonogo.process.model import Command, EndedBy, OnOutput, Outcome
from gonogo.process.traces import beginning, ending, read

_CONTINUATION = range(0x80, 0xC0)  # bytes that cannot begin a character in UTF-8


class Live:
    """Follows the output files and hands on what is new in them."""

    def __init__(self, folder: Path, sink: OnOutput | None) -> None:
        """Follow the output in `folder`, from its beginning; without `sink` do nothing."""
        self._folder = folder
        self._sink = sink
        self._at = dict.fromkeys(shim.STREAMS, 0)
        self._decoders = {name: _decoder() for name in shim.STREAMS}

    def look(self) -> None:
        """Hand on what has arrived since the last look."""
        for name in shim.STREAMS if self._sink else ():
            with contextlib.suppress(FileNotFoundError), (self._folder / name).open("rb") as file:
                file.seek(self._at[name])
                while data := file.read(shim.CHUNK):
                    self._at[name] += len(data)
                    self._hand_on(name, self._decoders[name].decode(data))

    def finish(self, name: str, rest: str) -> None:
        """Hand on what only the end of the command has brought to light."""
        self._hand_on(name, self._decoders[name].decode(b"", final=True) + rest)

    def _hand_on(self, name: str, text: str) -> None:
        if self._sink and text:
            self._sink(name, text)


def _decoder() -> io.IncrementalNewlineDecoder:
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    return io.IncrementalNewlineDecoder(utf8, translate=True)


def outcome(folder: Path, command: Command, live: Live, *, reattached: bool) -> Outcome:
    """Say how the command in `folder` ended; it must not be running.

    Raises WorkError if it could not be started, or if its output could not be kept.
    """
    record = ending(folder)
    if record:
        problem = record.get("problem")
        if problem:
            raise cannot_start(
                problem["stage"], problem["errno"], command.argv[0], str(command.cwd), folder
            )
        _refuse_unkept(folder, record)
    texts = {}
    for name in shim.STREAMS:
        texts[name], rest = _text(folder, name, (record or {}).get(name) or {})
        live.finish(name, rest)
    if not record:
        started = beginning(folder).get("started_at")
        record = {"ended_by": EndedBy.LOST, "started_at": started}
    return Outcome(
        exit_code=record.get("exit_code"),
        signal=record.get("signal"),
        stdout=texts["stdout"],
        stderr=texts["stderr"],
        duration_s=record.get("duration_s", 0.0),
        ended_by=EndedBy(record["ended_by"]),
        truncated=any(record.get(name, {}).get("dropped") for name in shim.STREAMS),
        reattached=reattached,
        started=_moment(record.get("started_at")),
        ended=_moment(record.get("ended_at")),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _text(folder: Path, name: str, numbers: Mapping[str, int]) -> tuple[str, str]:
    """Return a stream's whole text, and of it what is behind the gap (with the gap's own line)."""
    head = _bytes(folder / name)
    tail = _bytes(folder / f"{name}{shim.TAIL}")
    missing = numbers.get("bytes", 0) - len(head) - len(tail)
    rest = ""
    if missing > 0:
        begin = next((i for i, byte in enumerate(tail[:4]) if byte not in _CONTINUATION), 0)
        rest = f"\n… {missing} bytes of output are left out here …\n" + _decode(tail[begin:])
    return _decode(head) + rest, rest


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _decode(data: bytes) -> str:
    return _decoder().decode(data, final=True)


def _refuse_unkept(folder: Path, record: Mapping[str, Any]) -> None:
    for name in shim.STREAMS:
        code = record.get(name, {}).get("errno")
        if code:
            ended = f"exit code {record['exit_code']}"
            if record["exit_code"] is None:
                ended = f"signal {record['signal']}"
            raise WorkError(
                f"the command ended with {ended}, but its {name} could not be kept in "
                f"`{folder}`: {os.strerror(code).lower()}",
                hint="make room on that disk; what the command did is done",
            )


def cannot_start(
    stage: str, code: int, program: str, cwd: str, folder: Path | None = None
) -> WorkError:
    """Say why a program could not be started: `stage` is what failed, `code` an errno."""
    reason = os.strerror(code).lower() if code > 0 else "not a valid text"
    if stage == "cwd":
        found = {
            errno.ENOENT: f"the working folder `{cwd}` does not exist",
            errno.ENOTDIR: f"the working folder `{cwd}` is not a folder",
        }.get(code, f"the working folder `{cwd}` cannot be entered: {reason}")
        return WorkError(found, hint="create the folder or correct `cwd`")
    if stage != "exec":
        return WorkError(f"`{program}` could not be started in `{folder}`: {reason}")
    if code == errno.ENOENT and "/" in program:
        return WorkError(
            f"cannot run `{program}`: it, or the interpreter in its first line, does not exist",
            hint=f"correct the path; a relative one starts in `{cwd}`",
        )
    known = {
        errno.ENOENT: (f"command not found: `{program}`", "install it or write its full path"),
        errno.EACCES: (
            f"`{program}` is not executable",
            f"`chmod +x {program}`, or run it through its interpreter",
        ),
        errno.ENOEXEC: (
            f"`{program}` is not a program for this machine",
            "a script needs a first line such as `#!/bin/sh`",
        ),
        errno.E2BIG: (
            f"the arguments and the environment of `{program}` are too long",
            "hand long content over on standard input or in a file",
        ),
    }
    message, hint = known.get(code, (f"cannot run `{program}`: {reason}", ""))
    return WorkError(message, hint=hint)


def cannot_watch(error: OSError, python: str, program: str) -> WorkError:
    """Say that our own Python, which watches over a command, could not be run; `program` was not.

    The environment is the command's own, so what is too long there is said of the command.
    """
    if error.errno == errno.E2BIG:
        return cannot_start("exec", errno.E2BIG, program, "")
    reason = (error.strerror or str(error)).lower()
    if error.filename is None:  # the system gave us no new process
        return WorkError(
            f"no process could be started for `{program}`: {reason}",
            hint="see the limits of this user (`ulimit -a`) and of the machine",
        )
    return WorkError(
        f"gonogo cannot run its own Python `{python}` to watch over `{program}`: {reason}",
        hint="install gonogo again where its Python stays; nothing of the command has run",
    )


def not_started(folder: Path, words: str) -> WorkError:
    """Say that the shim broke before it could start the command, with its last words."""
    last = words.splitlines()[-1] if words else "it was ended from outside"
    return WorkError(
        f"the command could not be started in `{folder}`: {last}",
        hint="nothing of it has run; it may be started again",
    )


def refuse_unusable(command: Command) -> None:
    """Raise WorkError for a command that no system can start; never shows a value."""
    if not command.argv or not command.argv[0]:
        raise WorkError("the command is empty", hint="name a program")
    for text in (*command.argv, str(command.cwd)):
        if "\0" in text:
            raise WorkError(f"the command `{command.argv[0]}` has a NUL character in an argument")
    for name, value in command.environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise WorkError(
                f"the variable `{name}` cannot be handed to a command",
                hint="a name has no `=`; neither name nor value has a NUL character",
            )


def refuse_another(command: Command, folder: Path) -> None:
    """Raise WorkError if `folder` holds the record of a different command."""
    found = (read(folder, shim.COMMAND) or {}).get("argv", list(command.argv))
    if found != list(command.argv):
        shown = found[0] if isinstance(found, list) and found else found
        raise WorkError(
            f"`{folder}` holds the record of another command: `{shown}`, expected "
            f"`{command.argv[0]}`",
            hint="each command needs a folder of its own",
        )
