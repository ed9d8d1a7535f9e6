"""The folder in which the campaigns service is released, brought up as v1 with its worker."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import gonogo
from gonogo.demo.workspace import Workspace
from gonogo.errors import UsageError
from gonogo.services.account import environment
from gonogo.services.server import HOST, free_port

IN_WHEEL = Path(__file__).parent / "campaigns_example"
IN_CHECKOUT = Path(__file__).parents[3] / "examples" / "campaigns"
LEFT_BEHIND = (
    ".gonogo",
    "backups",
    "bundles",
    "current",
    "faults.json",
    "logs",
    "releases",
    "run",
    "support",
    ".tools",
    "__pycache__",
)


def example() -> Path:
    """Return the folder of the bundled service; raises UsageError when it is not there."""
    for folder in (IN_WHEEL, IN_CHECKOUT):
        if (folder / "deploy.md").is_file():
            return folder
    raise UsageError(
        f"the bundled service is missing, expected `{IN_CHECKOUT}`",
        hint="run the demo from a complete checkout or an installed package",
    )


HEADING = "Watch for 1 week in 5-minute buckets"
SHORT_HEADING = "Watch for 1 week in 5-second buckets"
CALENDAR = ("--calendar", "1/10080")  # a week in a minute
SUPPORT = {"requests-before": "41", "requests-after": "36"}


def lay_out(folder: Path, programs: Path, places: Mapping[str, str]) -> Workspace:
    """Copy the service to `folder` and give it a port of its own.

    `programs` holds psql and pg_dump; `places` has the addresses DATABASE_URL (an empty database),
    CACHE_URL and QUEUE_URL. Raises UsageError when something that it needs is not installed.
    """
    if find_spec("uvicorn") is None:
        raise UsageError(
            "the demo needs `uvicorn`, which is not installed",
            hint="install the package with its extra: gonogo[demo]",
        )
    shutil.copytree(example(), folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)  # some ways of unpacking lose it
    shutil.copy2(folder / "answers.example.yml", folder / "answers.yml")
    (folder / "support").mkdir()
    for name, number in SUPPORT.items():  # what somebody has counted
        (folder / "support" / name).write_text(f"{number}\n", encoding="utf-8")
    tools = folder / ".tools"
    tools.mkdir()
    python = tools / "python3"  # our own Python, whatever else lies in the folders of PATH
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    inherited = environment()
    package_root = str(Path(gonogo.__file__).parents[1])
    packages = filter(None, (package_root, os.environ.get("PYTHONPATH", "")))
    paths = (str(tools), str(programs), inherited.get("PATH", os.defpath))
    settings = {
        **inherited,
        "PATH": os.pathsep.join(paths),
        "PYTHONPATH": os.pathsep.join(packages),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": HOST,
        "no_proxy": HOST,
        "APP_URL": f"http://{HOST}:{free_port()}",
        **places,
    }
    return Workspace(folder, settings)


def bring_up(place: Workspace) -> None:
    """Build and fetch v1, migrate the empty database for it and start it; v2 is only built."""
    place.script("bin/bundle", "v1")
    place.script("bin/bundle", "v2")
    place.script("bin/fetch", "v1")
    place.script("bin/migrate", "up", "--to", "0001", "--for", "v1")
    place.script("bin/switch", "v1")
    place.script("bin/service", "start")
    place.script("bin/worker", "start")


def watch(place: Workspace, heading: str = SHORT_HEADING) -> None:
    """Write another length and width into the heading of the runbook's watch."""
    runbook = place.folder / "deploy.md"
    text = runbook.read_text(encoding="utf-8")
    if HEADING not in text:
        raise UsageError(
            f"`deploy.md` of the bundled service has no heading `{HEADING}`",
            hint="it was changed; take the one that came with gonogo",
        )
    runbook.write_text(text.replace(HEADING, heading), encoding="utf-8")


def take_down(place: Workspace) -> None:
    """Stop whatever release of the service and its worker runs; never raises."""
    for program in ("bin/worker", "bin/service"):
        place.works(program, "stop")
