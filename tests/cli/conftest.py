"""Runs that many tests look at, each carried out once, and folders in which tests run commands."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.rehearsals import EXAMPLES, Said
from tests.cli.running import Done, gonogo, id_of

from gonogo.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has been carried out: its folder and what it said."""

    folder: Path
    done: Done

    @property
    def home(self) -> Path:
        """The folder of runs."""
        elsewhere = self.folder / "runs here"
        return elsewhere if elsewhere.exists() else self.folder / ".gonogo"

    @property
    def run(self) -> str:
        """The id of the run."""
        return id_of(self.home)


_UNUSUAL = {
    "PYTHONIOENCODING": "ascii",
    "LC_ALL": "C",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PYTHONUTF8": "0",
}
ODD = "Größe und Maß"
_RUNS: dict[str, Callable[[Path], Done]] = {
    "go": lambda cwd: gonogo(
        *("run", "deploy.md", "--yes", "--by", "ana", "--release", "v2"),
        *("--waive", "Disk has room=resized at noon", "--expires", "2099-01-31"),
        cwd=cwd,
    ),
    "rolled back": lambda cwd: gonogo("run", "deploy.md", "--yes", "--json", cwd=cwd),
    "no-go": lambda cwd: gonogo(
        *("run", cwd / ODD / "deploy.md", "--yes", "--home", "runs here"),
        cwd=cwd,
        env=_UNUSUAL,
        before=("env", "-u", "HOME"),
    ),
    "parked": lambda cwd: gonogo("run", "deploy.md", "--yes", "--by", "ana", cwd=cwd),
}
_BOOKS = {
    "go": books.go().replace("test -d .", "test -d nowhere"),
    "rolled back": books.rolled_back(),
    "no-go": books.BEFORE,
    "parked": books.questions(),
}


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """One run of each ending, in a folder of its own."""

    folders = {name: tmp_path_factory.mktemp(name.replace(" ", "-")) for name in _RUNS}

    def carry(name: str) -> Ended:
        folder = folders[name]
        place = folder / ODD if name == "no-go" else folder
        place.mkdir(exist_ok=True)
        (place / "deploy.md").write_text(_BOOKS[name], encoding="utf-8")
        return Ended(folder, _RUNS[name](folder))

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(_RUNS, pool.map(carry, _RUNS), strict=True))


@pytest.fixture
def parked(ended: dict[str, Ended], tmp_path: Path) -> Path:
    """A folder of its own with a run that waits for two answers."""
    shutil.copytree(ended["parked"].folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Path]:
    """A folder with the pipes `begun` and `gate`, for steps that wait for a test."""
    for name in ("begun", "gate"):
        os.mkfifo(tmp_path / name)
    yield tmp_path
    for name in ("begun", "gate"):  # whoever still waits there is let go
        with (tmp_path / name).open("r+b", buffering=0) as pipe:
            pipe.write(b"\n")


@pytest.fixture
def waits(pipes: Path) -> Path:
    """A folder with a runbook whose second step waits until a test lets it go on."""
    (pipes / "deploy.md").write_text(books.WAITS, encoding="utf-8")
    return pipes


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Said:
    """Run a command in a folder that holds the examples; return code, output and messages."""
    for path in EXAMPLES.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("test", "rehearse"):
        known = main.COMMANDS.get(name)
        monkeypatch.setitem(
            main.COMMANDS, name, known or main.Command(f"gonogo.cli.{name}", "words", "example")
        )

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return run
