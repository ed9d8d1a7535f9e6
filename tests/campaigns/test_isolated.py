"""The whole release in a network of its own that leads nowhere: a loopback and no route."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gonogo

ALONE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
SOURCE = str(Path(gonogo.__file__).parents[1])
LONGEST_S = 200
INSIDE = """\
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:  # the loopback is down at first
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
    any_socket.settimeout(2)
    try:
        any_socket.connect(("192.0.2.1", 80))
    except OSError:
        pass
    else:
        sys.exit("there is a route")
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
PULL = """\
---
gonogo: 1
service: pulled
---
# Pulled

## Deployment

1. Pull the code

   ```bash
   git pull origin main
   ```
"""


@pytest.fixture(scope="module", autouse=True)
def allowed() -> None:
    """Skip where this system lets nobody make a network of his own."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no `unshare` here")
    tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network of our own here: {tried.stderr.strip()}")


def alone(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run our Python with these words where nothing but the loopback can be reached."""
    return subprocess.run(
        [*ALONE, sys.executable, "-c", INSIDE, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCE, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@pytest.mark.nightly
@pytest.mark.parametrize("story", ["fine", "second-fails"])
@pytest.mark.timeout(LONGEST_S + 20)
def test_a_release_and_a_way_back_need_no_network(tmp_path: Path, story: str) -> None:
    words = ("-m", "gonogo.demo", "campaigns", "--story", story, "--home", "out")
    told = alone(tmp_path, *words)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "The story went as announced" in told.stdout
    assert "differs" not in told.stdout


def test_code_that_is_to_be_pulled_fails_clearly(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no `git` here")
    for words in (["init", "--quiet"], ["remote", "add", "origin", "http://192.0.2.1/code.git"]):
        subprocess.run([git, *words], cwd=tmp_path, check=True)
    (tmp_path / "pull.md").write_text(PULL, encoding="utf-8")
    told = alone(tmp_path, "-m", "gonogo", "run", "pull.md", "--yes", "--by", "ana")
    assert told.returncode == 1, told.stdout + told.stderr
    assert "fail  Pull the code" in told.stdout
    reports = tmp_path.glob(".gonogo/runs/*/report.json")
    assert "unable to access" in next(reports).read_text(encoding="utf-8")
