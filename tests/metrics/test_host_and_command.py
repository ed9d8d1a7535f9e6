from __future__ import annotations

import os
import sys
import tracemalloc
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.metrics.logs import START, a_source
from tests.metrics.reading import Source
from tests.support.kinds import a_context

from gonogo.metrics.host import HostReader
from gonogo.plan.samples import Flaw
from gonogo.plan.sources import HostSource

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is on Linux only")


def a_host(folder: Path, gauge: str, **fields: object) -> HostReader:
    source = a_source({"host": gauge, **fields})
    assert isinstance(source, HostSource)
    return HostReader(source, a_context(folder), proc=folder)


def test_how_busy_the_processors_were_between_two_looks(tmp_path: Path) -> None:
    host = a_host(tmp_path, "cpu")
    (tmp_path / "stat").write_text("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1\n")
    assert host.read(START).samples == []
    (tmp_path / "stat").write_text("cpu  150 0 110 720 120 0 0 0 90 0\ncpu0 1 1\n")
    assert [s.value for s in host.read(START + timedelta(seconds=10)).samples] == [Decimal(60)]


@pytest.mark.parametrize(("gauge", "value"), [("memory", 75), ("memory free", 256 * 1024)])
def test_memory(tmp_path: Path, gauge: str, value: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 1024 kB\nMemFree: 10 kB\nMemAvailable: 256 kB\n")
    assert [s.value for s in a_host(tmp_path, gauge).read(START).samples] == [value]


def test_the_disk_is_said_as_df_says_it(tmp_path: Path) -> None:
    (sample,) = a_host(tmp_path, "disk", path=str(tmp_path)).read(START).samples
    found = os.statvfs(tmp_path)
    used = found.f_blocks - found.f_bfree
    assert float(sample.value or 0) == pytest.approx(used * 100 / (used + found.f_bavail), abs=1)
    (free,) = a_host(tmp_path, "disk free", path=str(tmp_path)).read(START).samples
    assert free.value


def test_a_path_that_is_not_there_is_blind(tmp_path: Path) -> None:
    host = a_host(tmp_path, "disk", path=str(tmp_path / "gone"))
    assert "cannot be read: No such file" in (host.read(START).blind or "")


def test_without_proc_it_is_blind(tmp_path: Path) -> None:
    assert a_host(tmp_path, "cpu").read(START).blind == "`cpu` can be seen on Linux only"


@pytest.mark.parametrize("text", ["", "cpu a b c d e f g h\n", "cpu 1\n"])
def test_a_strange_proc_is_blind(tmp_path: Path, text: str) -> None:
    (tmp_path / "stat").write_text(text)
    assert "is not as Linux writes it" in (a_host(tmp_path, "cpu").read(START).blind or "")


@LINUX
@pytest.mark.parametrize("gauge", ["memory", "memory free", "load", "disk"])
def test_this_machine(tmp_path: Path, gauge: str) -> None:
    with Source(tmp_path, {}, host=gauge) as metric:
        (sample,) = metric.read(0).samples
        assert sample.value is not None
        assert sample.value >= 0


def test_a_command_prints_a_number(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a\nb\n")
    with Source(tmp_path, {}, command="grep -c . jobs", unit="jobs") as metric:
        assert [s.value for s in metric.read(0).samples] == [2]


def test_a_command_sees_the_variables_of_the_run(tmp_path: Path) -> None:
    with Source(tmp_path, {}, {"DEPTH": "5"}, command='echo "$DEPTH ms"', unit="s") as metric:
        assert [s.value for s in metric.read(0).samples] == [Decimal("0.005")]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("true", Flaw.MISSING),
        ("echo none", Flaw.MISSING),
        ("echo fast", Flaw.TEXT),
        ("echo 1; echo 2", Flaw.TEXT),
        ("echo nan", Flaw.NOT_FINITE),
        ("echo -1", Flaw.NEGATIVE),
    ],
)
def test_what_is_no_measurement_is_bad(tmp_path: Path, command: str, why: Flaw) -> None:
    with Source(tmp_path, {}, command=command) as metric:
        batch = metric.read(0)
        assert (batch.samples, [bad.why for bad in batch.bad]) == ([], [why])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo 5; echo no disk >&2; exit 3", "the command ended with 3: no disk"),
        ("sleep 30", "the command did not end within 0.3 s"),
        ("yes", "the command ended with 141"),
        ("surely-no-command", "the command ended with 127"),
    ],
)
def test_a_command_that_goes_wrong_is_blind(tmp_path: Path, command: str, said: str) -> None:
    with Source(tmp_path, {}, command=command, timeout="0.3s") as metric:
        batch = metric.read(0)
        assert batch.samples == []
        assert said in (batch.blind or "")


def test_a_flood_of_errors_costs_no_memory_and_ends_no_command(tmp_path: Path) -> None:
    command = "head -c 40000000 /dev/zero >&2; echo 5"
    with Source(tmp_path, {}, command=command) as metric:
        tracemalloc.start()
        try:
            batch = metric.read(0)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert [sample.value for sample in batch.samples] == [5]
    assert most < 4_000_000
