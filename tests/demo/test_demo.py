from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import gonogo
from gonogo.services.workplace import birth

SOURCE = str(Path(gonogo.__file__).parents[1])


def settings(folder: Path) -> dict[str, str]:
    """An environment without network, with temporary folders in a path with a space."""
    temporary = folder / "temporary files"
    temporary.mkdir()
    proxy = "http://127.0.0.1:9"
    return {
        **os.environ,
        "PYTHONPATH": SOURCE,
        "TMPDIR": str(temporary),
        "http_proxy": proxy,
        "https_proxy": proxy,
    }


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "gonogo.demo", *options]


def left_running(folder: Path) -> list[str]:
    """Command lines of processes that still have to do with a folder."""
    told = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in told.stdout.splitlines() if str(folder) in line]


@pytest.mark.parametrize(
    ("options", "code", "served"),
    [((), "4 (rolled back)", "v1 then v2 then v1"), (("--no-fault",), "0 (go)", "v1 then v2")],
    ids=["rolled back", "no fault"],
)
def test_the_story_goes_as_announced(
    tmp_path: Path, options: tuple[str, ...], code: str, served: str
) -> None:
    told = subprocess.run(
        command(*options, "--keep"),
        cwd=tmp_path,
        env=settings(tmp_path),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"ok       its exit code: {code}" in told.stdout
    assert f"ok       requests were answered by: {served}" in told.stdout
    assert "differs" not in told.stdout
    found = re.search(r"^report     (.*)$", told.stdout, re.MULTILINE)
    assert found is not None
    report = Path(found[1])
    assert report.is_relative_to(tmp_path / ".gonogo" / "demo")
    page = report.read_text(encoding="utf-8")
    assert "A regular user may not read the admin API" in page
    kept = report.parent / "workspace"
    assert (kept / "deploy.md").is_file()
    assert "://" not in (kept / "tokens.json").read_text()
    address = re.search(r"http://127.0.0.1:(\d+)", told.stdout)
    assert address is not None
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", int(address[1]))) != 0
    assert left_running(tmp_path) == []
    assert list((tmp_path / "temporary files").glob("*/demo-*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_an_early_end_leaves_nothing_for_long(tmp_path: Path, number: signal.Signals) -> None:
    env = settings(tmp_path)
    with subprocess.Popen(
        command(),
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("$ gonogo run"):
                break
        (pid_file,) = (tmp_path / "temporary files").glob("*/demo-*/server.pid")
        pid, born = pid_file.read_text().split()
        assert birth(int(pid)) == born
        demo.send_signal(number)
        demo.stdout.read()
    if number is signal.SIGKILL:  # the next one sweeps up
        sweep = "from gonogo.services import Valkey; Valkey.start().stop()"
        subprocess.run([sys.executable, "-c", sweep], env=env, check=True, timeout=60)
    assert birth(int(pid)) != born
    assert left_running(tmp_path) == []
    assert list((tmp_path / "temporary files").glob("*/demo-*")) == []


def test_a_home_that_cannot_be_written_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    told = subprocess.run(
        command("--home", "taken/here"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert "cannot write the report to" in told.stderr
    assert "hint: name a folder with --home" in told.stderr


def test_ctrl_c_stops_the_run_and_takes_everything_down(tmp_path: Path) -> None:
    with subprocess.Popen(
        command(),
        cwd=tmp_path,
        env=settings(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("go       Pre-deployment"):
                break
        os.killpg(demo.pid, signal.SIGINT)
        os.killpg(demo.pid, signal.SIGINT)
        rest = demo.stdout.read()
    assert demo.returncode == 130, rest
    assert "stopped; nothing is left running" in rest
    assert list((tmp_path / "temporary files").glob("*/demo-*")) == []
