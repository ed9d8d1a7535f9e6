from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.demo.acting import bash, get, succeed, to_v2

from gonogo.demo.workspace import Workspace
from gonogo.services.workplace import birth


def noted(workspace: Workspace) -> tuple[int, str]:
    pid, born = (workspace.folder / "run" / "service.pid").read_text().split()
    return int(pid), born


def test_it_starts_once_outlives_its_starter_and_stops(search: Workspace) -> None:
    pid, born = noted(search)
    assert birth(pid) == born
    assert os.getsid(pid) == pid
    assert f"v1 runs already (process {pid})" in succeed(search, "bin/service start")
    assert succeed(search, "bin/service release") == "v1"
    assert succeed(search, "bin/service status") == f"v1 is healthy (process {pid})"
    assert succeed(search, "bin/service stop") == f"v1 stopped (process {pid})"
    assert birth(pid) == ""
    assert not (search.folder / "run" / "service.pid").exists()
    assert succeed(search, "bin/service stop") == "nothing runs"
    assert bash(search, "bin/service status").returncode == 1
    assert bash(search, "bin/service release").stdout == "none\n"


def test_a_restart_after_a_switch_runs_the_other_release(search: Workspace) -> None:
    old, _ = noted(search)
    succeed(search, "bin/migrate up --for v2 && bin/switch v2")
    assert "use `restart`" in bash(search, "bin/service start").stderr
    assert get(search, "/api/health").data["version"] == "v1"
    succeed(search, "bin/service restart")
    assert get(search, "/api/health").data["version"] == "v2"
    assert succeed(search, "bin/service release") == "v2"
    assert birth(old) == ""


def test_after_kill_9_it_starts_anew(search: Workspace) -> None:
    pid, _ = noted(search)
    os.kill(pid, signal.SIGKILL)
    while birth(pid):
        pass
    assert "though it was started" in bash(search, "bin/service status").stderr
    again = bash(search, "bin/service start")
    assert (again.returncode, "is gone; starting anew" in again.stderr) == (0, True)
    assert noted(search)[0] != pid
    assert get(search, "/api/health").status == 200


def test_what_the_pid_file_says_is_never_believed_blindly(search: Workspace) -> None:
    pid, _ = noted(search)
    succeed(search, "bin/service stop")
    with subprocess.Popen(["sleep", "60"]) as other:
        (search.folder / "run" / "service.pid").write_text(f"{other.pid} 1\n")
        assert succeed(search, "bin/service stop") == "nothing runs"
        assert other.poll() is None
        (search.folder / "run" / "service.pid").write_text(f"{other.pid} 1\n")
        succeed(search, "bin/service start")
        assert other.poll() is None
        other.kill()
    assert noted(search)[0] not in (pid, other.pid)
    # a broken file is as good as none
    succeed(search, "bin/service stop")
    (search.folder / "run" / "service.pid").write_text("not a number")
    succeed(search, "bin/service start")
    assert get(search, "/api/health").status == 200
    # and an address that answers already is not ours
    pid_file = search.folder / "run" / "service.pid"
    kept = pid_file.read_text()
    pid_file.unlink()
    refused = bash(search, "bin/service start")
    pid_file.write_text(kept)
    assert refused.returncode == 1
    assert "was not started here" in refused.stderr


def test_a_taken_port_is_told_with_the_services_own_words(bare: Workspace) -> None:
    succeed(bare, "bin/migrate up --to 0001 --for v1 && bin/switch v1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", urlsplit(bare.settings["APP_URL"]).port or 0))
        failed = bash(bare, "bin/service start")
    assert failed.returncode == 1
    assert "v1 ended at once" in failed.stderr
    assert "address already in use" in failed.stderr
    assert not (bare.folder / "run" / "service.pid").exists()


def test_a_release_that_is_never_healthy_is_not_left_running(search: Workspace) -> None:
    succeed(search, "bin/switch v2")  # without its migrations
    service = search.folder / "bin" / "service"
    service.write_text(service.read_text().replace("WITHIN_S = 20.0", "WITHIN_S = 2.0"))
    failed = bash(search, "bin/service restart")
    assert failed.returncode == 1
    assert "'database': 'failed'" in failed.stderr
    assert bash(search, "bin/service release").stdout == "none\n"


def test_two_starts_at_once_start_one(search: Workspace) -> None:
    succeed(search, "bin/service stop")
    told = succeed(search, "bin/service start & bin/service start; wait")
    assert sorted(line.split(" (")[0] for line in told.splitlines()) == [
        "v1 is healthy",
        "v1 runs already",
    ]


def test_a_switch_is_to_a_release_that_is_there(bare: Workspace) -> None:
    link = bare.folder / "current"
    assert "there is no `current`" in bash(bare, "bin/service start").stderr
    assert succeed(bare, "bin/switch v1") == "current is v1 (was nothing)"
    assert link.readlink() == Path("releases/v1")
    assert succeed(bare, "bin/switch v2") == "current is v2 (was v1)"
    refused = bash(bare, "bin/switch v3")
    assert (refused.returncode, "there are: v1, v2" in refused.stderr) == (1, True)
    assert bash(bare, "bin/switch ../elsewhere").returncode == 1
    assert bash(bare, "bin/switch").returncode == 2
    assert link.readlink() == Path("releases/v2")


def test_the_cache_is_warmed_and_cleared_by_release(search: Workspace) -> None:
    assert succeed(search, "bin/cache warm") == "20 of 20 answered"
    to_v2(search)
    succeed(search, "bin/cache warm")
    assert succeed(search, "bin/cache clear v2") == "20 answers of v2 forgotten"
    assert succeed(search, "bin/cache count v1") == "20"
    assert succeed(search, "bin/cache count v2") == "0"
    succeed(search, "bin/service stop")
    assert bash(search, "bin/cache warm").returncode == 1


def test_a_token_is_kept_as_a_hash_and_replaced_by_name(bare: Workspace) -> None:
    file = bare.folder / "tokens.json"
    first = succeed(bare, "bin/token eve user")
    assert first not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_text()
    assert succeed(bare, "bin/token eve user") != first
    assert file.read_text().count('"eve"') == before.count('"eve"') == 1
    assert bash(bare, "bin/token eve root").returncode == 2
