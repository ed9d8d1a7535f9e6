"""However much a command says, the disk stays small and the command is never held up."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.process.conftest import BuildCommand

from gonogo.process import EndedBy, run


def kept(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("std*") if path.name != "stdin")


def test_an_endless_writer_is_cut_in_the_middle(sh: BuildCommand, folder: Path) -> None:
    text = "echo first; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo last"
    heard: list[str] = []
    command = sh(text, output_limit=4000)
    outcome = run(command, folder, on_output=lambda _, piece: heard.append(piece))
    assert (outcome.exit_code, outcome.ended_by) == (0, EndedBy.EXIT)
    assert outcome.truncated
    assert outcome.stdout.startswith("first\nxxx")
    assert outcome.stdout.endswith("xxx\nlast\n")
    assert "… 29996012 bytes of output are left out here …" in outcome.stdout
    assert kept(folder) == 4000
    assert "".join(heard) == outcome.stdout


def test_a_command_that_never_stops_writing_meets_its_deadline(
    sh: BuildCommand, folder: Path
) -> None:
    outcome = run(sh("yes & yes >&2", timeout_s=0.5, output_limit=100_000), folder)
    assert outcome.ended_by is EndedBy.DEADLINE
    assert outcome.truncated
    assert kept(folder) <= 200_000


def test_a_daemon_that_never_stops_writing_does_not_hold_the_run(
    sh: BuildCommand, folder: Path
) -> None:
    outcome = run(sh("setsid yes & echo $! >&2", output_limit=1000), folder)
    assert outcome.exit_code == 0
    run(sh(f"kill {outcome.stderr}"), folder.with_name("tidy"))


@pytest.mark.parametrize(
    ("size", "limit", "truncated"),
    [
        pytest.param(1000, 1000, False, id="exactly the limit"),
        pytest.param(1001, 1000, True, id="one byte more"),
        pytest.param(0, 0, False, id="nothing of nothing"),
        pytest.param(1, 0, True, id="no room at all"),
        pytest.param(3, 2, True, id="no room for a tail"),
    ],
)
def test_the_edge_of_the_limit(
    sh: BuildCommand, folder: Path, size: int, limit: int, truncated: bool
) -> None:
    outcome = run(sh(f"head -c {size} /dev/zero", output_limit=limit), folder)
    assert outcome.truncated is truncated
    assert kept(folder) == min(size, limit)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(0, 5000), limit=st.integers(0, 5000))
def test_head_and_tail_are_the_true_ones(
    sh: BuildCommand, tmp_path: Path, size: int, limit: int
) -> None:
    text = "".join(f"{number}," for number in range(1200))[:size]
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    outcome = run(sh("cat", stdin=text, output_limit=limit), folder)
    assert kept(folder) == min(len(text), limit)
    if len(text) <= limit:
        assert outcome.stdout == text
    else:
        head, _, tail = outcome.stdout.partition("\n… ")
        assert text.startswith(head)
        assert text.endswith(tail.partition("…\n")[2])


def test_a_character_at_the_cut_is_not_half_shown(sh: BuildCommand, folder: Path) -> None:
    command = sh("cat", stdin="€" * 100, output_limit=44)  # 33 bytes of head, 11 of tail
    stdout = run(command, folder).stdout
    assert stdout == "€" * 11 + "\n… 256 bytes of output are left out here …\n" + "€" * 3
