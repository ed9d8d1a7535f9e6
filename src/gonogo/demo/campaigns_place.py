"""The folder in which the campaigns service is released, brought up as v1 with its worker."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from gonogo.demo.bundled import CAMPAIGNS
from gonogo.demo.workspace import Workspace

HEADING = "Watch for 1 week in 5-minute buckets"
SHORT_HEADING = "Watch for 1 week in 5-second buckets"
CALENDAR = ("--calendar", "1/10080")  # a week in a minute
SUPPORT = {"requests-before": "41", "requests-after": "36"}


def lay_out(folder: Path, programs: Path, places: Mapping[str, str]) -> Workspace:
    """Copy the service to `folder` and give it a port of its own.

    `programs` holds psql and pg_dump; `places` has the addresses DATABASE_URL (an empty database),
    CACHE_URL and QUEUE_URL. Raises UsageError when something that it needs is not installed.
    """
    settings = {**CAMPAIGNS.copy(folder, programs), "PYTHONDONTWRITEBYTECODE": "1", **places}
    shutil.copy2(folder / "answers.example.yml", folder / "answers.yml")
    (folder / "support").mkdir()
    for name, number in SUPPORT.items():  # what somebody has counted
        (folder / "support" / name).write_text(f"{number}\n", encoding="utf-8")
    return Workspace(folder, settings)


def bring_up(place: Workspace) -> None:
    """Build and fetch v1, migrate the empty database for it and start it; v2 is only built."""
    place.script("bin/bundle", "v1")
    place.script("bin/bundle", "v2")
    place.script("bin/fetch", "v1")
    place.bring_up()


def watch(place: Workspace, heading: str = SHORT_HEADING) -> None:
    """Write another length and width into the heading of the runbook's watch."""
    place.reword({HEADING: heading})
