"""What a backup of the shop holds, what lies in its folder, and what a look at it says."""

from __future__ import annotations

from pathlib import Path

from tests.support.backups import Shop

from gonogo import records
from gonogo.actions.backup import CheckBackup
from gonogo.plan.kinds import Effect, Observation

ROWS = {"public.users": 50, "public.documents": 500, "app.settings": 1, "public.logs_2026": 1}


def look(shop: Shop, path: str, **said: object) -> Observation:
    return CheckBackup(path=path, **said).perform(shop.context(Effect.CHECK))  # type: ignore[arg-type]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def recorded(shop: Shop) -> list[tuple[bool, str]]:
    found = records.read(shop.folder / "run", records.RESTORE_TESTS)
    return [(record["passed"], record["why"]) for record in found]
