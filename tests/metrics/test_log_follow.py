from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics.logs import Log, Watching

from gonogo.plan.samples import Flaw


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    yield made
    made.close()


def begun(log: Log, lines: int) -> Watching:
    """Watch a log whose first lines have been read."""
    watching = Watching(log)
    log.append(lines)
    watching.read()
    return watching


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


Trouble = Callable[[Log], None]


def _two_rotations(log: Log) -> None:
    for _ in range(2):
        log.rename()
        log.reopen()
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
    log.rename()
    log.reopen()
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
    log.rename()
    log.reopen()
    log.append(1)
    watching.read()
    watching.read(60)
    watching.crash()
    log.rename()
    log.reopen()
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
    log.rename()
    log.reopen()
    log.append(1)
    watching.read()
    watching.read(60)
    assert sorted(watching.values) == [0, 500]


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
    log.rename()
    log.reopen()
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


def test_another_log_beside_it_is_not_read(log: Log) -> None:
    watching = begun(log, 1)
    for name in ("access.jsonl.admin", "access-admin.jsonl", "access-2.jsonl", "other.jsonl.1"):
        log.path.with_name(name).write_text('{"n": 99}\n')
    log.rename()
    log.reopen()
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


OPS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 4)),
    st.tuples(
        st.sampled_from(["half", "finish", "rename", "reopen", "copy_and_cut", "rotate", "cut"]),
        st.none(),
    ),
    st.tuples(st.just("read"), st.sampled_from([0.5, 1, 45])),
    st.tuples(st.just("crash"), st.none()),
)


class _Story:
    """Carries out what happens to a log, as far as it can happen."""

    def __init__(self, folder: Path, *, crashes: bool) -> None:
        self.log = Log(folder)
        self.watching = Watching(self.log)
        self.watching.read()  # from here on there is a position to go back to
        self.crashes = crashes
        self.reopened = True  # the writer writes into the file that has the name of the log

    def append(self, count: int) -> None:
        self.log.append(count)

    def rename(self, _: object) -> None:
        self.log.rename()
        self.reopened = False

    def reopen(self, _: object) -> None:
        self.log.reopen()
        self.reopened = True

    def rotate(self, _: object) -> None:
        self.rename(None)
        self.reopen(None)

    def half(self, _: object) -> None:
        self.log.half()

    def finish(self, _: object) -> None:
        self.log.finish()

    def copy_and_cut(self, _: object) -> None:
        if self.reopened:
            self.log.copy_and_cut()

    def cut(self, _: object) -> None:
        if self.reopened:
            self.log.finish()
            self.watching.read()  # with notice: nothing unread is in it
            self.log.cut()

    def read(self, after_s: float) -> None:
        # a writer that goes on in the old file for longer than we wait is not played
        self.watching.read(after_s if self.reopened else 0.5)

    def crash(self, _: object) -> None:
        if self.crashes:
            self.watching.crash()

    def end(self) -> None:
        self.log.reopen()
        for _ in range(3):
            self.watching.read(45)
            self.log.append(1)
        self.watching.read()
        self.log.close()


def _play(ops: list[tuple[str, object]], *, crashes: bool) -> tuple[Log, Watching]:
    with tempfile.TemporaryDirectory() as folder:
        story = _Story(Path(folder), crashes=crashes)
        for name, value in ops:
            getattr(story, name)(value)
        story.end()
        return story.log, story.watching


@settings(max_examples=150, deadline=None)
@given(st.lists(OPS, max_size=40))
def test_whatever_happens_every_whole_line_is_delivered_exactly_once(
    ops: list[tuple[str, object]],
) -> None:
    log, watching = _play(ops, crashes=True)
    assert sorted(watching.values) == log.written
    if all(name != "cut" for name, _ in ops):
        assert watching.blind == []


@settings(max_examples=60, deadline=None)
@given(st.lists(OPS, max_size=30))
def test_dying_at_any_point_changes_nothing(ops: list[tuple[str, object]]) -> None:
    _, alive = _play(ops, crashes=False)
    _, dying = _play(ops, crashes=True)
    assert sorted(alive.values) == sorted(dying.values)
    assert [b.bad for b in alive.batches if b.bad] == [b.bad for b in dying.batches if b.bad]


def test_a_position_is_json(log: Log) -> None:
    watching = Watching(log)
    log.append(3)
    position = watching.read().position
    assert json.loads(json.dumps(position)) == position
