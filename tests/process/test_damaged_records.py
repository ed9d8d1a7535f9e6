"""What a command has left behind, and something has changed: nobody guesses how it ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.process.conftest import BuildCommand

from gonogo.errors import WorkError
from gonogo.process import EndedBy, Trace, end, run, trace
from gonogo.process.traces import lasted

ENDINGS: Mapping[str, Mapping[str, Any] | str] = {
    "no reason": {"ended_by": None},
    "an odd reason": {"ended_by": "luck"},
    "a reason that is none": {"ended_by": ["exit"]},
    "neither code nor signal": {"exit_code": None},
    "both": {"signal": 9},
    "a code in words": {"exit_code": "0"},
    "a code that is none": {"exit_code": True},
    "no stream": {"stdout": None},
    "an odd stream": {"stdout": {"bytes": "x", "dropped": 0, "errno": 0}},
    "a stream in a list": {"stderr": [1]},
    "a time beyond the calendar": {"started_at": 1e300},
    "a time in words": {"ended_at": "now"},
    "a length in words": {"duration_s": "long"},
    "not a number": {"duration_s": float("nan")},
    "an odd problem": {"problem": "no"},
    "half a problem": {"problem": {"stage": "exec"}},
    "deep": "[" * 100_000,
    "a list": "[]",
}
BEGINNINGS: Mapping[str, Mapping[str, Any]] = {
    "no start": {"child_start": None},
    "every process": {"child": -1, "shim": -1},
    "our own group": {"child": 0, "shim": 0},
    "in words": {"child": "x", "shim": "y"},
    "a time in words": {"started_at": "then"},
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_damaged_end_is_no_success(sh: BuildCommand, folder: Path, name: str) -> None:
    run(sh("echo out"), folder)
    kept = json.loads((folder / "exit.json").read_bytes())
    change = ENDINGS[name]
    text = change if isinstance(change, str) else json.dumps({**kept, **change})
    (folder / "exit.json").write_text(text)
    done = run(sh("echo out"), folder)
    assert (done.ended_by, done.exit_code, done.stdout) == (EndedBy.LOST, None, "out\n")
    assert lasted(folder) is None


@pytest.mark.parametrize("name", BEGINNINGS)
def test_of_a_damaged_beginning_nobody_is_ended(sh: BuildCommand, folder: Path, name: str) -> None:
    run(sh("true"), folder)
    (folder / "exit.json").unlink()
    kept = json.loads((folder / "pid.json").read_bytes())
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (folder / "pid.json").write_text(json.dumps({**kept, **BEGINNINGS[name]}))
        assert trace(folder) is Trace.LOST
        end(folder, 0.1)
        assert run(sh("true"), folder).ended_by is EndedBy.LOST
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("argv", [7, [], "bash", None, {"0": "x"}])
def test_a_damaged_order_is_another_command(sh: BuildCommand, folder: Path, argv: object) -> None:
    run(sh("true"), folder)
    spec = json.loads((folder / "command.json").read_bytes())
    (folder / "command.json").write_text(json.dumps({**spec, "argv": argv}))
    with pytest.raises(WorkError, match="holds the record of another command"):
        run(sh("true"), folder)
