"""go.py, as a person starts it; nothing is installed here and no network is used."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; print(*sys.argv[1:], sep='|'); sys.exit(3)"


def go(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, checkout / "go.py", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "UV": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose path has a space, set up, with a program that repeats its arguments."""
    folder = tmp_path / "my checkout"
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "go.py", folder)
    for name in ("run", "demo", "dev"):
        (folder / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    (folder / "src" / "gonogo").mkdir(parents=True)
    (folder / "src" / "gonogo" / "__main__.py").write_text(PROGRAM)
    venv.create(folder / ".venv", symlinks=True)
    stamp(folder, "demo")
    return folder


def stamp(checkout: Path, name: str) -> None:
    text = (checkout / "requirements" / f"{name}.txt").read_bytes()
    told = {name: hashlib.sha256(text).hexdigest()}
    (checkout / ".venv" / "gonogo-installed.json").write_text(json.dumps(told))


def test_runs_the_program_with_its_arguments_and_exit_code(checkout: Path) -> None:
    told = go(checkout, "gonogo", "lint", "two words")
    assert (told.returncode, told.stdout, told.stderr) == (3, "lint|two words\n", "")


def test_finds_the_program_after_the_checkout_was_moved(checkout: Path) -> None:
    go(checkout, "gonogo")
    moved = checkout.rename(checkout.with_name("moved here"))
    assert go(moved, "gonogo", "x").stdout == "x\n"


def test_hands_no_python_path_on_to_what_a_runbook_starts(checkout: Path) -> None:
    main = checkout / "src" / "gonogo" / "__main__.py"
    main.write_text("import os; print(sorted(n for n in os.environ if n == 'PYTHONPATH'))")
    assert go(checkout, "gonogo").stdout == "[]\n"


def test_a_larger_set_is_enough(checkout: Path) -> None:
    told = go(checkout, "env", "run")
    assert (told.returncode, told.stdout) == (0, f"{checkout / '.venv'} is ready (run)\n")


def test_what_drives_a_browser_stays_beside_the_set_that_is_there(checkout: Path) -> None:
    pins = checkout / "requirements" / "browser.txt"
    pins.write_text("playwright==1.70.1 \\\n    --hash=sha256:00\n")
    packages = next((checkout / ".venv").glob("lib/python3*/site-packages"))
    (packages / "packaging").mkdir()
    (packages / "packaging" / "markers.py").write_text("class Marker: ...\n")
    found = packages / "playwright-1.70.1.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: playwright\nVersion: 1.70.1\n")
    told = go(checkout, "env", "browser")
    ready = f"{checkout / '.venv'} is ready (browser)\n"
    assert (told.returncode, told.stdout, told.stderr) == (0, ready, "")
    assert go(checkout, "env", "demo").returncode == 0  # its stamp is still good


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["dance"],
            "unknown command `dance`, expected one of: demo, test, check, gonogo, bench, env",
        ),
        (["env", "prod"], "unknown set `prod`, expected one of: run, demo, dev, browser"),
        (["check", "-x"], "unknown argument of check: `-x`, expected `--fix` or nothing"),
    ],
    ids=["command", "set", "argument"],
)
def test_a_mistake_is_told_in_one_line(checkout: Path, words: list[str], said: str) -> None:
    told = go(checkout, *words)
    assert (told.returncode, told.stdout, told.stderr) == (2, "", f"go.py: {said}\n")


def test_a_folder_that_is_no_environment_is_not_replaced(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.txt").write_text("years of work")
    told = go(checkout, "env", "run")
    assert told.returncode == 2
    assert told.stderr == f"go.py: `{checkout / '.venv'}` is no Python environment; move it away\n"
    assert (checkout / ".venv" / "thesis.txt").exists()


def test_tells_what_it_can_do_without_being_set_up(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    told = go(checkout, "--help")
    assert told.returncode == 0
    assert all(f"python3 go.py {word}" in told.stdout for word in ("demo", "test", "check", "env"))


def test_another_python_is_told_what_is_needed(checkout: Path) -> None:
    script = checkout / "go.py"
    text = script.read_text(encoding="utf-8")
    assert "OLDEST, NEWEST = (3, 11), (3, 14)" in text
    script.write_text(text.replace("= (3, 11), (3, 14)", "= (3, 90), (3, 91)"))
    here = ".".join(map(str, sys.version_info[:2]))
    told = go(checkout, "demo")
    assert told.returncode == 2
    said = f"needs Python 3.90 to 3.91, this is {here}; install one of these"
    assert told.stderr == f"go.py: {said}\n"
