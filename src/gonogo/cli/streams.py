"""The three streams of the process: open, readable in any encoding, and allowed to go away."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO, cast

_PLAIN = {
    "→": ">",
    "…": "~",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "•": "*",
    "·": ".",
    "│": "|",
    "├": "|",
    "└": "`",
    "─": "-",
    "–": "-",
    "—": "-",
    "⚠": "!",
    "×": "x",
    "\ufe0f": "",
}
"""What our own marks become where the encoding of a stream cannot hold them; as wide if they can
stand in a column."""
_HANDLER = "gonogo"

lost: list[OSError] = []
"""Why standard output could not take all data, other than that its reader went away."""


def prepare() -> None:
    """Make streams 0 to 2 usable, however the process was started.

    A stream that is closed would be given to the next file that is opened, and that could be the
    journal; a mark that an encoding cannot hold must not end a run.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    codecs.register_error(_HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    told = error.object[error.start : error.end]
    return "".join(_PLAIN.get(mark, "?") for mark in told), error.end


def write(stream: TextIO, text: str) -> None:
    """Write and flush; a stream whose other end is gone swallows this and all that follows."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:  # the reader has seen enough, as `| head -1` does
        _let_go(stream)
    except OSError as error:  # a full disk, a terminal that was closed
        if stream is sys.stdout:
            lost.append(error)
        _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """Lead the stream to nowhere, so that what is left in its buffer can be flushed there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def holds_all(stream: TextIO) -> bool:
    """Say whether the encoding of a stream can hold every character."""
    return (stream.encoding or "ascii").lower().replace("-", "").startswith("utf")


class _Steady:
    """A stream that never raises when its other end is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding
        self.fileno: Callable[[], int] = stream.fileno
        self.isatty: Callable[[], bool] = stream.isatty

    def write(self, text: str) -> int:
        write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        write(self._stream, "")


def steady(stream: TextIO) -> TextIO:
    """Return the stream for somebody who writes to it himself."""
    return cast(TextIO, _Steady(stream))
