"""What steps of a run leave for later ones: whole lines only, nothing twice."""

from __future__ import annotations

import threading
from pathlib import Path

from gonogo import records


def test_the_latest_record_of_a_database_counts(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for number, database in enumerate(["1/a", "1/b", "1/a"]):
        records.append(folder, "x.jsonl", {"id": number, "database": database})
    found = records.last(folder, "x.jsonl", "1/a")
    assert found == {"id": 2, "database": "1/a"}
    assert records.last(folder, "x.jsonl", "2/a") is None
    assert records.last(folder, "y.jsonl", "1/a") is None


def test_a_record_is_written_once(tmp_path: Path) -> None:
    for _ in range(2):
        records.append(tmp_path, "x.jsonl", {"id": "same"})
        records.append(tmp_path, "x.jsonl", {"without": "id"})
    assert records.read(tmp_path, "x.jsonl") == (
        {"id": "same"},
        {"without": "id"},
        {"without": "id"},
    )


def test_a_line_that_was_cut_short_is_not_read_and_harms_no_other(tmp_path: Path) -> None:
    records.append(tmp_path, "x.jsonl", {"id": 1})
    with (tmp_path / "x.jsonl").open("ab") as file:
        file.write(b'{"id": 2, "da')
        file.write(b"\n" + b"[" * 100_000 + b"\n[1]\n\xff\n")
    records.append(tmp_path, "x.jsonl", {"id": 3})
    assert [record["id"] for record in records.read(tmp_path, "x.jsonl")] == [1, 3]


def test_steps_in_parallel_lose_nothing(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=records.append, args=(tmp_path, "x.jsonl", {"id": n}))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record["id"] for record in records.read(tmp_path, "x.jsonl")} == set(range(20))
