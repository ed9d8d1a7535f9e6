"""What must hold for the repository as a whole."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = ("run", "demo", "dev")
# a package index is the business of the machine, not of the repository
FORBIDDEN = ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host")
LOCK_FILES = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", ".python-version"}
UNWALKED = {".git", ".venv", ".tools", ".gonogo", "__pycache__", "node_modules"}
MOST_LINES, MOST_FUNCTION_LINES = 400, 60


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def files_below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name not in UNWALKED:
                yield from files_below(path)
        else:
            yield path


def tracked() -> list[Path]:
    """Return the files that git knows, or all files where this is no working copy of git."""
    git = shutil.which("git")
    if git:
        told = subprocess.run(
            [git, "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0 and told.stdout:
            return [ROOT / name for name in told.stdout.split("\0") if name]
    return list(files_below(ROOT))


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize(
    "path", [ROOT / "go.py", *sorted((ROOT / "requirements").iterdir())], ids=named
)
def test_names_no_package_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [word for word in FORBIDDEN if word in text] == []


def test_tracks_no_lock_file() -> None:
    assert [named(path) for path in tracked() if path.name in LOCK_FILES] == []


@pytest.mark.parametrize("name", [*SETS, "browser", "bench"])
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(("smaller", "larger"), [("run", "demo"), ("demo", "dev")])
def test_a_larger_set_satisfies_a_smaller_one(smaller: str, larger: str) -> None:
    assert pins(smaller).items() <= pins(larger).items()


def test_what_drives_a_browser_can_be_added_to_any_set() -> None:
    """It comes on top, so a pin that both have is the same."""
    added = pins("browser")
    assert "playwright" in added
    for name in SETS:
        known = pins(name)
        assert {p: known[p] for p in added if p in known} == {
            p: added[p] for p in added if p in known
        }


def test_go_py_parses_on_python_3_8_so_that_its_message_is_seen() -> None:
    ast.parse((ROOT / "go.py").read_text(encoding="utf-8"), feature_version=(3, 8))


PROGRAMS = sorted(path for path in tracked() if path.suffix == ".py" and path.exists())


@pytest.mark.parametrize("path", PROGRAMS, ids=named)
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", PROGRAMS, ids=named)
def test_a_function_is_short(path: Path) -> None:
    lengths = {
        f"{node.name}, line {node.lineno}": (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lengths.items() if n > MOST_FUNCTION_LINES} == {}
