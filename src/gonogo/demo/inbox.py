"""Takes the alerts of the release, with the same `bin/inbox` that comes with the service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gonogo.services.server import HOST, free_port

ENDS_WITHIN_S = 10.0
SEVERITIES = ("critical", "page", "warn")


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived: its severity and state, and those and the text of each alert."""

    at: str
    severity: str
    state: str
    alerts: tuple[tuple[str, str, str], ...]  # severity, state, text

    def say(self) -> str:
        """Return the message as a line for the screen."""
        words = "; ".join(text for _, _, text in self.alerts)
        return f"  {self.at[11:19]}  {self.severity:<9}{self.state:<9} {words}"


class Inbox:
    """A receiver of webhooks while the context lasts; `url` is its address."""

    def __init__(self, program: Path, file: Path) -> None:
        """Keep what comes in `file`, which is made when the first message comes."""
        port = free_port()
        self.url = f"http://{HOST}:{port}/"
        self._command = [sys.executable, str(program), str(port), str(file)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Begin to listen; returns when messages are taken."""
        self._process = subprocess.Popen(  # noqa: S603 - a program that we brought along
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._process.stdout is not None:
            self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def read(file: Path) -> tuple[Message, ...]:
    """Return what arrived, in its order; nothing when nothing did."""
    if not file.exists():
        return ()
    return tuple(_message(json.loads(line)) for line in file.read_text("utf-8").splitlines())


def begun(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the severities of the alerts that were told of as begun, each once, worst first.

    Alerts that begin in the same moment come in one message, so their order says nothing.
    """
    told = {sev for note in messages for sev, state, _ in note.alerts if state != "resolved"}
    return tuple(severity for severity in SEVERITIES if severity in told)


def _message(kept: Mapping[str, Any]) -> Message:
    body = kept["message"]
    alerts = tuple((each["severity"], each["state"], each["text"]) for each in body["alerts"])
    return Message(kept["at"], body["severity"], body["state"], alerts)
