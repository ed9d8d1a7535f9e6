"""A folder of runs that something has damaged: it is said, and nobody acts on it."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from tests.cli import books
from tests.cli.running import all_at_once, gonogo, id_of


def change(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / ".gonogo" / "journal.db") as journal:
        journal.execute(statement)
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE gonogo_event SET body='{\"status\":\"fail\"}' WHERE kind='question.asked'",
        "UPDATE gonogo_event SET body='{' WHERE seq=3",
        "DELETE FROM gonogo_event WHERE seq=2",
        "UPDATE gonogo_event SET who='eve' WHERE seq=1",
    ],
    ids=["another question", "a cut body", "one is missing", "another person"],
)
def test_a_run_whose_events_were_changed_is_not_carried_on(parked: Path, statement: str) -> None:
    run = id_of(parked / ".gonogo")
    change(parked, statement)
    said = all_at_once(
        {
            "resume": ("resume",),
            "abort": ("abort", "--reason", "x"),
            "status": ("status",),
            "answer": ("answer", "--json"),
            "report": ("report",),
            "verify": ("report", "--verify"),
        },
        parked,
    )
    for name in ("resume", "abort"):
        assert (said[name].code, said[name].out) == (3, ""), said[name]
        assert f"run `{run}` cannot go on: event " in said[name].err
        assert f"`gonogo report {run}`" in said[name].err
    assert said["verify"].code == 1
    assert "UNPROVEN" in said["report"].out
    assert (said["status"].code, said["answer"].code) == (0, 0)
    json.loads(said["answer"].out)
    with sqlite3.connect(parked / ".gonogo" / "journal.db") as journal:
        found = journal.execute("SELECT count(*) FROM gonogo_event WHERE kind='run.resumed'")
        assert found.fetchone() == (0,)
        assert journal.execute("SELECT count(*) FROM gonogo_inbox").fetchone() == (0,)
    journal.close()


def test_bytes_that_are_no_text_may_stand_on_the_command_line(parked: Path) -> None:
    odd = os.fsdecode(b"caf\xe9 \x1b[2J")
    words = ("answer", "--all", "yes", "--by", odd, "--reason", odd, "--link", odd)
    assert gonogo(*words, cwd=parked).code == 0
    done = gonogo("resume", "--by", odd, cwd=parked)
    assert (done.code, "bug" in done.err) == (0, False), done.err
    assert gonogo("report", "--verify", cwd=parked).code == 0
    rows = gonogo("status", cwd=parked).out
    assert "\x1b" not in rows


def test_a_folder_of_runs_with_an_odd_name_is_refused(parked: Path) -> None:
    book = str(parked / "deploy.md")
    done = gonogo("run", book, "--yes", "--home", os.fsdecode(b"h\xff"), cwd=parked)
    assert (done.code, done.out) == (3, "")
    assert "has a name that is not UTF-8" in done.err


def test_a_width_without_end_is_a_width(parked: Path) -> None:
    done = gonogo("status", cwd=parked, env={"COLUMNS": "9" * 5_000})
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE workflow_status SET status='ERROR'",
        "UPDATE workflow_status SET status='CANCELLED'",
        "UPDATE workflow_status SET application_version='run-0'",
        "UPDATE operation_outputs SET output='{'",
        "UPDATE operation_outputs SET output='[]'",
        "UPDATE operation_outputs SET function_name='x'",
    ],
)
def test_what_the_engine_has_kept_is_not_waited_for_when_it_is_damaged(
    tmp_path: Path, statement: str
) -> None:
    step = "## Pre-deployment\n\n- [ ] Look\n\n  ```bash\n  true\n  ```\n"
    book = books.questions(at_once=False).replace("## Pre-deployment\n", step)
    (tmp_path / "deploy.md").write_text(book)
    assert gonogo("run", "deploy.md", "--yes", cwd=tmp_path).code == 3
    assert gonogo("answer", "--all", "yes", cwd=tmp_path).code == 0
    change(tmp_path, statement)
    done = gonogo("resume", cwd=tmp_path)
    assert (done.code, "bug" in done.err) == (3, False), done.err
    assert "is not a journal or is damaged: " in done.err
