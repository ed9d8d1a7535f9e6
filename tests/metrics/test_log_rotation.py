"""However a log is rotated, each of its lines is read exactly once, also after a crash."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from tests.metrics.logs import Log, Watching, begun

Trouble = Callable[[Log], None]


def _two_rotations(log: Log) -> None:
    for _ in range(2):
        log.rotate()
        log.append(2)


def _three_and_a_copy(log: Log) -> None:
    log.copy_and_cut()
    log.append(1)
    _two_rotations(log)


def _late_writer(log: Log) -> None:
    log.rename()
    log.append(2)  # still into the old file
    log.reopen()
    log.append(2)


def _half_line_over_a_rename(log: Log) -> None:
    log.half()
    log.rename()
    log.finish()
    log.reopen()
    log.append(1)


def _cut_and_grown(log: Log) -> None:
    log.copy_and_cut()
    log.append(30)  # longer than what was read


TROUBLES: dict[str, Trouble] = {
    "renamed once": lambda log: (log.rename(), log.reopen(), log.append(2)),  # type: ignore[dict-item, return-value, func-returns-value]
    "renamed twice between two looks": _two_rotations,
    "the writer goes on in the renamed file": _late_writer,
    "renamed in the middle of a line": _half_line_over_a_rename,
    "copied and cut": lambda log: (log.copy_and_cut(), log.append(1)),  # type: ignore[dict-item, return-value, func-returns-value]
    "copied, cut, and grown past the old length": _cut_and_grown,
    "copied and cut, then renamed twice": _three_and_a_copy,
}


@pytest.mark.parametrize("dies", [False, True], ids=["alive", "after a crash"])
@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_reads_every_line_once_when_the_log_is(log: Log, trouble: Trouble, dies: bool) -> None:
    log.append(3)
    log.rotate()
    log.append(3)  # an older file lies beside it
    watching = begun(log, 4)
    log.append(2)  # not yet read when it happens
    trouble(log)
    if dies:
        watching.crash()
    watching.read()
    log.append(1)
    watching.read(60)
    watching.read(60)
    assert sorted(watching.values) == log.written[6:]
    assert watching.blind == []


def test_a_copy_that_somebody_made_is_not_read(log: Log) -> None:
    watching = begun(log, 5)
    log.append(2)
    shutil.copyfile(log.path, log.path.with_name("access.jsonl.1"))
    log.append(2)
    watching.read()
    log.rotate()
    log.append(1)
    watching.read()
    watching.read(60)
    watching.crash()
    log.rotate()
    log.append(1)
    watching.read()
    assert watching.values == log.written


def test_the_old_file_is_read_on_while_the_new_one_is_empty(log: Log) -> None:
    watching = begun(log, 1)
    log.rename()
    log.path.touch()  # made by the rotation; the server has not opened it yet
    for _ in range(3):
        watching.read(60)
    log.append(1)
    watching.read()
    log.reopen()
    log.append(1)
    watching.read()
    assert watching.values == log.written
    assert watching.blind == []


def test_the_old_file_is_read_on_while_one_of_two_workers_writes_to_it(log: Log) -> None:
    watching = begun(log, 1)
    log.rename()
    log.path.write_text('{"n": 1000}\n')  # the worker that has opened the new one
    for _ in range(6):
        log.append(1)
        watching.read(20)
    assert sorted(watching.values) == [*log.written, 1000]


def test_a_last_line_without_an_end_is_read_when_its_file_is_over(log: Log) -> None:
    watching = Watching(log)
    log.raw(b'{"n": 500}')
    watching.read()
    log.rotate()
    log.append(1)
    watching.read()
    watching.read(60)
    assert sorted(watching.values) == [0, 500]


def test_another_log_beside_it_is_not_read(log: Log) -> None:
    watching = begun(log, 1)
    for name in ("access.jsonl.admin", "access-admin.jsonl", "access-2.jsonl", "other.jsonl.1"):
        log.path.with_name(name).write_text('{"n": 99}\n')
    log.rotate()
    log.append(1)
    watching.read()
    assert watching.values == log.written


def test_a_date_in_front_of_the_ending_is_a_rotation(log: Log) -> None:
    watching = begun(log, 1)
    log.append(1)
    log.path.rename(log.path.with_name("access-20260301.jsonl"))
    log.reopen()
    log.append(1)
    watching.crash()
    watching.read()
    assert watching.values == log.written
