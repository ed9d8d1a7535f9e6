"""What cannot be started or kept is said clearly, and said again when asked again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.process.conftest import BuildCommand

from gonogo.errors import WorkError
from gonogo.process import Command, Trace, run, trace


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        pytest.param(("no-such",), "command not found: `no-such`", "full path", id="not found"),
        pytest.param(("./no",), "cannot run `./no`: it, or the inter", "correct", id="no file"),
        pytest.param(("./plain",), "`./plain` is not executable", "chmod +x", id="no x bit"),
        pytest.param(("./",), "`./` is not executable", "chmod +x", id="a folder"),
        pytest.param(("./empty",), "`./empty` is not a program", "#!/bin/sh", id="no first line"),
        pytest.param(("./odd",), "cannot run `./odd`: it, or the inter", "", id="no interpreter"),
        pytest.param(("true", "x" * 200_000), "of `true` are too long", "file", id="too long"),
    ],
)
def test_a_program_that_cannot_start(
    sh: BuildCommand, work: Path, folder: Path, argv: tuple[str, ...], message: str, hint: str
) -> None:
    (work / "plain").write_text("echo x")
    (work / "empty").touch(0o755)
    (work / "odd").touch(0o755)
    (work / "odd").write_text("#!/no/such/interpreter\n")
    command = sh("", argv=argv)
    for _ in range(2):  # the second time from the record
        with pytest.raises(WorkError) as caught:
            run(command, folder)
        assert message in caught.value.message
        assert hint in caught.value.hint
    assert trace(folder) is Trace.ENDED


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        pytest.param(None, "no such file or directory", id="gone"),
        pytest.param(0o644, "permission denied", id="not-executable"),
    ],
)
def test_when_our_own_python_cannot_run_the_command_is_not_blamed(
    sh: BuildCommand,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: int | None,
    reason: str,
) -> None:
    python = tmp_path / "python3"
    if mode is not None:
        python.touch(mode)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(python))
        with pytest.raises(WorkError) as caught:
            run(sh("echo there"), folder)
    own = f"gonogo cannot run its own Python `{python}` to watch over `bash`: {reason}"
    assert caught.value.message == own
    assert "nothing of the command has run" in caught.value.hint
    assert run(sh("echo there"), folder).stdout == "there\n"  # it was not begun: it may be started


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("missing", "does not exist", id="missing"),
        pytest.param("file", "is not a folder", id="a file"),
    ],
)
def test_a_working_folder_that_cannot_be_entered(
    sh: BuildCommand, work: Path, folder: Path, name: str, message: str
) -> None:
    (work / "file").touch()
    for _ in range(2):
        with pytest.raises(WorkError, match=f"the working folder `{work / name}` {message}"):
            run(sh("true", cwd=work / name), folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"argv": ("",)}, "the command is empty", id="no program"),
        pytest.param({"argv": ("echo", "a\0b")}, "a NUL character", id="NUL in an argument"),
        pytest.param({"environment": {"A=B": "secret"}}, "variable `A=B`", id="= in a name"),
        pytest.param({"environment": {"": "secret"}}, "variable ``", id="no name"),
        pytest.param({"environment": {"A": "secret\0"}}, "variable `A`", id="NUL in a value"),
    ],
)
def test_what_no_system_can_start(
    sh: BuildCommand, folder: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(WorkError, match=message) as caught:
        run(sh("true", **changes), folder)
    assert "secret" not in str(caught.value)
    assert trace(folder) is Trace.NEVER_STARTED


def test_an_environment_that_is_too_large(sh: BuildCommand, folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "BIG": "x" * 300_000}
    with pytest.raises(WorkError, match="the arguments and the environment of `bash` are too long"):
        run(sh("true", environment=environment), folder)
    assert trace(folder) is Trace.NEVER_STARTED


def test_a_path_of_its_own_decides_what_is_found(sh: BuildCommand, folder: Path) -> None:
    with pytest.raises(WorkError, match="command not found: `bash`"):
        run(sh("true", environment={"PATH": "/no/such/folder"}), folder)


def test_an_executable_later_in_the_path_is_found(
    sh: BuildCommand, work: Path, folder: Path
) -> None:
    (work / "tool").touch(0o644)
    (work / "bin").mkdir()
    (work / "bin" / "tool").touch(0o755)
    (work / "bin" / "tool").write_text("#!/bin/sh\necho found\n")
    command = sh("", argv=("tool",), environment={"PATH": f"{work}/tool:{work}:{work}/bin"})
    assert run(command, folder).stdout == "found\n"


def test_a_folder_holds_one_command(sh: BuildCommand, folder: Path) -> None:
    run(sh("echo 1"), folder)
    with pytest.raises(WorkError, match="holds the record of another command"):
        run(sh("echo 2"), folder)


def full(folder: Path, name: str) -> None:
    """Make every write to this file meet a full disk."""
    folder.mkdir(parents=True)
    (folder / name).symlink_to("/dev/full")


@pytest.mark.parametrize(
    "name", ["command.json.tmp", "stdin.tmp", "pid.json.tmp", "exit.json.tmp.tmp"]
)
def test_a_disk_that_is_full_before_the_start(sh: BuildCommand, folder: Path, name: str) -> None:
    command = sh("touch ran", stdin="x")
    full(folder, name)
    with pytest.raises(WorkError, match=r"(?i)no space left on device"):
        run(command, folder)
    assert not (command.cwd / "ran").exists()
    assert trace(folder) is Trace.NEVER_STARTED
    (folder / name).unlink(missing_ok=True)
    assert run(command, folder).exit_code == 0


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_disk_that_fills_up_while_the_command_speaks(
    sh: BuildCommand, folder: Path, name: str
) -> None:
    full(folder, name)
    # More than a pipe holds: a shim that gave up reading would block it for ever.
    command = sh("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; touch done; exit 4")
    for _ in range(2):
        with pytest.raises(WorkError, match=f"exit code 4, but its {name} could not be kept"):
            run(command, folder)
    assert (command.cwd / "done").exists()


def test_a_folder_that_cannot_be_made(sh: BuildCommand, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match=r"cannot be kept in .*: not a directory"):
        run(sh("true"), tmp_path / "file" / "item")


def test_the_environment_is_not_part_of_the_printed_command(work: Path) -> None:
    command = Command(("true",), work, {"TOKEN": "hunter2"}, 1.0, stdin="hunter3")
    assert "hunter" not in repr(command)
