"""The contract of the journal on SQLite: events in a chain, answers of people, and no secrets."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gonogo.clock import SystemClock, stamp
from gonogo.redaction import Redactor
from gonogo.run.journal import GENESIS, Answer, broken_link
from gonogo.store.journal import SqliteJournal


def an_answer(item: str = "told", answer: str = "yes", who: str = "ana", **more: str) -> Answer:
    return Answer("r1", 1, item, answer, who, "2026-03-01T14:00:00.000Z", **more)


def test_other_users_may_not_read_a_new_journal(tmp_path):
    before = os.umask(0o002)
    try:
        journal = SqliteJournal(tmp_path / "new" / "journal.db", SystemClock())
        journal.append("r1", "x")
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o660)


class TestEvents:
    def test_an_event_comes_back_as_it_was_returned(self, journal, clock):
        body = {"text": "ä • \n", "n": 1.5, "list": [1, None, True], "deep": {"a": "b"}}
        event = journal.append("r1", "step.started", "home", body=body, who="ana", attempt=2)
        assert (event.seq, event.kind, event.item, event.attempt) == (1, "step.started", "home", 2)
        assert (event.who, event.at, event.body) == ("ana", stamp(clock.now()), body)
        assert journal.events("r1") == (event,)

    def test_they_are_numbered_without_gaps_for_each_run(self, journal):
        for run in ("a", "b", "a", "a", "b"):
            journal.append(run, "x")
        assert [e.seq for e in journal.events("a")] == [1, 2, 3]
        assert [e.seq for e in journal.events("b")] == [1, 2]

    def test_they_are_chained_from_the_first(self, journal):
        for number in range(5):
            journal.append("r1", "x", body={"n": number})
        events = journal.events("r1")
        assert broken_link(events) is None
        assert events[0].hash == events[0].sealed(GENESIS)

    def test_only_those_after_a_number_can_be_asked_for(self, journal):
        for _ in range(4):
            journal.append("r1", "x")
        assert [e.seq for e in journal.events("r1", after=2)] == [3, 4]
        assert journal.events("r1", after=4) == ()

    def test_those_of_one_item(self, journal):
        for item in ("a", "b", "a", ""):
            journal.append("r1", "x", item)
        journal.append("r2", "x", "a")
        assert [e.seq for e in journal.of_item("r1", "a")] == [1, 3]

    def test_runs_come_in_the_order_of_their_start(self, journal, clock):
        for run in ("zz", "aa", "mm"):
            journal.append(run, "run.started")
            clock.wait(1)
            journal.append(run, "x")
        assert journal.runs() == ("zz", "aa", "mm")

    def test_what_is_no_json_is_refused_before_anything_is_written(self, journal):
        with pytest.raises(ValueError, match="JSON"):
            journal.append("r1", "x", body={"n": float("nan")})
        with pytest.raises(TypeError):
            journal.append("r1", "x", body={"n": object()})
        assert journal.append("r1", "x").seq == 1

    def test_text_that_is_no_unicode_is_kept_as_far_as_it_can_be(self, journal):
        event = journal.append("r1", "x", body={"text": "a\udcffb"})
        assert event.body == {"text": "a?b"}
        assert broken_link(journal.events("r1")) is None

    def test_it_outlives_its_process(self, journal, open_journal):
        journal.append("r1", "x")
        journal.close()
        again = open_journal(create=False)
        assert again.append("r1", "y").seq == 2
        assert broken_link(again.events("r1")) is None

    def test_another_connection_sees_an_event_at_once(self, journal, open_journal):
        other = open_journal()
        journal.append("r1", "x")
        assert len(other.events("r1")) == 1

    def test_threads_may_write_side_by_side(self, journal):
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(lambda n: journal.append("r1", "x", str(n), durable=n % 7 == 0), range(99))
            )
        events = journal.events("r1")
        assert len(events) == 99
        assert broken_link(events) is None


class TestTampering:
    @pytest.mark.parametrize(
        "statement",
        [
            'UPDATE gonogo_event SET body=\'{"status":"pass"}\' WHERE seq=2',
            "UPDATE gonogo_event SET who='eve' WHERE seq=2",
            "UPDATE gonogo_event SET at='2020-01-01T00:00:00.000Z' WHERE seq=2",
        ],
    )
    def test_an_edit_shows_at_its_event(self, journal, path, statement):
        for _ in range(3):
            journal.append("r1", "x", body={"status": "fail"})
        with sqlite3.connect(path) as raw:
            raw.execute(statement)
        raw.close()
        assert broken_link(journal.events("r1")) == 2

    def test_a_deleted_event_shows(self, journal, path):
        for _ in range(3):
            journal.append("r1", "x")
        with sqlite3.connect(path) as raw:
            raw.execute("DELETE FROM gonogo_event WHERE seq=1")
        raw.close()
        assert broken_link(journal.events("r1")) == 2


class TestInbox:
    def test_the_first_answer_wins(self, journal, open_journal):
        assert journal.put(an_answer(who="ana")) is True
        assert open_journal().put(an_answer(who="ben", answer="no")) is False
        assert journal.answer("r1", "told").who == "ana"

    def test_it_comes_back_whole(self, journal):
        given = an_answer(reason="r", link="l", expires="e")
        journal.put(given)
        assert journal.answer("r1", "told") == given

    def test_nothing_for_another_question_or_run(self, journal):
        journal.put(an_answer())
        assert journal.answer("r1", "other") is None
        assert journal.answer("r2", "told") is None

    def test_a_withdrawn_one_can_be_given_again(self, journal):
        journal.put(an_answer(answer="perhaps"))
        journal.withdraw("r1", "told")
        assert journal.answer("r1", "told") is None
        assert journal.put(an_answer(answer="no")) is True

    def test_of_many_at_once_exactly_one_wins(self, journal, open_journal):
        others = [open_journal() for _ in range(4)]
        ready = threading.Barrier(4)

        def put(number):
            ready.wait()
            return others[number].put(an_answer(who=str(number)))

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(put, range(4))) == [False, False, False, True]


def test_two_processes_may_write_different_runs_at_once(path, child, open_journal):
    """Not what we do, but what the file must survive: the lock is per folder, answers are not."""
    code = """
import sys
from pathlib import Path
from gonogo.clock import SystemClock
from gonogo.store.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]), SystemClock())
for number in range(100):
    journal.append(sys.argv[2], "x", body={"n": number}, durable=number % 10 == 0)
"""
    processes = [child(code, path, run) for run in ("a", "b")]
    assert [p.communicate(timeout=60) for p in processes] == [("", ""), ("", "")]
    journal = open_journal()
    for run in ("a", "b"):
        assert len(journal.events(run)) == 100
        assert broken_link(journal.events(run)) is None


def test_a_secret_in_a_persons_reason_does_not_reach_the_file(tmp_path):
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path, SystemClock(), redact=Redactor(["hunter2-known"]))
    reason = "used hunter2-known and postgresql://app:s3cretpw@db/x"
    answer = Answer("r1", 1, "step", "skip", "ana", "2026-01-01T00:00:00Z", reason, reason)
    assert journal.put(answer)
    kept = journal.answer("r1", "step")
    journal.close()
    assert kept is not None
    assert "used" in kept.reason
    assert (kept.answer, kept.who) == ("skip", "ana")
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert b"hunter2-known" not in data
        assert b"s3cretpw" not in data
