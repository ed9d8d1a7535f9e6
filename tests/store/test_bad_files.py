"""What the journal says when its file, its folder or the disk is bad; nothing is lost by it."""

from __future__ import annotations

import os
import sqlite3

import pytest

from gonogo.errors import JournalError
from gonogo.run.journal import broken_link
from gonogo.store.journal import VERSION, SqliteJournal


class TestBadFiles:
    def test_none_where_one_is_expected(self, open_journal):
        with pytest.raises(JournalError, match="no journal at") as caught:
            open_journal(create=False)
        assert "--home" in caught.value.hint

    def test_not_a_database(self, path, open_journal):
        path.parent.mkdir()
        path.write_text("# A runbook, not a journal\n" * 100)
        with pytest.raises(JournalError, match="not a journal or is damaged"):
            open_journal()

    def test_a_newer_version_is_refused_and_left_as_it_is(self, path, open_journal):
        open_journal().close()
        with sqlite3.connect(path) as raw:
            raw.execute(f"PRAGMA user_version={VERSION + 1}")
        raw.close()
        before = path.read_bytes()
        with pytest.raises(JournalError, match=f"has version {VERSION + 1}, this gonogo reads"):
            open_journal()
        assert path.read_bytes() == before

    def test_a_damaged_page(self, journal, path, open_journal):
        for _ in range(300):
            journal.append("r1", "x", body={"t": "y" * 500})
        journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        journal.close()
        data = bytearray(path.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        path.write_bytes(bytes(data))
        with pytest.raises(JournalError):
            open_journal().events("r1")

    def test_a_folder_in_the_place_of_the_file(self, path, open_journal):
        path.mkdir(parents=True)
        with pytest.raises(JournalError, match="cannot be used"):
            open_journal()

    def test_a_file_in_the_place_of_the_folder(self, path, open_journal):
        path.parent.write_text("")
        with pytest.raises(JournalError, match="cannot be used"):
            open_journal()


READ_ONLY = """
import os, sys
from pathlib import Path
from gonogo.clock import SystemClock
from gonogo.errors import JournalError
from gonogo.store.journal import Served, SqliteJournal
if os.geteuid() == 0:  # whom no mode of a folder stops
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for act in (lambda: SqliteJournal(Path(sys.argv[1]), SystemClock()).append("r1", "x"),
            lambda: Served(Path(sys.argv[2]))):
    try:
        act()
    except JournalError as error:
        print(error, "|", error.hint)
"""


@pytest.mark.parametrize("there", [True, False], ids=["a journal", "an empty folder"])
def test_a_folder_that_may_only_be_read(there, path, child, open_journal):
    if there:
        open_journal().close()
    path.parent.mkdir(exist_ok=True)
    for folder in (path.parent, *path.parents):
        if folder != folder.parent and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    path.parent.chmod(0o555)
    process = child(READ_ONLY, path, path.parent / "x.lock")
    out, err = process.communicate(timeout=30)
    assert err == ""
    said = out.splitlines()
    assert len(said) == 2
    assert "cannot be used" in said[0]
    assert "see that the file and its folder can be written" in said[0]
    assert "cannot be taken" in said[1]


FULL = """
import resource, signal, sys
from pathlib import Path
from gonogo.clock import SystemClock
from gonogo.errors import JournalError
from gonogo.run.journal import broken_link
from gonogo.store.journal import SqliteJournal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = SqliteJournal(Path(sys.argv[1]), SystemClock())
journal.append("r1", "run.started")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
written = 1
try:
    while written < 1_000:
        journal.append("r1", "x", body={"t": "y" * 5_000}, durable=written % 2 == 0)
        written += 1
except JournalError as error:
    print(error, "|", error.hint)
assert len(journal.events("r1")) == written, "reading goes on while the disk is full"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
journal.append("r1", "y")
assert len(journal.events("r1")) == written + 1
assert broken_link(journal.events("r1")) is None
print("went on")
"""


def test_a_disk_that_cannot_take_more_is_told_and_nothing_is_lost(path, child):
    """A file size limit fails the write itself, as a full file system does."""
    out, err = child(FULL, path).communicate(timeout=30)
    assert err == ""
    assert "`gonogo resume`" in out.splitlines()[0]
    assert out.splitlines()[-1] == "went on"


def fill(journal: SqliteJournal) -> None:
    for _ in range(100):
        journal.append("r1", "x", body={"t": "y" * 5_000})


def test_a_full_disk_is_called_that(journal):
    """SQLite says `database or disk is full` for ENOSPC and for its own limit alike."""
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(JournalError, match="the disk is full") as caught:
        fill(journal)
    assert "nothing that was journaled is lost" in caught.value.hint
    journal._db.execute("PRAGMA max_page_count=100000")
    journal.append("r1", "y")
    assert broken_link(journal.events("r1")) is None


def test_a_journal_is_closed_when_it_cannot_be_prepared(path, clock, recwarn):
    path.parent.mkdir()
    path.write_text("no database at all, but long enough to look like one " * 50)
    with pytest.raises(JournalError):
        SqliteJournal(path, clock)
    assert not recwarn.list
