"""Quick look-ups: no folder, no shim, a firm deadline."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonogo.errors import WorkError
from gonogo.process import CompletedText, run_short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("echo a; echo b >&2", CompletedText(0, "a\n", "b\n"), id="both streams"),
        pytest.param("exit 3", CompletedText(3, "", ""), id="exit code"),
        pytest.param("kill -9 $$", CompletedText(-9, "", ""), id="signal"),
        pytest.param("cat", CompletedText(0, "", ""), id="nothing to read"),
        pytest.param(r"printf '\xff'", CompletedText(0, "�", ""), id="not UTF-8"),
    ],
)
def test_what_it_says(text: str, expected: CompletedText) -> None:
    assert run_short(["bash", "-c", text]) == expected


def test_it_gets_what_it_is_given(tmp_path: Path) -> None:
    said = run_short(
        ["/bin/sh", "-c", "pwd -P; cat; echo $WORD"],
        cwd=tmp_path,
        stdin="ä\n",
        environment={"WORD": "w"},
    )
    assert said.stdout == f"{tmp_path.resolve()}\nä\nw\n"


def test_an_input_that_nobody_reads_does_no_harm() -> None:
    assert run_short(["true"], stdin="x" * 300_000).exit_code == 0


def test_it_may_not_take_long(tmp_path: Path) -> None:
    text = "echo $$ > pid; sleep 1000 & wait"
    with pytest.raises(WorkError, match=r"`bash` gave no answer within 0.2 s"):
        run_short(["bash", "-c", text], cwd=tmp_path, timeout_s=0.2)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        pytest.param(["no-such"], None, "command not found: `no-such`", id="not found"),
        pytest.param(["/etc/passwd"], None, "is not executable", id="not executable"),
        pytest.param(["true"], "/no/such", "`/no/such` does not exist", id="no folder"),
        pytest.param(["a\0b"], None, "not a valid text", id="NUL"),
    ],
)
def test_it_cannot_start(argv: list[str], cwd: str | None, message: str) -> None:
    with pytest.raises(WorkError, match=message):
        run_short(argv, cwd=Path(cwd) if cwd else None)
