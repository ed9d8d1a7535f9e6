"""What a log has lost before it was read is said: it was cut, deleted or compressed."""

from __future__ import annotations

import pytest
from tests.metrics.logs import Log, Watching, begun


def test_a_file_that_was_written_anew_behind_the_same_beginning_is_noticed(log: Log) -> None:
    watching = begun(log, 12)
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:6]) + b'{"n": 900}\n' * 200)
    assert "was cut" in (watching.read().blind or "")
    assert watching.values.count(900) == 200


def test_a_deleted_file_is_read_to_its_end(log: Log) -> None:
    watching = begun(log, 3)
    log.append(2)
    log.delete()
    log.append(1)
    watching.read()
    log.reopen()
    log.append(2)
    watching.read()
    assert watching.values == log.written
    assert watching.blind == []


def test_a_deleted_file_is_lost_after_a_crash_and_that_is_said(log: Log) -> None:
    watching = begun(log, 3)
    log.append(2)
    log.delete()
    log.reopen()
    log.append(2)
    watching.crash()
    batch = watching.read()
    assert batch.blind is not None
    assert "cut or removed" in batch.blind
    assert watching.values == [0, 1, 2, 5, 6]


def test_a_log_that_stays_away_is_blind_after_a_while(log: Log) -> None:
    watching = Watching(log)
    log.rename()
    assert watching.read().blind is None
    assert watching.read(60).blind == "`access.jsonl` does not exist"


def test_cut_without_a_copy_is_said_and_read_anew(log: Log) -> None:
    watching = begun(log, 3)
    log.cut()
    log.append(2)
    assert "was cut" in (watching.read().blind or "")
    assert watching.values == [0, 1, 2, 3, 4]
    assert watching.read().blind is None


def test_a_compressed_file_that_was_read_is_no_gap(log: Log) -> None:
    watching = begun(log, 3)
    log.append(2)
    log.rename()
    log.compress()
    log.reopen()
    log.append(2)
    watching.read()
    assert watching.values == log.written
    assert watching.blind == []


def test_a_compressed_file_that_was_not_read_is_named_as_a_gap(log: Log) -> None:
    watching = begun(log, 3)
    log.append(2)
    log.rename()
    log.compress()
    log.reopen()
    log.append(1)
    watching.crash()
    said = watching.read().blind or ""
    assert "access.jsonl.1.gz" in said
    assert "before it was read" in said
    assert watching.values == [0, 1, 2, 5]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "damaged"])
def test_a_compressed_file_between_two_rotations_is_named_as_a_gap(
    log: Log, *, whole: bool
) -> None:
    watching = begun(log, 3)
    log.rotate()
    log.append(2)
    log.rename()
    log.compress()
    if not whole:
        packed = log.path.with_name("access.jsonl.1.gz")
        data = packed.read_bytes()
        packed.write_bytes(data[:24] + bytes(byte ^ 0xFF for byte in data[24:]))
    log.reopen()
    log.append(1)
    assert watching.read().blind == "`access.jsonl.1.gz` was compressed before it was read"
    assert watching.values == [0, 1, 2, 5]
    assert watching.read().blind is None
