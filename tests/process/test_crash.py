"""Whoever is killed, and whenever: a command runs once; its result is true or unknown."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.process.conftest import (
    BuildCommand,
    Fifo,
    Helper,
    await_end,
    await_kept,
    is_running,
    processes_of,
    record,
)

from gonogo.process import EndedBy, Trace, end, run, trace

MakeFifo = Callable[[str], Fifo]
StartHelper = Callable[..., Helper]

STORY = "echo ran >> ledger; echo one; echo up > up; read x < gate; echo two; exit 9"


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def test_the_command_outlives_us_and_is_found_again(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, gate = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    other.kill()
    assert trace(folder) is Trace.RUNNING
    command = sh(STORY)
    heard: list[str] = []

    def answer(_: str, text: str) -> None:
        if not heard:
            gate.send()
        heard.append(text)

    outcome = run(command, folder, on_output=answer)
    assert (outcome.exit_code, outcome.reattached) == (9, True)
    assert outcome.stdout == "".join(heard) == "one\ntwo\n"
    assert (command.cwd / "ledger").read_text() == "ran\n"


def test_an_end_that_nobody_saw_is_known(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, gate = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    other.kill()
    shim = record(folder)["shim"]
    gate.send()
    await_end(shim)
    assert trace(folder) is Trace.ENDED
    outcome = run(sh(STORY), folder)
    assert (outcome.exit_code, outcome.stdout, outcome.reattached) == (9, "one\ntwo\n", True)


def test_the_deadline_holds_while_nobody_is_there(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper(STORY, timeout_s=0.5)
    up.receive()
    other.kill()
    await_end(record(folder)["shim"])
    outcome = run(sh(STORY), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.DEADLINE, 15)


def test_the_output_limit_holds_while_nobody_is_there(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, gate = fifo("up"), fifo("gate")
    text = "echo up > up; read x < gate; head -c 20000000 /dev/zero; echo end"
    other = helper(text)
    up.receive()
    other.kill()
    shim = record(folder)["shim"]
    gate.send()
    await_end(shim)
    outcome = run(sh(text), folder)
    assert outcome.truncated
    assert outcome.stdout.endswith("\0end\n")
    assert sum(p.stat().st_size for p in folder.iterdir()) < 11 * 1024 * 1024


def test_nobody_knows_the_end_when_the_shim_dies_too(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    await_kept(folder, "one\n")  # what the shim has not written yet would go with it
    other.kill()
    pids = record(folder)
    kill(pids["shim"])
    await_end(pids["shim"])
    assert trace(folder) is Trace.RUNNING  # the command itself still does
    kill(pids["child"])
    await_end(pids["child"])
    assert trace(folder) is Trace.LOST
    outcome = run(sh(STORY), folder)
    assert (outcome.ended_by, outcome.exit_code, outcome.signal) == (EndedBy.LOST, None, None)
    assert outcome.stdout == "one\n"
    assert outcome.started is not None
    assert outcome.ended is None


def test_a_shim_that_dies_before_our_eyes(sh: BuildCommand, folder: Path, fifo: MakeFifo) -> None:
    gate = fifo("gate")

    def strike(_stream: str, _text: str) -> None:
        kill(record(folder)["shim"])
        gate.send()

    outcome = run(sh("echo one; read x < gate; exit 0"), folder, on_output=strike)
    assert outcome.ended_by is EndedBy.LOST  # it was a success, but nobody can know


@pytest.mark.parametrize("reason", ["deadline", "stop"])
def test_we_enforce_the_limits_when_the_shim_is_dead(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, reason: str
) -> None:
    fifo("gate")
    pids: dict[str, int] = {}

    def strike(_stream: str, _text: str) -> None:
        pids.update(record(folder))
        kill(pids["shim"])
        await_end(pids["shim"])

    command = sh("echo one; read x < gate", timeout_s=0.2 if reason == "deadline" else 60)
    outcome = run(
        command, folder, on_output=strike, should_stop=lambda: reason == "stop" and bool(pids)
    )
    assert outcome.ended_by in (EndedBy.LOST, EndedBy.DEADLINE)
    assert not is_running(pids["child"])


def test_a_number_used_again_is_not_taken_for_the_command(
    folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    other.kill()
    pids = record(folder)
    kill(pids["shim"])
    await_end(pids["shim"])
    try:
        # As if the command had ended and its number now belonged to somebody else.
        (folder / "pid.json").write_text(json.dumps(pids | {"child_start": "1"}))
        assert trace(folder) is Trace.LOST
        end(folder, 0.1)
        assert is_running(pids["child"])
        # As if the machine had been started anew since.
        (folder / "pid.json").write_text(json.dumps(pids | {"boot_id": "another"}))
        assert trace(folder) is Trace.LOST
        end(folder, 0.1)
        assert is_running(pids["child"])
    finally:
        kill(pids["child"])


@pytest.mark.parametrize(
    ("boot", "pid_record", "expected"),
    [
        pytest.param("this", None, Trace.NEVER_STARTED, id="killed before the shim began"),
        pytest.param("another", None, Trace.LOST, id="power cut, start record not flushed"),
        pytest.param("this", "", Trace.LOST, id="empty start record"),
        pytest.param("this", '{"chi', Trace.LOST, id="torn start record"),
        pytest.param("this", "[]", Trace.LOST, id="foreign start record"),
    ],
)
def test_what_remains_after_a_crash(
    sh: BuildCommand, folder: Path, boot: str, pid_record: str | None, expected: Trace
) -> None:
    command = sh("echo ran >> ledger")
    run(command, folder)
    (folder / "exit.json").unlink()
    spec = record(folder, "command.json")
    if boot == "another":
        spec["boot_id"] = "another"
    (folder / "command.json").write_text(json.dumps(spec))
    (folder / "pid.json").unlink()
    if pid_record is not None:
        (folder / "pid.json").write_text(pid_record)
    assert trace(folder) is expected
    outcome = run(command, folder)
    again = expected is Trace.NEVER_STARTED
    assert (command.cwd / "ledger").read_text().count("ran") == (2 if again else 1)
    assert outcome.ended_by is (EndedBy.EXIT if again else EndedBy.LOST)


def test_a_torn_end_record_is_no_success(sh: BuildCommand, folder: Path) -> None:
    run(sh("true"), folder)
    (folder / "exit.json").write_text("")
    outcome = run(sh("true"), folder)
    assert (outcome.ended_by, outcome.exit_code) == (EndedBy.LOST, None)


def test_an_empty_folder_was_never_started(folder: Path) -> None:
    assert trace(folder) is Trace.NEVER_STARTED
    folder.mkdir(parents=True)
    assert trace(folder) is Trace.NEVER_STARTED
    end(folder, 1.0)
    assert trace(folder) is Trace.NEVER_STARTED


def test_another_process_may_end_the_command(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    other.kill()
    end(folder, 20.0)
    assert trace(folder) is Trace.ENDED
    end(folder, 20.0)
    outcome = run(sh(STORY), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.ABORT, 15)


def test_who_ignores_the_wish_to_end_is_killed(
    sh: BuildCommand, folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    text = "trap '' TERM; echo up > up; while :; do read x < gate; done"
    other = helper(text)
    up.receive()
    end(folder, 0.1)
    other.kill()
    outcome = run(sh(text), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.ABORT, 9)


def test_without_its_shim_the_whole_group_is_still_ended(
    folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper("(trap '' TERM; echo $BASHPID > up; read x < gate) & wait")
    stubborn = int(up.receive())
    other.kill()
    pids = record(folder)
    kill(pids["shim"])
    await_end(pids["shim"])
    end(folder, 0.1)
    assert not is_running(pids["child"])
    assert not is_running(stubborn)
    assert trace(folder) is Trace.LOST


def test_a_shim_that_does_not_answer_is_not_waited_for(
    folder: Path, fifo: MakeFifo, helper: StartHelper
) -> None:
    up, _ = fifo("up"), fifo("gate")
    other = helper(STORY)
    up.receive()
    other.kill()
    pids = record(folder)
    kill(pids["shim"], signal.SIGSTOP)
    end(folder, 0.1)
    assert not is_running(pids["child"])
    kill(pids["shim"], signal.SIGCONT)
    await_end(pids["shim"])
    assert trace(folder) is Trace.ENDED


def test_a_shutdown_signal_is_not_taken_for_an_abort(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    gate = fifo("gate")

    def shut_down(_: str, text: str) -> None:
        if text == "one\n":
            kill(record(folder)["shim"], signal.SIGTERM)
            gate.send()

    outcome = run(sh("echo one; read x < gate; echo two"), folder, on_output=shut_down)
    assert (outcome.ended_by, outcome.exit_code, outcome.stdout) == (EndedBy.EXIT, 0, "one\ntwo\n")


QUICK = "echo ran >> ledger; for i in 1 2 3 4 5; do sleep 0.01; done; echo out"


@pytest.mark.parametrize("round_", range(20))
def test_killed_at_any_instant_it_runs_once(
    sh: BuildCommand, folder: Path, helper: StartHelper, round_: int
) -> None:
    other = helper(QUICK)
    other.await_ready()
    pause(other, random.Random(round_).uniform(0, 0.12))
    other.kill()
    outcome = run(sh(QUICK), folder)
    assert (outcome.exit_code, outcome.ended_by) == (0, EndedBy.EXIT)
    assert outcome.stdout == "out\n"
    assert (sh("").cwd / "ledger").read_text() == "ran\n"


@pytest.mark.parametrize("round_", range(12))
def test_killed_with_its_shim_at_any_instant_nothing_is_guessed(
    sh: BuildCommand, folder: Path, helper: StartHelper, round_: int
) -> None:
    other = helper(QUICK)
    other.await_ready()
    pause(other, random.Random(round_).uniform(0, 0.12))
    other.kill()
    for pid in processes_of(folder):
        kill(pid)
    outcome = run(sh(QUICK), folder)
    ledger = sh("").cwd / "ledger"
    times = ledger.read_text().count("ran") if ledger.exists() else 0
    if outcome.ended_by is EndedBy.LOST:
        assert times <= 1
        assert outcome.exit_code is None
    else:
        assert (times, outcome.exit_code, outcome.stdout) == (1, 0, "out\n")


def pause(other: Helper, seconds: float) -> None:
    """Let `seconds` pass, or less if the helper is done."""
    assert other.process.stdout is not None
    select.select([other.process.stdout], [], [], seconds)
