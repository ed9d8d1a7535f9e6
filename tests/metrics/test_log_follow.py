"""A log is followed from where it stands: whole lines once, half ones later, bad ones counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.metrics.logs import Log, Watching

from gonogo.plan.samples import Flaw


def test_begins_at_the_end_and_reads_what_is_written_from_then_on(log: Log) -> None:
    log.append(5)
    watching = Watching(log)
    log.append(3)
    assert [s.value for s in watching.read().samples] == [5, 6, 7]
    assert watching.read().samples == []
    assert watching.blind == []


def test_begins_at_the_beginning_when_told(log: Log) -> None:
    log.append(5)
    watching = Watching(log, begin="beginning")
    watching.read()
    assert watching.values == log.written


def test_a_half_line_at_the_begin_is_read_when_it_is_whole(log: Log) -> None:
    log.append(2)
    log.half()
    watching = Watching(log)
    assert watching.read().samples == []
    log.finish()
    watching.read()
    assert watching.values == [2]


def test_a_half_line_is_not_behind(log: Log) -> None:
    watching = Watching(log)
    log.half()
    batch = watching.read()
    assert (batch.samples, batch.behind, batch.bad) == ([], 0, ())


def test_a_log_that_does_not_exist_yet_is_blind_and_then_read_whole(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.delete()
    watching = Watching(log)
    assert watching.read().blind == "`access.jsonl` does not exist"
    log.reopen()
    log.append(4)
    assert watching.read().blind is None
    assert watching.values == log.written
    log.close()


def test_garbage_and_lines_without_end_are_counted_bad(log: Log) -> None:
    watching = Watching(log)
    log.append(1)
    log.raw(bytes(range(11, 256)) * 4 + b"\n")
    log.raw(b"x" * (3 << 20) + b"\n")
    log.append(1)
    batch = watching.read()
    assert watching.values == log.written
    assert {bad.why: bad.number for bad in batch.bad} == {Flaw.UNREADABLE: 1, Flaw.OVERLONG: 1}


def test_a_line_without_end_is_counted_once_over_many_looks_and_a_crash(log: Log) -> None:
    watching = Watching(log)
    for _ in range(4):
        log.raw(b"x" * (1 << 20))
        watching.read()
        watching.crash()
    log.raw(b"\n")
    log.append(2)
    watching.read()
    assert watching.values == log.written
    assert sum(batch.bad_count for batch in watching.batches) == 1


def test_far_behind_takes_bounded_bites_and_says_how_far(log: Log) -> None:
    watching = Watching(log, budget=1)
    log.append(4000)
    first = watching.read()
    assert 0 < len(first.samples) < 4000
    assert first.behind > 0
    assert first.until_ms == first.samples[-1].at_ms
    while watching.read().behind:
        watching.crash()
    assert watching.values == log.written


def test_something_else_than_a_file_is_blind(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.delete()
    log.path.mkdir()
    watching = Watching(log)
    assert "no regular file" in (watching.read().blind or "")
    log.close()


@pytest.mark.parametrize("stored", [None, 7, [], {}, {"files": 3}, {"files": [{"inode": "x"}]}])
def test_a_strange_position_is_none(log: Log, stored: object) -> None:
    watching = Watching(log)
    watching.position = stored
    watching.crash()
    log.append(1)
    watching.read()
    watching.read()
    assert watching.values == log.written


def test_a_position_is_json(log: Log) -> None:
    watching = Watching(log)
    log.append(3)
    position = watching.read().position
    assert json.loads(json.dumps(position)) == position
