"""The folder where runs are kept: its journal, its lock, the reports of each run."""

from __future__ import annotations

import argparse
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from gonogo.clock import SystemClock
from gonogo.errors import UsageError
from gonogo.run.journal import Event, Journal
from gonogo.store.journal import SqliteJournal, is_served

DEFAULT = ".gonogo"


@dataclass(frozen=True, slots=True)
class Home:
    """A folder of runs."""

    folder: Path

    @property
    def journal_file(self) -> Path:
        """Where events and checkpoints are."""
        return self.folder / "journal.db"

    def journal(self, *, create: bool = False) -> SqliteJournal:
        """Open the journal.

        Raises:
            JournalError: it cannot be used, or (without `create`) there is none.
        """
        return SqliteJournal(self.journal_file, SystemClock(), create=create)

    def run_folder(self, run: str) -> Path:
        """Return the folder of one run."""
        return self.folder / "runs" / run

    def is_served(self) -> bool:
        """Say whether a process carries a release from here right now."""
        return is_served(self.journal_file.with_suffix(".lock"))

    def salt(self) -> str:
        """Return the random text that makes fingerprints of secrets worthless elsewhere."""
        file = self.folder / "salt"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
                stream.write(secrets.token_hex(16))
        return file.read_text(encoding="utf-8")


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of runs."""
    parser.add_argument(
        "--home",
        default=os.environ.get("GONOGO_HOME", DEFAULT),
        metavar="DIR",
        help="where runs are kept (default: .gonogo here, or $GONOGO_HOME)",
    )


def home_of(options: argparse.Namespace) -> Home:
    """Return the folder of runs that the options name."""
    return Home(Path(options.home).absolute())


def is_open(events: tuple[Event, ...]) -> bool:
    """Say whether a run has no verdict yet."""
    return not any(event.kind == "verdict.given" for event in events)


def pick_run(journal: Journal, wanted: str | None, *, only_open: bool) -> str:
    """Return the run that is meant: by the beginning of its id, else the latest.

    Raises:
        UsageError: there is none, or the beginning fits several.
    """
    runs = journal.runs()
    if wanted is not None:
        fitting = [run for run in runs if run.startswith(wanted)]
        if len(fitting) != 1:
            known = ", ".join(runs[-5:]) or "none"
            what = "no run begins with" if not fitting else "several runs begin with"
            raise UsageError(f"{what} `{wanted}`", hint=f"latest runs: {known}")
        return fitting[0]
    usable = [run for run in runs if not only_open or is_open(journal.events(run))]
    if not usable:
        words = "no run is open" if only_open else "no run was made here yet"
        raise UsageError(words, hint="`gonogo status` lists the runs of this folder")
    if only_open and len(usable) > 1:
        raise UsageError("several runs are open", hint=f"name one of: {', '.join(usable)}")
    return usable[-1]
