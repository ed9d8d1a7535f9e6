"""A run that is stopped in its middle, in every way, goes on; two runs of one service do not."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.running import finish, gonogo, heard, id_of, start
from tests.cli.terminal import Terminal

PATIENCE_S = 60
BEGUN_ONCE = ["before", "begun", "ended"]


def wait_until_begun(folder: Path) -> None:
    """Wait until the second step runs; it writes to a pipe that we read."""
    pipe = os.open(folder / "begun", os.O_RDONLY | os.O_NONBLOCK)
    ready, _, _ = select.select([pipe], [], [], PATIENCE_S)
    os.close(pipe)
    assert ready, "the step was never begun"


def open_the_gate(folder: Path) -> None:
    """Let the second step go on to its end."""
    (folder / "gate").write_text("go\n")


def order(folder: Path) -> list[str]:
    return (folder / "order").read_text().split()


def test_a_run_survives_every_way_of_stopping_it(waits: Path) -> None:
    interrupt_and_stop(waits)
    run = id_of(waits / ".gonogo")
    stopped = gonogo("status", cwd=waits)
    assert f"{run}  stopped " in stopped.out
    second = gonogo("run", "deploy.md", "--yes", cwd=waits)
    assert (second.code, second.out) == (2, "")
    assert f"run `{run}` of web is still open" in second.err
    interrupt_twice(waits, run)
    with Terminal("resume", cwd=waits) as terminal:
        terminal.expect("gap")
        terminal.hang_up()
        assert terminal.child.wait(timeout=PATIENCE_S) == 3
    serve_and_terminate(waits, run)
    open_the_gate(waits)  # the command ends while nobody looks
    done = gonogo("resume", cwd=waits)
    assert done.code == 0, done.both
    assert order(waits) == BEGUN_ONCE
    assert gonogo("report", "--verify", cwd=waits).code == 0


def interrupt_and_stop(waits: Path) -> None:
    """Begin a run, press Ctrl-C and go on, press it again and stop."""
    with Terminal("run", "deploy.md", "--by", "ana", cwd=waits) as terminal:
        terminal.expect("web: 3 steps. start? [y/N]")
        terminal.type("y")
        wait_until_begun(waits)
        terminal.press_ctrl_c()
        terminal.expect("interrupted; what now?")
        terminal.expect("[c] continue, [s] stop here and resume later, [a] abort and roll back")
        terminal.type("what")
        terminal.expect("`what` is no answer here")
        terminal.type("c")
        terminal.expect("Wait for the gate")
        terminal.press_ctrl_c()
        terminal.expect("interrupted; what now?")
        terminal.type("s")
        assert terminal.end() == 3
        assert "the command of `Wait for the gate` goes on by itself" in terminal.seen
        assert "stopped; `gonogo resume" in terminal.seen


def interrupt_twice(waits: Path, run: str) -> None:
    """Go on with the run and press Ctrl-C twice."""
    with Terminal("resume", cwd=waits) as terminal:
        terminal.expect("gap")
        terminal.press_ctrl_c()
        terminal.expect("interrupted; what now?")
        terminal.press_ctrl_c()  # stops at once
        assert terminal.end() == 3
        assert f"stopped; `gonogo resume {run}` goes on" in terminal.seen


def serve_and_terminate(waits: Path, run: str) -> None:
    """Go on with the run, try to carry it twice, and end the process that carries it."""
    served = start("resume", cwd=waits)
    heard(served, "gap")
    while_served = gonogo("run", "deploy.md", "--yes", cwd=waits)
    assert while_served.code == 2
    assert "hint: wait for it, or answer what it asks: `gonogo status`" in while_served.err
    both = gonogo("resume", cwd=waits)
    assert (both.code, both.out) == (3, "")
    assert f"is already being run from this folder by process {served.pid}" in both.err
    assert f"{run}  running " in gonogo("status", cwd=waits).out
    served.send_signal(signal.SIGTERM)
    assert finish(served).code == 3


def test_a_run_that_is_carried_is_aborted_from_elsewhere(waits: Path) -> None:
    served = start("run", "deploy.md", "--yes", "--by", "ana", cwd=waits)
    wait_until_begun(waits)
    asked = gonogo("abort", "--by", "bo", "--reason", "customers report errors", cwd=waits)
    assert (asked.code, asked.out) == (0, "")
    assert "is asked to stop and go back" in asked.err
    done = finish(served)
    assert done.code == 4, done.both
    assert "aborted by bo: customers report errors" in " ".join(done.both.split())
    assert order(waits) == ["before", "begun", "undone"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root may mount a file system")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write a file until nothing more goes onto the disk."""
    file = folder / "fill"
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"\0" * 512)
        except OSError:
            return file


def test_a_full_disk_stops_the_run_and_loses_nothing(waits: Path, small_disk: Path) -> None:
    home = small_disk / "runs"
    served = start("run", "deploy.md", "--yes", "--home", home, cwd=waits)
    wait_until_begun(waits)
    filler = fill(small_disk)
    open_the_gate(waits)
    done = finish(served)
    run = id_of(home)
    assert (done.code, done.out) == (3, ""), done.both
    assert "error[GN710]: the disk is full: the journal" in done.err
    assert f"`gonogo resume {run} --home {home}`" in done.err
    known = gonogo("report", "--json", "--home", home, cwd=waits).out
    still = gonogo("resume", "--home", home, cwd=waits)
    assert (still.code, still.out) == (3, ""), still.both
    assert "error[GN710]: the disk is full: the journal" in still.err
    assert gonogo("report", "--json", "--home", home, cwd=waits).out == known
    filler.unlink()
    resumed = gonogo("resume", "--home", home, cwd=waits)
    assert resumed.code == 0, resumed.both
    assert order(waits) == BEGUN_ONCE
    assert gonogo("report", "--verify", "--home", home, cwd=waits).code == 0
