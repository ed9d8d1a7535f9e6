"""Streams that are closed or full, readers that go away, users and folders of every kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.conftest import Ended
from tests.cli.running import PROGRAM, TIMEOUT_S, Done, all_at_once, gonogo, surroundings

GONOGO = " ".join(PROGRAM)
NOBODY = 54_321


def in_shell(script: str, cwd: Path) -> Done:
    """Run a line of bash in which `gonogo` is the program."""
    done = subprocess.run(
        ["bash", "-c", f'gonogo() {{ {GONOGO} "$@"; }}; {script}'],
        cwd=cwd,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deploy.md").write_text(books.go())
    (tmp_path / "bad.md").write_text(books.go().replace("```bash", "```bsah"))
    return tmp_path


def test_a_reader_may_go_away(folder: Path) -> None:
    codes = {"plan deploy.md": 0, "kinds": 0, "lint bad.md": 2, "lint --help": 0}
    for words, code in codes.items():
        away = f"gonogo {words} 2>err | (exec 0<&-); echo ${{PIPESTATUS[0]}}; cat err"
        done = in_shell(away, folder)
        assert done.out.splitlines()[0] == str(code), words
        for complaint in ("Broken", "Traceback", "Exception"):
            assert complaint not in done.both, words


def test_a_run_is_carried_out_whoever_reads_along(folder: Path) -> None:
    done = in_shell("gonogo run deploy.md --yes 2>&1 | head -1; echo ${PIPESTATUS[0]}", folder)
    assert done.out.splitlines()[-1] == "0"
    assert (folder / "state").read_text() == "new\n"
    assert gonogo("report", "--verify", cwd=folder).code == 0


def test_a_run_is_carried_out_with_all_streams_closed(folder: Path) -> None:
    done = in_shell("gonogo run deploy.md --yes <&- >&- 2>&-; echo $?", folder)
    assert done == Done(0, "0\n", "")
    assert (folder / "state").read_text() == "new\n"
    assert gonogo("report", "--verify", cwd=folder).code == 0  # nothing was written into it


def test_data_that_cannot_be_written_is_no_success(ended: dict[str, Ended], folder: Path) -> None:
    done = in_shell("gonogo plan deploy.md > /dev/full; echo $?", folder)
    assert done.out == "2\n"
    assert "standard output cannot be written: No space left on device" in done.err
    done = in_shell("gonogo lint deploy.md <&-; echo $?", folder)
    assert done.out.endswith("0\n")


def test_marks_become_plain_where_they_must(ended: dict[str, Ended]) -> None:
    folder = ended["no-go"].folder
    run = ended["no-go"].run
    done = in_shell(
        "export PYTHONIOENCODING=ascii GONOGO_HOME='runs here'; gonogo plan */deploy.md; "
        f"gonogo report {run} --format json; gonogo report {run} --format html",
        folder,
    )
    assert done.code == 0
    assert done.both.isascii()
    assert "Gr\\u00f6\\u00dfe" in done.out
    assert "Gr&#246;&#223;e" in done.out


def test_screens_fit_on_80_columns(folder: Path) -> None:
    (folder / "deploy.md").write_text(
        books.questions()
        .replace("Switch\n", "Switch " + "from one very long name to another " * 6)
        .replace("Owner: ana", "Owner: " + "everybody and " * 20)
        .replace("echo new", f"echo {'words ' * 40}")
        .replace("The status page", "日本語" * 40)
    )
    screens = ("plan deploy.md", "kinds", "kinds sql", "lint deploy.md")
    for words, done in all_at_once({words: words.split() for words in screens}, folder).items():
        assert done.code == 0, done.both
        assert [line for line in done.out.splitlines() if wide(line) > 80] == [], words


def wide(line: str) -> int:
    """Return how many columns a line takes."""
    return sum(2 if ord(char) > 0x2E80 else 1 for char in line)


def test_the_plan_names_what_a_run_hangs_on(folder: Path) -> None:
    out = gonogo("plan", "deploy.md", cwd=folder).out
    assert "1. Pre-deployment" in out
    assert "expects exit code = 0 (default)" in out
    assert "undo: echo old > state" in out
    assert "point of no return  none, every action has a way back" in out
    assert "estimated time      2 s, and 2 phases that do not say" in out
    assert "way back            1 step with `Undo:`, last first" in out
    (folder / "rash.md").write_text(books.DESTROYS)
    rash = gonogo("plan", "rash.md", cwd=folder).out
    assert "destroys old-files: a person types its name first" in rash
    assert "point of no return  Forget the old files (line 9): old-files cannot be got back" in rash


def test_kinds_are_shown_as_a_runbook_writes_them(folder: Path) -> None:
    said = all_at_once(
        {"http": ("kinds", "http"), "alias": ("kinds", "postgresql"), "needs": ("kinds", "NEEDS:")},
        folder,
    )
    assert {done.code for done in said.values()} == {0}
    assert "  connect timeout   " in said["http"].out
    assert "(default: 10 s)" in said["http"].out
    assert "kind_" not in said["http"].out
    assert said["alias"].out.startswith("sql: ")
    assert "  - Needs: " in said["needs"].out


def may_become_nobody() -> bool:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    command = [*as_nobody(), *PROGRAM, "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def as_nobody() -> list[str]:
    """Return what starts a command as a user without name, home, login or groups."""
    unset = [
        word for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME") for word in ("-u", name)
    ]
    rights = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    return ["env", *unset, "setpriv", *rights]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder below which every user may come; the usual ones are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="gonogo-nobody-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(not may_become_nobody(), reason="cannot become another user here")
def test_a_user_without_a_name_is_known_by_number(open_folder: Path) -> None:
    folder = open_folder
    (folder / "deploy.md").write_text(books.questions())
    (folder / "answers.yml").write_text(
        "The status page says so: yes\nSupport knows about it: no\n"
    )
    words = ("run", "deploy.md", "--yes", "--answers", "answers.yml")
    refused = gonogo(*words, cwd=folder, before=as_nobody())
    assert (refused.code, refused.out) == (3, "")
    assert "error[GN710]" in refused.err
    assert "Permission denied" in refused.err
    os.chown(folder, NOBODY, NOBODY)
    done = gonogo(*words, cwd=folder, before=as_nobody())
    assert done.code == 1, done.both
    assert f"by uid {NOBODY}" in done.out
    (folder / "deploy.md").chmod(0)
    unread = gonogo("lint", "deploy.md", cwd=folder, before=as_nobody())
    assert (unread.code, unread.out) == (2, "")
    assert "`deploy.md` cannot be read: Permission denied" in unread.err


def test_light_commands_load_nothing_heavy(folder: Path) -> None:
    heavy = {
        *("rich", "jinja2", "dbos", "sqlalchemy", "psycopg", "pycurl", "redis", "asyncio"),
        *("sqlite3", "http", "ssl", "concurrent", "markdown_it", "yaml"),
    }
    script = (
        "import sys; from gonogo.cli.main import run; code = run(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    allowed = {"--version": set(), "lint": {"markdown_it", "yaml"}, "explain": set()}
    words = {"--version": (), "lint": ("deploy.md",), "explain": ("p99 > 1.2s",)}
    for name, more in words.items():
        done = subprocess.run(
            [sys.executable, "-c", script, name, *more],
            cwd=folder,
            env=surroundings(),
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = set(done.stderr.split()) & heavy
        assert loaded - allowed[name] == set(), name
