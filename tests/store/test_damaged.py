"""A journal that something has changed: all of it is read, and nothing of it is believed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from gonogo.cli.home import Home
from gonogo.clock import SystemClock
from gonogo.errors import JournalError
from gonogo.report import Format, Outcome, collect, render
from gonogo.run.journal import Answer, broken_link
from gonogo.store.journal import Served, SqliteJournal

BODIES = {
    "cut": '{"status":"pa',
    "empty": "",
    "a list": "[]",
    "null": "null",
    "not a number": '{"status":NaN}',
    "half a character": '{"title":"\\ud800"}',
    "half a character in capitals": '{"title":"\\UD800"}',
    "deep": "[" * 100_000,
    "a number without end": '{"line":' + "9" * 5_000 + "}",
    "a number beyond all": '{"duration_s":' + "9" * 400 + ',"line":' + "9" * 400 + "}",
    "bytes": b'{"status":"pass"}',
    "too small a tree": '{"plan":{"phases":7,"rollback":[]}}',
}


def change(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(statement, values)
    raw.close()


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", ["run.started", "step.finished", "question.asked"])
def test_a_damaged_body_is_told_at_its_event_and_the_rest_is_shown(journal, path, name, kind):
    journal.append("r1", "run.started", body={"service": "web"})
    journal.append("r1", kind, "home", body={"status": "pass", "title": "Home"})
    journal.append("r1", "step.finished", "admin", body={"status": "fail", "title": "Admin page"})
    change(path, "UPDATE gonogo_event SET body=? WHERE seq=2", BODIES[name])
    events = journal.events("r1")
    assert len(events) == 3
    assert broken_link(events) == 2
    evidence = collect(events)
    assert evidence.outcome is Outcome.UNPROVEN
    for form in Format:
        assert "Admin page" in render(evidence, form)


@pytest.mark.parametrize("column", ["at", "who", "kind", "item", "attempt", "epoch", "hash"])
@pytest.mark.parametrize("value", [7, b"\xff", "", "\x00\x1b[2J", -1.5, 2**62], ids=repr)
def test_a_damaged_column_is_told_at_its_event(journal, path, column, value):
    for _ in range(3):
        journal.append("r1", "step.finished", "home", body={"status": "pass"}, attempt=1)
    change(path, f"UPDATE gonogo_event SET {column}=? WHERE seq=2", value)
    events = journal.events("r1")
    assert broken_link(events) == 2
    for form in Format:
        assert render(collect(events), form)


def test_a_time_beyond_the_calendar_is_no_time(journal, path):
    journal.append("r1", "run.started")
    journal.append("r1", "run.resumed")
    change(path, "UPDATE gonogo_event SET at='9999-12-31T23:59:59-23:59' WHERE seq=1")
    assert collect(journal.events("r1")).outcome is Outcome.UNPROVEN


def test_a_run_without_its_first_event_is_still_one(journal, path):
    for _ in range(2):
        journal.append("r1", "x")
    change(path, "DELETE FROM gonogo_event WHERE seq=1")
    assert journal.runs() == ("r1",)


def test_text_that_is_no_text_is_said_without_showing_it(journal, path):
    journal.append("r1", "x", body={"a": "b"})
    change(path, "UPDATE gonogo_event SET body=CAST(? AS TEXT)", b'{"a":"\xff hidden"}')
    with pytest.raises(JournalError, match="damaged: it holds text that is not UTF-8") as caught:
        journal.events("r1")
    assert "hidden" not in str(caught.value)


def test_what_sqlite_says_of_a_damaged_schema_may_be_no_text(journal, path, open_journal):
    journal.append("r1", "x")
    journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"gonogo_event (", b"gonogo\xccevent(("))
    with pytest.raises(JournalError, match="damaged"):
        open_journal().events("r1")


def test_what_people_write_may_be_any_bytes(journal):
    odd = os.fsdecode(b"a\xff")
    assert journal.put(Answer("r1", 1, "told", "yes", odd, "2026-03-01T14:00:00Z", odd, odd))
    assert journal.answer("r1", "told").who == "a?"
    journal.append("r1", "run.started", odd, who=odd, body={"release": odd})
    assert broken_link(journal.events("r1")) is None


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path):
    folder = tmp_path / os.fsdecode(b"h\xff")
    with pytest.raises(JournalError, match="name that is not UTF-8"):
        SqliteJournal(folder / "journal.db", SystemClock())
    assert not folder.exists()


def test_a_lock_of_other_bytes_still_says_that_it_is_held(path):
    path.parent.mkdir()
    lock = path.with_suffix(".lock")
    held = Served(lock)
    lock.write_bytes(b"\xff\xfe")
    with pytest.raises(JournalError, match="is already being run from this folder"):
        Served(lock)
    held.release()


def test_a_salt_of_other_bytes_is_another_salt(tmp_path):
    home = Home(tmp_path)
    before = home.salt(create=True)
    (tmp_path / "salt").write_bytes(b"\xff\xfe")
    assert home.salt() not in ("", before)
