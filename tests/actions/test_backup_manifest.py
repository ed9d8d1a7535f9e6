"""A manifest that is damaged is never half believed, and not taken for none either."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.kinds import a_context

from gonogo.actions.backup import Backup, CheckBackup, manifest
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Effect, Observation

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a size in words": {"size": "12"},
    "a size below nothing": {"size": -1},
    "a size without end": {"size": 10**400},
    "no number": {"room": float("nan")},
    "a time in words": {"started": "yesterday"},
    "a time before all": {"started": "0001-01-01"},
    "no time": {"started": None},
    "a checksum in a list": {"sha256": ["x"]},
    "tables in a number": {"tables": 7},
    "tables in numbers": {"tables": [7]},
    "content in a list": {"content": ["rows"]},
    "rows in words": {"content": {"rows": "many"}},
    "a row in words": {"content": {"rows": {"a": "many"}}},
    "a place in words": {"place": "here"},
    "complete in words": {"complete": "false"},
}


def context_of(folder: Path, effect: Effect) -> Context:
    return replace(a_context(folder, effect=effect), run_folder=folder / "run")


def look(folder: Path, path: str = "saved-*.tar") -> Observation:
    return CheckBackup(path=path).perform(context_of(folder, Effect.CHECK))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with one backup of files."""
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "a.txt").write_text("a")
    made = Backup(path="uploads", to="saved-1.tar").perform(context_of(tmp_path, Effect.ACTION))
    assert made.indicators["complete"] is True
    assert look(tmp_path).indicators["problem"] == "none"
    return tmp_path


@pytest.mark.parametrize("name", CHANGES)
def test_a_damaged_manifest_is_told(saved: Path, name: str) -> None:
    file = saved / "saved-1.tar.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **CHANGES[name]}))
    assert manifest.read(saved / "saved-1.tar") is None
    with pytest.raises(WorkError, match=r"manifest `saved-1.tar.json` is damaged") as caught:
        look(saved)
    assert caught.value.failed
    assert "remove the manifest" in caught.value.hint
    file.unlink()
    assert look(saved).indicators["problem"] == "none"


@pytest.mark.parametrize("kept", [0, 1, 20, 60, 200, -5])
def test_a_manifest_that_is_cut_off_is_told(saved: Path, kept: int) -> None:
    file = saved / "saved-1.tar.json"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(WorkError, match="is damaged"):
        look(saved)


@pytest.mark.parametrize("text", ["[1, 2]", '{"of": "another tool"}', "no JSON", "[" * 100_000])
def test_what_another_tool_has_left_is_no_manifest(saved: Path, text: str) -> None:
    (saved / "saved-1.tar.json").write_text(text)
    seen = look(saved).indicators
    assert (seen["problem"], seen["unchanged"]) == ("none", None)


def test_a_pipe_is_no_backup(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "saved-2.tar")
    with pytest.raises(WorkError, match=r"`saved-2\.tar` is no file"):
        look(tmp_path)
