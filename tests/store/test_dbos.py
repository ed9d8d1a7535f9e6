"""The durable engine in processes of its own: what SIGKILL leaves, and what becomes of it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from tests.support.clock import FakeClock

from gonogo.run.journal import broken_link
from gonogo.store.journal import VERSION, SqliteJournal

SERVING = "from tests.store.serving import main; import sys; main(*sys.argv[1:])"
RELEASING = "from tests.store.releasing import main; import sys; main(*sys.argv[1:])"
NAMES = ["s1", "s2", "s3", "s4", "s5"]


@pytest.fixture
def serve(child, path):
    """Serve releases of a shape in a process of its own; it has said `serving` by then."""
    SqliteJournal(path, FakeClock()).close()

    def start(shape: str, *runs: str):
        process = child(SERVING, path, shape, *runs)
        first = process.stdout.readline()
        assert first == "serving\n", process.communicate()[1]
        return process

    return start


@pytest.fixture
def effects(tmp_path: Path):
    def read(run: str) -> list[str]:
        file = tmp_path / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.split()[1] for line in lines if line.startswith(f"{run} ")]

    return read


def until(process, look) -> None:
    """Wait, without a sleep of ours, until something is so; the process must stay alive."""
    while not look():
        assert process.poll() is None, process.communicate()


def ended(process) -> dict[str, dict]:
    out, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == 0
    return {line.split(" ", 1)[0]: json.loads(line.split(" ", 1)[1]) for line in out.splitlines()}


def test_a_run_ends_and_its_result_is_recorded(serve, effects, path):
    results = ended(serve("plain", "r1"))
    assert list(results["r1"]) == NAMES
    assert effects("r1") == NAMES
    with sqlite3.connect(path) as raw:
        statuses = raw.execute("SELECT workflow_uuid, status FROM workflow_status").fetchall()
        (version,) = raw.execute("PRAGMA user_version").fetchone()
        (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
    raw.close()
    assert (statuses, version, mode) == ([("r1", "SUCCESS")], VERSION, "wal")


def test_after_a_kill_only_what_was_in_flight_runs_again(serve, effects, tmp_path):
    process = serve("slow", "r1")
    until(process, lambda: len(effects("r1")) == 3)
    process.kill()
    first = process.pid
    process.wait()
    (tmp_path / "go").touch()
    process = serve("slow", "r1")
    results = ended(process)["r1"]
    assert effects("r1") == ["s1", "s2", "s3", "s3", "s4", "s5"]
    assert [results[name]["pid"] for name in NAMES] == [first] * 2 + [process.pid] * 3
    assert results["s1"]["list"] == results["s5"]["list"] == [1, None, "ä"]


def test_killed_again_and_again_it_still_ends(serve, effects, tmp_path):
    for count in (1, 2):
        process = serve("slow", "r1")
        until(process, lambda count=count: len(effects("r1")) >= 2 + count)
        process.kill()
        process.wait()
    (tmp_path / "go").touch()
    ended(serve("slow", "r1"))
    assert Counter(effects("r1")) == {"s1": 1, "s2": 1, "s3": 3, "s4": 1, "s5": 1}


def test_a_run_that_nobody_asked_for_is_left_alone(serve, effects, tmp_path):
    process = serve("slow", "r1")
    until(process, lambda: len(effects("r1")) == 3)
    process.kill()
    process.wait()
    (tmp_path / "go").touch()
    ended(serve("slow", "r2"))
    assert effects("r1") == ["s1", "s2", "s3"]
    assert effects("r2") == NAMES
    ended(serve("slow", "r1"))
    assert effects("r1") == ["s1", "s2", "s3", "s3", "s4", "s5"]


def test_a_run_that_ended_is_not_run_again(serve, effects):
    ended(serve("plain", "r1"))
    assert ended(serve("plain", "r1")) == {"r1": None}
    assert effects("r1") == NAMES


def test_slots_run_side_by_side_in_threads_and_may_end_in_any_order(serve, effects):
    assert ended(serve("pair", "r1"))["r1"] == {"both": ["a", "b"]}
    assert sorted(effects("r1")) == ["a", "b"]


def test_a_second_process_is_refused_before_it_touches_anything(serve, child, path, effects):
    process = serve("slow", "r1")
    until(process, lambda: len(effects("r1")) == 3)
    second = child(SERVING, path, "slow", "r1")
    _, err = second.communicate(timeout=30)
    assert f"already being run from this folder by process {process.pid}" in err
    assert effects("r1") == ["s1", "s2", "s3"]


class TestFullDisk:
    """The run must stay resumable: no slot raises, no workflow ends in error."""

    @pytest.mark.parametrize("limit", [0, 30_000, 45_000, 60_000])
    def test_wherever_it_hits_the_run_goes_on_after_it(self, limit, child, path, tmp_path):
        SqliteJournal(path, FakeClock()).close()
        out, err = child(RELEASING, path, limit).communicate(timeout=60)
        assert err == ""
        assert out == "fatal JournalError\n"
        with sqlite3.connect(path) as raw:
            statuses = raw.execute("SELECT status FROM workflow_status").fetchall()
        raw.close()
        assert all(status in ("PENDING", "ENQUEUED") for (status,) in statuses)
        out, err = child(RELEASING, path).communicate(timeout=60)
        assert (out, err) == ("go\n", "")
        assert (tmp_path / "effects").read_text().split() == ["one", "two", "three", "four"]
        journal = SqliteJournal(path, FakeClock())
        assert broken_link(journal.events("r1")) is None
        journal.close()
