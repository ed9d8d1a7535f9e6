"""The folder in which the demo's release happens, with the bundled service brought up as v1."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import gonogo
from gonogo.demo.pace import SHORT, Pace
from gonogo.errors import UsageError
from gonogo.services.account import environment
from gonogo.services.server import HOST, free_port

IN_WHEEL = Path(__file__).parent / "search"
IN_CHECKOUT = Path(__file__).parents[3] / "examples" / "search"
LEFT_BEHIND = (
    ".gonogo",
    "backups",
    "current",
    "logs",
    "run",
    "tokens.json",
    ".tools",
    "__pycache__",
)
PACKAGE_ROOT = Path(gonogo.__file__).parents[1]
SCRIPT_WITHIN_S = 60.0
REFRESH_EVERY_S = "3"  # each view, by the worker; a minute in a service that is not an exercise
ANSWERS = """\
The results of a few searches look right to somebody who knows the documents:
  answer: "yes"
  note: five searches, looked at by the demo
"""


def example() -> Path:
    """Return the folder of the bundled service; raises UsageError when it is not there."""
    for folder in (IN_WHEEL, IN_CHECKOUT):
        if (folder / "deploy.md").is_file():
            return folder
    raise UsageError(
        f"the bundled service is missing, expected `{IN_CHECKOUT}`",
        hint="run the demo from a complete checkout or an installed package",
    )


def _tools(folder: Path) -> Path:
    """Make `python3` mean our own Python, whatever else lies in the folders of PATH."""
    folder.mkdir()
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return folder


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
        if find_spec("uvicorn") is None:
            raise UsageError(
                "the demo needs `uvicorn`, which is not installed",
                hint="install the package with its extra: gonogo[demo]",
            )
        shutil.copytree(example(), folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)  # some ways of unpacking lose it
        (folder / "answers.yml").write_text(ANSWERS, encoding="utf-8")
        packages = (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))
        tools = _tools(folder / ".tools")
        inherited = environment()
        settings = {
            **inherited,
            "PATH": os.pathsep.join((str(tools), str(programs), inherited.get("PATH", os.defpath))),
            "PYTHONPATH": os.pathsep.join(filter(None, packages)),
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "APP_URL": f"http://{HOST}:{free_port()}",
            "DATABASE_URL": database,
            "CACHE_URL": cache,
            "ALERT_URL": "off",
            "REFRESH_EVERY_S": REFRESH_EVERY_S,
        }
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
        runbook = self.folder / "deploy.md"
        text = runbook.read_text(encoding="utf-8")
        for old, new in ((SHORT.heading, pace.heading), (SHORT.recovery, pace.recovery)):
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
