"""The services that come with the demo: where they lie, and what a copy of one needs to run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import gonogo
from gonogo.errors import UsageError
from gonogo.services.account import environment
from gonogo.services.server import HOST, free_port

IN_PACKAGE = Path(__file__).parent
IN_CHECKOUT = Path(__file__).parents[3] / "examples"
PACKAGE_ROOT = Path(gonogo.__file__).parents[1]
TOOLS = ".tools"
LEFT_BEHIND = (".gonogo", "backups", "current", "logs", "run", TOOLS, "__pycache__")


@dataclass(frozen=True, slots=True)
class Bundled:
    """A service that came with the package, or lies in its checkout."""

    packaged: str  # its folder in the installed package
    name: str  # its folder among the examples of a checkout
    traces: tuple[str, ...]  # of a release by hand, beside those that each service leaves

    def original(self) -> Path:
        """Return the folder of the service; raises UsageError when it is not there."""
        checkout = IN_CHECKOUT / self.name
        for folder in (IN_PACKAGE / self.packaged, checkout):
            if (folder / "deploy.md").is_file():
                return folder
        raise UsageError(
            f"the bundled service is missing, expected `{checkout}`",
            hint="run the demo from a complete checkout or an installed package",
        )

    def copy(self, folder: Path, programs: Path) -> dict[str, str]:
        """Copy the service to `folder`; return the settings to run it there, on a free port.

        `programs` holds psql and pg_dump. Raises UsageError when something that the service needs
        is not installed.
        """
        if find_spec("uvicorn") is None:
            raise UsageError(
                "the demo needs `uvicorn`, which is not installed",
                hint="install the package with its extra: gonogo[demo]",
            )
        left_behind = shutil.ignore_patterns(*LEFT_BEHIND, *self.traces)
        shutil.copytree(self.original(), folder, ignore=left_behind)
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)  # some ways of unpacking lose it
        packages = (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))
        inherited = environment()
        paths = (str(_tools(folder / TOOLS)), str(programs), inherited.get("PATH", os.defpath))
        return {
            **inherited,
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": os.pathsep.join(filter(None, packages)),
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "APP_URL": f"http://{HOST}:{free_port()}",
        }


SEARCH = Bundled("search", "search", ("tokens.json",))
CAMPAIGNS = Bundled(
    "campaigns_example", "campaigns", ("bundles", "faults.json", "releases", "support")
)


def _tools(folder: Path) -> Path:
    """Make `python3` mean our own Python, whatever else lies in the folders of PATH."""
    folder.mkdir()
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return folder
