"""What `resume` says and does besides going on: late reports, and values that are set otherwise."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.running import Done, finish, gonogo, id_of, start

from gonogo.clock import SystemClock
from gonogo.store.journal import SqliteJournal

REPORTS = {"report.html", "report.md", "report.json", "report.txt", "junit.xml"}
BOOK = """\
---
gonogo: 1
service: web
---
# Web: release

## Deployment

1. Wait for the gate

   ```bash
   echo > begun
   cat gate
   echo "$COLOUR" >> order
   ```
"""


@pytest.fixture
def folder(pipes: Path) -> Path:
    """A folder with a runbook whose step waits until a test lets it go on."""
    (pipes / "deploy.md").write_text(BOOK)
    return pipes


@pytest.fixture
def unreported(folder: Path) -> Path:
    """The same, with a run that was killed between its verdict and its first report."""
    served = start("run", "deploy.md", "--yes", cwd=folder, env={"COLOUR": "blue"})
    (folder / "begun").read_bytes()
    place = folder / ".gonogo" / "runs" / id_of(folder / ".gonogo")
    draft = place / "report.html.draft"
    os.mkfifo(draft)  # who writes the first report waits here for ever
    (folder / "gate").write_text("go\n")
    wait_for_verdict(served, folder / ".gonogo" / "journal.db")
    served.send_signal(signal.SIGKILL)
    assert finish(served).code == -signal.SIGKILL
    draft.unlink()
    return folder


def wait_for_verdict(served: subprocess.Popen[str], file: Path) -> None:
    journal = SqliteJournal(file, SystemClock(), create=False)
    (run,) = journal.runs()
    with closing(journal), os.fdopen(os.pidfd_open(served.pid)) as handle:
        life = select.poll()
        life.register(handle, select.POLLIN)
        while not any(event.kind == "verdict.given" for event in journal.events(run)):
            assert not life.poll(5), "it ended before its verdict could be seen"


def reports(folder: Path) -> set[str]:
    (place,) = (folder / ".gonogo" / "runs").iterdir()
    return {file.name for file in place.iterdir()} & REPORTS


@pytest.mark.parametrize("by_name", [True, False], ids=["named", "not-named"])
def test_resume_writes_the_reports_of_a_run_that_was_killed_after_its_verdict(
    unreported: Path, *, by_name: bool
) -> None:
    assert reports(unreported) == set()
    run = id_of(unreported / ".gonogo")
    done = gonogo("resume", *([run] if by_name else []), cwd=unreported)
    assert done.code == 0, done.both
    assert f"run {run} had ended before its reports were written" in done.err
    assert "GO" in done.out
    assert reports(unreported) == REPORTS
    again = gonogo("resume", run, cwd=unreported)
    assert (again.code, again.out) == (2, "")
    assert f"run `{run}` has ended" in again.err


def test_so_does_report_and_says_it_once(unreported: Path) -> None:
    first = gonogo("report", cwd=unreported)
    assert "had ended before its reports were written" in first.err
    assert reports(unreported) == REPORTS
    again = gonogo("report", cwd=unreported)
    assert (again.code, again.err, again.out) == (0, "", first.out)


def killed_and_resumed(folder: Path, colour: str | None) -> Done:
    served = start("run", "deploy.md", "--yes", cwd=folder, env={"COLOUR": "blue"})
    (folder / "begun").read_bytes()
    served.send_signal(signal.SIGKILL)
    finish(served)
    resumed = start("resume", cwd=folder, env={} if colour is None else {"COLOUR": colour})
    (folder / "gate").write_text("go\n")
    return finish(resumed)


@pytest.mark.parametrize("now", ["another text", "no file"])
def test_a_run_goes_on_from_the_text_that_it_began_with(folder: Path, now: str) -> None:
    text = f"{BOOK}\n2. Say it\n\n   ```bash\n   echo as it was >> order\n   ```\n"
    (folder / "deploy.md").write_text(text)
    served = start("run", "deploy.md", "--yes", cwd=folder, env={"COLOUR": "blue"})
    (folder / "begun").read_bytes()
    served.send_signal(signal.SIGKILL)
    finish(served)
    if now == "no file":
        (folder / "deploy.md").unlink()
    else:
        (folder / "deploy.md").write_text(text.replace("as it was", "as it is"))
    resumed = start("resume", cwd=folder)
    (folder / "gate").write_text("go\n")
    done = finish(resumed)
    assert done.code == 0, done.both
    assert (folder / "order").read_text() == "blue\nas it was\n"


def test_a_value_that_is_set_otherwise_here_is_named_and_does_not_count(folder: Path) -> None:
    done = killed_and_resumed(folder, "green")
    assert done.code == 0, done.both
    assert "note: `COLOUR` is set otherwise here" in done.err
    assert "green" not in done.both
    assert (folder / "order").read_text() == "blue\n"


@pytest.mark.parametrize("colour", ["blue", None], ids=["the-same", "not-set"])
def test_nothing_is_said_of_values_that_are_the_same_or_not_set(
    folder: Path, colour: str | None
) -> None:
    done = killed_and_resumed(folder, colour)
    assert done.code == 0, done.both
    assert "set otherwise" not in done.err
    assert (folder / "order").read_text() == "blue\n"


def test_a_secret_that_is_no_longer_the_same_is_refused(folder: Path) -> None:
    book = BOOK.replace("$COLOUR", "${COLOUR_TOKEN:?}")
    (folder / "deploy.md").write_text(book.replace("cat gate", 'cat gate "$COLOUR_TOKEN"'))
    served = start("run", "deploy.md", "--yes", cwd=folder, env={"COLOUR_TOKEN": "/dev/null"})
    (folder / "begun").read_bytes()
    served.send_signal(signal.SIGKILL)
    finish(served)
    done = gonogo("resume", cwd=folder, env={"COLOUR_TOKEN": "/dev/zero"})
    assert done.code == 2
    assert "no longer as at the start of the run: `COLOUR_TOKEN`" in done.err
    assert "/dev/zero" not in done.both
