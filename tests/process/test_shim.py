"""The shim's own small parts, and what keeps its start cheap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo import shim

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_records_are_read_as_the_standard_library_reads_them(data: dict[str, object]) -> None:
    text = json.dumps(data)
    assert shim.read_json(text) == json.loads(text) == data


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"a":', "nonsense", '{"a" 1}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        shim.read_json(text)


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, importlib.util as u; before = set(sys.modules);"
        f"spec = u.spec_from_file_location('shim', {shim.__file__!r});"
        "spec.loader.exec_module(u.module_from_spec(spec));"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "select" in names
    assert not {"json", "re", "enum", "signal", "subprocess", "pathlib", "typing"} & set(names)


def test_a_process_is_known_by_its_start() -> None:
    mine = shim.start_time(os.getpid())
    assert mine is not None
    assert mine.isdigit()
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert shim.start_time(child.pid) is None  # a zombie is gone
    child.wait()
    assert shim.start_time(child.pid) is None


def test_a_group_is_its_live_members() -> None:
    child = subprocess.Popen(
        ["bash", "-c", "sleep 1000 & echo; wait"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert len(shim.members(child.pid)) == 2
    os.killpg(child.pid, 9)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("sync", [True, False], ids=["flushed", "not flushed"])
def test_a_file_is_replaced_as_a_whole(tmp_path: Path, sync: bool) -> None:
    (tmp_path / "a.tmp").write_text("a longer draft from before")
    shim.put(str(tmp_path), "a", b"short", sync=sync)
    assert (tmp_path / "a").read_text() == "short"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
