"""Starts `gonogo` as a user does: a process of its own, streams apart, 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROGRAM = (sys.executable, "-m", "gonogo")
TIMEOUT_S = 100
_BYTECODE = Path(__file__).parents[2] / ".pytest_cache" / "bytecode"
"""Most of a start would be compiling otherwise, where nothing may be written beside the sources."""
_MINE = (
    "PYTHONDONTWRITEBYTECODE",
    "GONOGO",
    "PG",
    "NO_COLOR",
    "TERM",
    "COLUMNS",
    "PYTHONIOENCODING",
    "LC_",
    "LANG",
)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said where."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        """Everything that a person saw."""
        return self.out + self.err


def surroundings(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment that does not depend on who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_MINE)}
    kept |= {"LC_ALL": "C.UTF-8", "COLUMNS": "80", "TERM": "xterm"}
    return kept | {"PYTHONPYCACHEPREFIX": str(_BYTECODE)} | dict(more or {})


def gonogo(
    *words: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    text: str = "",
    before: Sequence[str] = (),
) -> Done:
    """Run one command to its end; `before` is a command that starts it, as `setpriv`."""
    done = subprocess.run(
        [*before, *PROGRAM, *(str(word) for word in words)],
        cwd=cwd,
        env=surroundings(env),
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=TIMEOUT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def all_at_once(commands: Mapping[str, Sequence[str | Path]], cwd: Path) -> dict[str, Done]:
    """Run many commands, some at a time, and return how each ended, by its name."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        ended = pool.map(lambda words: gonogo(*words, cwd=cwd), commands.values())
    return dict(zip(commands, ended, strict=True))


def start(
    *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start one command and return it while it runs."""
    return subprocess.Popen(
        [*PROGRAM, *(str(word) for word in words)],
        cwd=cwd,
        env=surroundings(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finish(child: subprocess.Popen[str]) -> Done:
    """Wait for a started command and return how it ended."""
    out, err = child.communicate(timeout=TIMEOUT_S)
    return Done(child.returncode, out, err)


def heard(child: subprocess.Popen[str], words: str) -> None:
    """Read stderr of a started command up to a line that holds `words`."""
    assert child.stderr is not None
    seen = []
    for line in child.stderr:
        seen.append(line)
        if words in line:
            return
    raise AssertionError(f"never said {words!r}: {''.join(seen)}")


def id_of(home: Path) -> str:
    """Return the id of the one run in a folder of runs."""
    (folder,) = (home / "runs").iterdir()
    return folder.name
