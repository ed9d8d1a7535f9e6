from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import gonogo
from gonogo.demo.traffic import AGENT
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


SHORTER = """
from pathlib import Path
from gonogo.demo.pace import Pace
from gonogo.demo.performance import play
from gonogo.demo.story import STORIES, Fault
raise SystemExit(play(STORIES[Fault.NONE], Path("out"), pace=Pace("20 seconds", "5-second", 5)))
"""
STORIES = {
    "errors": command("--keep", "--home", "out"),
    "admin-open": command("--fault", "admin-open", "--home", "out"),
    "none": [sys.executable, "-c", SHORTER],  # the watch of a minute, in a third of it
}


@dataclass(frozen=True)
class Played:
    folder: Path
    code: int
    text: str

    @property
    def report(self) -> Path:
        found = re.search(r"^report     (.*)$", self.text, re.MULTILINE)
        assert found is not None
        assert Path(found[1]).is_relative_to(self.folder / "out")
        return Path(found[1])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All stories, played at the same time: most of it is watching."""
    folders = {name: tmp_path_factory.mktemp(name) for name in STORIES}
    running = {
        name: subprocess.Popen(
            words,
            cwd=folders[name],
            env=settings(folders[name]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, words in STORIES.items()
    }
    told = {name: process.communicate(timeout=300)[0] for name, process in running.items()}
    return {name: Played(folders[name], running[name].returncode, told[name]) for name in STORIES}


@pytest.mark.timeout(320)
@pytest.mark.parametrize("name", STORIES)
def test_the_story_goes_as_announced_and_leaves_nothing(
    played: dict[str, Played], name: str
) -> None:
    story = played[name]
    assert story.code == 0, story.text
    assert "differs" not in story.text
    assert ("1 to 4 buckets of 5 s" in story.text) is (name == "errors")
    assert "ok       its answers with an error: under 1 %" in story.text
    page = story.report.read_text(encoding="utf-8")
    assert "A regular user may not read the admin API" in page
    address = re.search(r"http://127.0.0.1:(\d+)", story.text)
    assert address is not None
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", int(address[1]))) != 0
    assert left_running(story.folder) == []
    assert list((story.folder / "temporary files").glob("*/demo-*")) == []


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        (
            "errors",
            """
            its exit code: 4 (rolled back)
            the step that failed: none
            the alerts that fired: page, critical
            the alerts that arrived: critical, page
            the cache worker: runs
            the trigger that fired: Error rate > 1% for 2 consecutive buckets
            after going back: all objectives green (2 of 2)
            requests were answered by: v1 then v2 then v1
            """,
        ),
        (
            "admin-open",
            """
            its exit code: 4 (rolled back)
            the step that failed: A regular user may not read the admin API
            the trigger that fired: none
            requests were answered by: v1 then v2 then v1
            """,
        ),
        (
            "none",
            """
            its exit code: 0 (go)
            the alerts that fired: none
            the alerts that arrived: none
            the cache worker: runs
            requests were answered by: v1 then v2
            """,
        ),
    ],
    ids=STORIES,
)
def test_each_story_ends_in_its_own_way(played: dict[str, Played], name: str, claims: str) -> None:
    lines = [f"  ok       {line.strip()}" for line in claims.strip().splitlines()]
    assert [line for line in lines if line not in played[name].text.splitlines()] == []


@pytest.mark.nightly
@pytest.mark.timeout(320)
@pytest.mark.parametrize("fault", ["slow", "cache", "refresh"])
def test_the_other_faults_are_rolled_back_as_announced(tmp_path: Path, fault: str) -> None:
    told = subprocess.run(
        command("--fault", fault, "--home", "out"),
        cwd=tmp_path,
        env=settings(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "  ok       after going back: all objectives green (2 of 2)\n" in told.stdout
    assert re.search(r"page +firing .*rolling back", told.stdout)


def test_the_fault_comes_after_the_healthy_buckets_and_visitors_meet_it(
    played: dict[str, Played],
) -> None:
    text = played["errors"].text
    parts = [
        "go       Smoke tests",
        "2 healthy buckets seen; bin/fault errors 20",
        "rollback because",
    ]
    assert sorted(parts, key=text.index) == parts
    met = re.search(
        r"^(\d+) questions of visitors: (\d+) answered with an error", text, re.MULTILINE
    )
    assert met is not None
    assert 0 < int(met[2]) < int(met[1]) / 10
    kept = played["errors"].report.parent / "workspace"
    assert (kept / "deploy.md").is_file()
    assert "://" not in (kept / "tokens.json").read_text()
    log = (kept / "logs" / "access.jsonl").read_text()
    agents = {json.loads(line)["user_agent"] for line in log.splitlines()}
    assert AGENT in agents
    assert any(agent.startswith("gonogo") for agent in agents)


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
    while left_running(tmp_path):  # the worker ends by itself when its folder is gone
        pass
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
