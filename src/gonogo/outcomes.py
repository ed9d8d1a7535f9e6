"""What became of each run of a folder, in one small file per run, for checks of later runs.

`runs/ID/outcome.json` is written when a run starts and replaced when it ends. It repeats what the
journal says and is no evidence: a check that asks "was staging released, and how did it go" reads
it without opening the journal of a run that may be going on.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

FILE = "outcome.json"
_LONGEST_S = 1e12


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run, from outside. Times are ISO 8601 in UTC, parts of the way back in seconds."""

    run: str
    service: str
    environment: str = ""
    release: str = ""
    who: str = ""
    started: str = ""
    ended: str = ""  # empty while it goes on
    verdict: str = ""  # `go`, `no-go`, `hold`, `rolled back`; empty while it goes on
    drill: bool = False  # `gonogo drill`: the way back was rehearsed
    passed: bool = False  # a drill that went back, was proved, and was in time
    expires: str = ""  # of a drill: until when it counts
    rollback: str = ""  # digest of the rollback section; empty without one
    stated_s: float | None = None  # how long the way back may take, where the runbook says it
    times: Mapping[str, float] = field(default_factory=dict)  # detect_s, decide_s, act_s, recover_s
    why: str = ""

    @property
    def took_s(self) -> float:
        """Return how long the way back took in all."""
        return sum(self.times.values())


def seconds_since(ended: str, now: datetime) -> float:
    """Return the seconds from a moment in ISO 8601 to `now`, never less than none."""
    return max((now - datetime.fromisoformat(ended)).total_seconds(), 0.0)


def write(folder: Path, outcome: Outcome) -> None:
    """Keep the outcome in the folder of its run: the old file or the new one is there, whole.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(outcome), file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def read(folder: Path) -> Outcome | None:
    """Return the outcome of the run in this folder; None when there is none that can be read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    known = {one.name for one in dataclasses.fields(Outcome)}
    try:
        outcome = Outcome(**{name: value for name, value in found.items() if name in known})
    except TypeError:
        return None
    return outcome if _is_sound(outcome) else None


def _is_sound(outcome: Outcome) -> bool:
    """Say whether every field holds what it is for; a damaged outcome is never half believed."""
    fields = dataclasses.asdict(outcome)
    times = fields.pop("times")
    if not isinstance(times, dict):
        return False
    numbers = [*times.values(), fields.pop("stated_s") or 0.0]
    flags = [fields.pop(name) for name in ("drill", "passed")]
    return (
        all(isinstance(flag, bool) for flag in flags)
        and all(isinstance(word, str) for word in fields.values())
        and all(isinstance(n, int | float) and abs(n) < _LONGEST_S for n in numbers)
        and all(_is_moment(text) for text in (outcome.ended, outcome.expires))
    )


def _is_moment(text: str) -> bool:
    try:
        return not text or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def all_in(runs: Path) -> tuple[Outcome, ...]:
    """Return the outcomes of all runs below `runs`, oldest first."""
    try:
        folders = list(runs.iterdir())
    except OSError:
        return ()
    found = [outcome for folder in folders if (outcome := read(folder)) is not None]
    return tuple(sorted(found, key=lambda outcome: (outcome.started, outcome.run)))


def damaged_in(runs: Path) -> tuple[Path, ...]:
    """Return the outcomes below `runs` that are there and cannot be read."""
    return tuple(file for file in sorted(runs.glob(f"*/{FILE}")) if read(file.parent) is None)
