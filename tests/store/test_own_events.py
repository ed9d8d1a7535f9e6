"""What a process knows of the run that it writes is what stands in the file."""

from __future__ import annotations

import pytest

from gonogo.errors import JournalError


def test_those_of_one_item_are_the_same_for_who_writes_and_for_who_takes_over(
    journal, open_journal
):
    for item in ("a", "b", "a"):
        journal.append("r1", "x", item)
    other = open_journal(create=False)  # has written nothing: it reads the file
    assert other.of_item("r1", "a") == journal.of_item("r1", "a")
    journal.close()
    other.append("r1", "y", "a")
    assert [(e.seq, e.kind) for e in other.of_item("r1", "a")] == [(1, "x"), (3, "x"), (4, "y")]


def test_an_event_that_could_not_be_written_is_not_known(journal):
    journal.append("r1", "x", "a")
    journal._db.execute("PRAGMA query_only=1")
    with pytest.raises(JournalError):
        journal.append("r1", "y", "a")
    journal._db.execute("PRAGMA query_only=0")
    assert [e.kind for e in journal.of_item("r1", "a")] == ["x"]
    assert journal.append("r1", "z", "a").seq == 2
