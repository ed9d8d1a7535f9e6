"""One command, from its start to its outcome, with nothing going wrong on our side."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.process.conftest import BuildCommand, Fifo, await_end, is_running, processes_of, record

from gonogo.errors import WorkError
from gonogo.process import Command, EndedBy, Outcome, Trace, run, trace

MakeFifo = Callable[[str], Fifo]


@pytest.mark.parametrize(
    ("text", "exit_code", "number"),
    [
        pytest.param("exit 0", 0, None, id="success"),
        pytest.param("exit 3", 3, None, id="a code of its own"),
        pytest.param("exit 255", 255, None, id="the largest code"),
        pytest.param("kill -KILL $$", None, 9, id="killed from outside"),
        pytest.param("kill -TERM $$", None, 15, id="terminated from outside"),
        pytest.param("kill -SEGV $$", None, 11, id="crashed"),
    ],
)
def test_the_end_is_told_as_it_was(
    sh: BuildCommand, folder: Path, text: str, exit_code: int | None, number: int | None
) -> None:
    outcome = run(sh(text), folder)
    assert (outcome.exit_code, outcome.signal) == (exit_code, number)
    assert outcome.ended_by is EndedBy.EXIT
    assert not outcome.reattached
    assert trace(folder) is Trace.ENDED


def test_streams_are_kept_apart_and_the_times_fit(sh: BuildCommand, folder: Path) -> None:
    outcome = run(sh("echo to out; echo to err >&2"), folder)
    assert (outcome.stdout, outcome.stderr) == ("to out\n", "to err\n")
    assert outcome.started is not None
    assert outcome.ended is not None
    assert outcome.started <= outcome.ended
    assert outcome.duration_s > 0


def test_a_durable_command_is_recorded_the_same_way(sh: BuildCommand, folder: Path) -> None:
    assert run(sh("echo kept", durable=True), folder).stdout == "kept\n"
    assert run(sh("echo kept", durable=True), folder).reattached


def test_the_environment_is_exactly_the_given_one(sh: BuildCommand, folder: Path) -> None:
    given = {"PATH": os.environ["PATH"], "EMPTY": "", "WORD": "ä = b"}
    outcome = run(sh("", argv=("env",), environment=given), folder)
    assert dict(line.split("=", 1) for line in outcome.stdout.splitlines()) == given


def test_the_command_runs_in_its_folder_and_group(sh: BuildCommand, folder: Path) -> None:
    command = sh("pwd -P; ps -o pgid= -p $$; echo $$")
    where, group, pid = run(command, folder).stdout.split()
    assert where == str(command.cwd.resolve())
    assert group == pid != str(os.getpgrp())


@pytest.mark.parametrize(
    ("text", "stdin", "said"),
    [
        pytest.param("cat; echo end", None, "end\n", id="nothing to read is an end of file"),
        pytest.param("read x || echo none", None, "none\n", id="a question gets no answer"),
        pytest.param("cat", "ä\nb", "ä\nb", id="given text"),
        pytest.param("cat", "", "", id="given nothing"),
        pytest.param("wc -c | tr -d ' '", "x" * 300_000, "300000\n", id="more than a pipe holds"),
        pytest.param("true", "x" * 300_000, "", id="text that nobody reads"),
        pytest.param(": < /dev/tty || echo no terminal", None, "no terminal\n", id="no terminal"),
    ],
)
def test_standard_input(
    sh: BuildCommand, folder: Path, text: str, stdin: str | None, said: str
) -> None:
    assert run(sh(text, stdin=stdin), folder).stdout == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(r"printf 'a\r\nb\r\n'", "a\nb\n", id="Windows line ends"),
        pytest.param(r"printf '\xff\xfe ok'", "�� ok", id="not UTF-8"),
        pytest.param(r"printf 'a\x00b'", "a\0b", id="a NUL character"),
        pytest.param(r"printf '\xe2\x82'", "�", id="a character cut short"),
    ],
)
def test_output_becomes_text(sh: BuildCommand, folder: Path, text: str, said: str) -> None:
    heard: list[str] = []
    outcome = run(sh(text), folder, on_output=lambda _, piece: heard.append(piece))
    assert outcome.stdout == said
    assert "".join(heard) == said


def test_broken_pipes_work_as_in_a_shell(sh: BuildCommand, folder: Path) -> None:
    command = sh("yes | head -n 1; echo ${PIPESTATUS[0]}")
    assert run(command, folder).stdout == "y\n141\n"


def test_a_script_may_reopen_its_output(sh: BuildCommand, folder: Path) -> None:
    outcome = run(sh("echo 1 >&2; echo 2 > /dev/stderr; echo 3 >&2"), folder)
    assert outcome.stderr == "1\n2\n3\n"


def test_output_arrives_before_the_end(sh: BuildCommand, folder: Path, fifo: MakeFifo) -> None:
    gate = fifo("gate")
    heard: list[tuple[str, str]] = []

    def answer(stream: str, text: str) -> None:
        if not heard:
            gate.send()  # the command waits for this: it has not ended
        heard.append((stream, text))

    run(sh("echo one; read x < gate; echo two >&2"), folder, on_output=answer)
    assert heard == [("stdout", "one\n"), ("stderr", "two\n")]


def test_a_character_may_arrive_in_two_parts(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    gate = fifo("gate")
    heard: list[str] = []

    def answer(_: str, text: str) -> None:
        if not heard:
            gate.send()
        heard.append(text)

    text = r"printf 'price \xe2\x82'; read x < gate; printf '\xac\n'"
    assert run(sh(text), folder, on_output=answer).stdout == "price €\n"
    assert "".join(heard) == "price €\n"


def test_a_wish_to_stop_ends_the_whole_group(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    pids: list[int] = []

    def note(_: str, text: str) -> None:
        pids.extend(int(word) for word in text.split())

    fifo("never")
    command = sh("sleep 1000 & echo $! $$; read x < never", grace_s=20)
    outcome = run(command, folder, on_output=note, should_stop=lambda: len(pids) == 2)
    assert outcome.ended_by is EndedBy.ABORT
    assert outcome.signal == 15
    assert not any(is_running(pid) for pid in pids)
    assert run(command, folder).ended_by is EndedBy.ABORT  # it is on record


def test_what_is_unwanted_from_the_start_never_runs(sh: BuildCommand, folder: Path) -> None:
    command = sh("touch ran")
    outcome = run(command, folder, should_stop=lambda: True)
    assert outcome.ended_by is EndedBy.ABORT
    assert outcome.started is None
    assert not (command.cwd / "ran").exists()
    assert trace(folder) is Trace.NEVER_STARTED


def test_the_deadline_ends_the_whole_tree(sh: BuildCommand, folder: Path) -> None:
    text = "bash -c 'sleep 1000 & echo $!; wait' & echo $!; echo $$; wait"
    outcome = run(sh(text, timeout_s=0.5), folder)
    assert outcome.ended_by is EndedBy.DEADLINE
    pids = [int(word) for word in outcome.stdout.split()]
    assert len(pids) == 3
    assert not any(is_running(pid) for pid in pids)


def test_who_ignores_the_deadline_is_killed(sh: BuildCommand, folder: Path) -> None:
    text = "trap '' TERM; (trap '' TERM; exec >&- 2>&-; sleep 1000) & echo $! $$; wait"
    outcome = run(sh(text, timeout_s=0.3, grace_s=0.2), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.DEADLINE, 9)
    assert not any(is_running(int(word)) for word in outcome.stdout.split())


def test_a_child_that_outlives_its_parent_in_the_grace_is_ended_too(
    sh: BuildCommand, folder: Path
) -> None:
    text = "(trap '' TERM; exec >&- 2>&-; sleep 1000) & echo $!; wait"
    outcome = run(sh(text, timeout_s=0.3, grace_s=0.2), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.DEADLINE, 15)
    assert not is_running(int(outcome.stdout))


def test_a_command_may_tidy_up_in_its_grace(sh: BuildCommand, folder: Path, fifo: MakeFifo) -> None:
    fifo("never")
    text = "trap 'echo tidy; exit 4' TERM; read x < never"
    outcome = run(sh(text, timeout_s=0.3, grace_s=20), folder)
    assert (outcome.ended_by, outcome.exit_code) == (EndedBy.DEADLINE, 4)
    assert outcome.stdout == "tidy\n"


def test_a_stopped_command_still_obeys_the_deadline(sh: BuildCommand, folder: Path) -> None:
    outcome = run(sh("kill -STOP $$", timeout_s=0.3, grace_s=20), folder)
    assert (outcome.ended_by, outcome.signal) == (EndedBy.DEADLINE, 15)


def test_a_command_may_run_without_a_deadline(sh: BuildCommand, folder: Path) -> None:
    assert run(sh("echo done", timeout_s=float("inf")), folder).stdout == "done\n"


def test_secrets_are_written_nowhere(sh: BuildCommand, folder: Path, fifo: MakeFifo) -> None:
    secret = "hunter2-" + "z" * 20
    gate = fifo("gate")
    lines: list[bytes] = []

    def look(_: str, text: str) -> None:
        shim = Path(f"/proc/{record(folder)['shim']}/cmdline").read_bytes()
        lines.extend([shim, Path(f"/proc/{int(text)}/cmdline").read_bytes()])
        gate.send()

    environment = {"PATH": os.environ["PATH"], "TOKEN": secret}
    command = sh('echo $$; read x < gate; test "$TOKEN" && exit 7', environment=environment)
    assert run(command, folder, on_output=look).exit_code == 7
    lines.extend(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert len(lines) > 5
    assert not [line for line in lines if secret.encode() in line]
    assert secret not in repr(command)


def test_only_we_may_read_the_records(sh: BuildCommand, folder: Path) -> None:
    run(sh("echo x", stdin="y"), folder)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())}
    assert set(modes.values()) == {0}


def test_a_callback_that_fails_leaves_the_command_to_be_found_again(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    gate = fifo("gate")
    command = sh("echo ran >> ledger; echo out; read x < gate; exit 5")

    def fail(_stream: str, _text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(command, folder, on_output=fail)
    assert trace(folder) is Trace.RUNNING
    outcome = run(command, folder, on_output=lambda *_: gate.send())
    assert (outcome.exit_code, outcome.reattached) == (5, True)
    assert (command.cwd / "ledger").read_text() == "ran\n"


def test_two_at_once_start_one(sh: BuildCommand, folder: Path) -> None:
    command = sh("echo ran >> ledger; exit 6")
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(run(command, folder))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.exit_code for outcome in outcomes] == [6] * 4
    assert sorted(outcome.reattached for outcome in outcomes) == [False, True, True, True]
    assert (command.cwd / "ledger").read_text() == "ran\n"


def test_nothing_is_left_behind(sh: BuildCommand, tmp_path: Path) -> None:
    def ours() -> tuple[int, int, list[str]]:
        tasks = Path("/proc/self/task").iterdir()
        children = [(task / "children").read_text() for task in tasks]
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), children

    run(sh("true"), tmp_path / "first")
    before = ours()
    for number in range(3):
        run(sh("echo x; exit 1"), tmp_path / str(number), on_output=lambda *_: None)
        run(sh("echo x; exit 1"), tmp_path / str(number), on_output=lambda *_: None)
    with pytest.raises(WorkError):
        run(sh("", argv=("no-such-program",)), tmp_path / "none")
    assert ours() == before


def daemon(text: str) -> str:
    return f"setsid bash -c '{text}' & echo started"


def test_a_daemon_that_keeps_the_pipe_neither_delays_nor_dies(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    gate, news = fifo("gate"), fifo("news")
    # More than a pipe holds, so that a pipe nobody reads would block it.
    late = "echo $$ > news; read x < gate; head -c 300000 /dev/zero; echo late; echo alive > news"
    outcome = run(sh(daemon(late)), folder)
    assert (outcome.stdout, outcome.exit_code) == ("started\n", 0)
    pid = int(news.receive())
    assert is_running(pid)
    keepers = processes_of(folder)
    assert len(keepers) == 1
    gate.send()
    assert news.receive() == "alive\n"
    await_end(pid)
    await_end(keepers[0])
    assert run(sh(daemon(late)), folder).stdout == "started\n"  # evidence does not change later


def test_the_deadline_spares_a_daemon(sh: BuildCommand, folder: Path, fifo: MakeFifo) -> None:
    gate, news = fifo("gate"), fifo("news")
    text = daemon("exec > /dev/null 2>&1; read x < gate; echo alive > news") + "; sleep 1000"
    assert run(sh(text, timeout_s=0.5), folder).ended_by is EndedBy.DEADLINE
    gate.send()
    assert news.receive() == "alive\n"


def test_a_background_server_lives_on_after_a_normal_end(
    sh: BuildCommand, folder: Path, fifo: MakeFifo
) -> None:
    gate, news = fifo("gate"), fifo("news")
    text = "(read x < gate; echo alive > news) > /dev/null 2>&1 & echo up"
    assert run(sh(text), folder).stdout == "up\n"
    gate.send()
    assert news.receive() == "alive\n"


def test_a_command_is_needed(work: Path, folder: Path) -> None:
    with pytest.raises(WorkError, match="the command is empty"):
        run(Command((), work, {}, 1.0), folder)
