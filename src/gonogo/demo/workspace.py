"""The folder in which the demo's release happens, with the bundled service brought up as v1."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gonogo.demo.bundled import SEARCH
from gonogo.demo.pace import SHORT, Pace
from gonogo.errors import UsageError

SCRIPT_WITHIN_S = 60.0
REFRESH_EVERY_S = "3"  # each view, by the worker; a minute in a service that is not an exercise
ANSWERS = """\
The results of a few searches look right to somebody who knows the documents:
  answer: "yes"
  note: five searches, looked at by the demo
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A copy of the bundled service in a folder of its own, and the settings it runs with."""

    folder: Path
    settings: Mapping[str, str]

    @classmethod
    def lay_out(cls, folder: Path, programs: Path, database: str, cache: str) -> Workspace:
        """Copy the service to `folder`, give it a port and two users.

        `programs` holds psql and pg_dump; `database` and `cache` are URLs, of an empty database.
        Raises UsageError when something that the service needs is not installed.
        """
        settings = {
            **SEARCH.copy(folder, programs),
            "DATABASE_URL": database,
            "CACHE_URL": cache,
            "ALERT_URL": "off",
            "REFRESH_EVERY_S": REFRESH_EVERY_S,
        }
        (folder / "answers.yml").write_text(ANSWERS, encoding="utf-8")
        bare = cls(folder, settings)
        users = {
            "ADMIN_TOKEN": bare.script("bin/token", "ana", "admin"),
            "REGULAR_USER_TOKEN": bare.script("bin/token", "ben", "user"),
        }
        return cls(folder, {**settings, **users})

    def bring_up(self) -> None:
        """Migrate the empty database for v1, start v1 and its worker; returns when both work."""
        self.script("bin/migrate", "up", "--to", "0001", "--for", "v1")
        self.script("bin/switch", "v1")
        self.script("bin/service", "start")
        self.script("bin/worker", "start")

    def plant(self, fault: str) -> None:
        """Plant a fault, in the words of `bin/fault`; `none` takes it out."""
        self.script("bin/fault", *fault.split())

    def with_settings(self, **more: str) -> Workspace:
        """Return the same workspace with more settings, or others."""
        return Workspace(self.folder, {**self.settings, **more})

    @property
    def alerts(self) -> Path:
        """Return the file with a line of JSON per alert that arrived."""
        return self.folder / "logs" / "alerts.jsonl"

    def watch(self, pace: Pace) -> None:
        """Write the length and width of another watch into the runbook, and the time to recover."""
        self.reword({SHORT.heading: pace.heading, SHORT.recovery: pace.recovery})

    def reword(self, changes: Mapping[str, str]) -> None:
        """Replace lines of the runbook; raises UsageError when one of them is not there."""
        runbook = self.folder / "deploy.md"
        text = runbook.read_text(encoding="utf-8")
        for old, new in changes.items():
            if old not in text:
                raise UsageError(
                    f"`deploy.md` of the bundled service has no line `{old}`",
                    hint="it was changed; take the one that came with gonogo",
                )
            text = text.replace(old, new)
        runbook.write_text(text, encoding="utf-8")

    @property
    def access_log(self) -> Path:
        """Return the file with a line of JSON per request that was answered."""
        return self.folder / "logs" / "access.jsonl"

    def take_down(self) -> None:
        """Stop whatever release of the service runs, and the worker; never raises."""
        self._run("bin/worker", "stop")
        self._run("bin/service", "stop")

    def works(self, program: str, *arguments: str) -> bool:
        """Run one of the service's scripts and say whether it ended well."""
        return self._run(program, *arguments).returncode == 0

    def script(self, program: str, *arguments: str) -> str:
        """Run one of the service's scripts and return what it printed.

        Raises UsageError with its words when it fails.
        """
        told = self._run(program, *arguments)
        if told.returncode != 0:
            words = (told.stderr or told.stdout).strip()
            raise UsageError(
                f"`{program} {arguments[0]}` of the bundled service failed:\n{words}",
                hint="the lines above are its own",
            )
        return told.stdout.strip()

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.folder / program), *arguments]
        return subprocess.run(  # noqa: S603 - programs that we brought along
            command,
            cwd=self.folder,
            env=dict(self.settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SCRIPT_WITHIN_S,
            check=False,
        )
