"""The folder where runs are kept: its journal, its lock, the reports of each run."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.clock import SystemClock
from gonogo.errors import JournalError, UsageError
from gonogo.redaction import Redactor
from gonogo.run.journal import Event, Journal

if TYPE_CHECKING:
    from gonogo.store.journal import SqliteJournal

DEFAULT = ".gonogo"


@dataclass(frozen=True, slots=True)
class Home:
    """A folder of runs; whatever the file system refuses is said as a `JournalError`."""

    folder: Path

    @property
    def journal_file(self) -> Path:
        """Where events and checkpoints are."""
        return self.folder / "journal.db"

    def has_journal(self) -> bool:
        """Say whether anything was ever run here."""
        with self._said():
            return self.journal_file.exists()

    def journal(self, *, create: bool = False) -> SqliteJournal:
        """Open the journal.

        Raises:
            JournalError: it cannot be used, or (without `create`) there is none.
        """
        from gonogo.store.journal import SqliteJournal

        with self._said():
            redact = Redactor.of_bindings(os.environ)
            return SqliteJournal(self.journal_file, SystemClock(), create=create, redact=redact)

    def run_folder(self, run: str) -> Path:
        """Return the folder of one run."""
        return self.folder / "runs" / run

    def is_served(self) -> bool:
        """Say whether a process carries a release from here right now."""
        from gonogo.store.journal import is_served

        with self._said():
            return is_served(self.journal_file.with_suffix(".lock"))

    def salt(self, *, create: bool = False) -> str:
        """Return the random text that makes fingerprints of secrets worthless elsewhere.

        Raises:
            JournalError: there is none (without `create`), or it cannot be read or written.
        """
        file = self.folder / "salt"
        with self._said():
            if create and not file.exists():
                self._make_salt(file)
            if not file.exists():
                raise JournalError(
                    f"`{file}` is gone, so nobody can tell whether secrets are still the same",
                    hint="restore the file; the run cannot be resumed without it",
                )
            return file.read_text(encoding="utf-8", errors="replace")

    def _make_salt(self, file: Path) -> None:
        """Write it under another name first: it is there whole, or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"salt.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            stream.write(secrets.token_hex(16))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)  # never replaces the one that another process made meanwhile
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"the folder of runs `{self.folder}` cannot be used: {error.strerror or error}",
                hint="see that it can be written, or name another one with --home",
            ) from error


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of runs."""
    parser.add_argument(
        "--home",
        default=os.environ.get("GONOGO_HOME") or DEFAULT,
        metavar="DIR",
        help="where runs are kept (default: $GONOGO_HOME, else .gonogo in this folder)",
    )


def home_of(options: argparse.Namespace) -> Home:
    """Return the folder of runs that the options name."""
    return Home(Path(options.home).absolute())


def home_words(home: Home) -> str:
    """Return what must be added to a command so that it finds this folder; empty by default."""
    import shlex

    usual = Path(os.environ.get("GONOGO_HOME") or DEFAULT).absolute()
    return "" if home.folder == usual else f" --home {shlex.quote(str(home.folder))}"


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
        return _beginning(runs, wanted)
    usable = [run for run in runs if not only_open or is_open(journal.events(run))]
    if not usable:
        words = "no run is open" if only_open else "no run was made here yet"
        raise UsageError(words, hint="`gonogo status` lists the runs of this folder")
    if only_open and len(usable) > 1:
        raise UsageError("several runs are open", hint=f"name one of: {', '.join(usable)}")
    return usable[-1]


def _beginning(runs: tuple[str, ...], wanted: str) -> str:
    fitting = [run for run in runs if wanted and run.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"several runs begin with `{wanted}`", hint=f"name: {', '.join(fitting)}")
    known = ", ".join(runs[-5:]) or "none"
    raise UsageError(f"no run begins with `{wanted}`", hint=f"latest runs: {known}")
