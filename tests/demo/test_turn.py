from __future__ import annotations

from pathlib import Path

import pytest

from gonogo.clock import SystemClock
from gonogo.demo.turn import Turn
from gonogo.store.journal import SqliteJournal

GOOD, BAD, SILENT = ("good", "good"), ("good", "breach"), ("good", "insufficient")


def a_journal(folder: Path) -> SqliteJournal:
    (folder / ".gonogo" / "runs" / "r1").mkdir(parents=True)
    return SqliteJournal(folder / ".gonogo" / "journal.db", SystemClock())


def close_bucket(journal: SqliteJournal, number: int, events: tuple[str, ...]) -> None:
    rules = {f"rule{n}": {"event": event} for n, event in enumerate(events)}
    journal.append("r1", "bucket.closed", f"watch@{number}", body={"rules": rules})


@pytest.mark.parametrize(
    ("buckets", "acts"),
    [
        ([GOOD, GOOD], 1),
        ([SILENT, GOOD, GOOD, GOOD], 1),
        ([GOOD], 0),
        ([GOOD, BAD, SILENT, ()], 0),
    ],
    ids=["two healthy", "after one that says nothing", "only one", "one healthy among others"],
)
def test_it_acts_once_when_enough_buckets_were_healthy(
    tmp_path: Path, buckets: list[tuple[str, ...]], acts: int
) -> None:
    done: list[str] = []
    turn = Turn(tmp_path, 2, lambda: done.append("acted"))
    turn.look()  # there is no run yet
    journal = a_journal(tmp_path)
    turn.look()  # nothing is in its journal yet
    for number, events in enumerate(buckets):
        close_bucket(journal, number, events)
        turn.look()
    turn.look()
    assert (len(done), turn.done) == (acts, bool(acts))
    turn.close()
    journal.close()
