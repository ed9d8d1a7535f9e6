"""In whatever order a log is written, rotated and read, each of its lines is read exactly once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics.logs import Log, Watching

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
