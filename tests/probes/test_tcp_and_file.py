"""Ports and files: absence is an observation, silence an error."""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.kinds import Silent, a_context, closed_port

from gonogo.clock import SystemClock
from gonogo.errors import WorkError
from gonogo.plan.units import Quantity
from gonogo.probes.file import File
from gonogo.probes.tcp import Tcp


def test_an_open_port_is_open(silent: Silent, tmp_path: Path) -> None:
    context = a_context(tmp_path, variables={"PORT": str(silent.port)})
    found = Tcp("localhost", "${PORT}").perform(context).indicators
    assert found["open"] is True
    latency = found["latency"]
    assert isinstance(latency, Quantity)
    assert latency.unit == "s"


def test_a_refused_connection_is_an_observation(tmp_path: Path) -> None:
    found = Tcp("127.0.0.1", str(closed_port())).perform(a_context(tmp_path)).indicators
    assert found == {"open": False, "value": False}


@pytest.mark.parametrize("port", ["", "0", "65536", "x", "-1", "99999999"])
def test_a_port_is_a_number_in_its_range(port: str) -> None:
    assert [d.code for d in Tcp("h", port).review()] == ["GN517"]


def test_a_bound_port_is_checked_when_it_runs(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no address"):
        Tcp("localhost", "${PORT}").perform(a_context(tmp_path, variables={"PORT": "web"}))


def test_a_file_is_seen_with_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_bytes(b"one\ntwo")
    path.chmod(0o640)
    hour_ago = SystemClock().now().timestamp() - 3600
    os.utime(path, (hour_ago, hour_ago))
    found = File("${NAME}.txt").perform(a_context(tmp_path, variables={"NAME": "a b"})).indicators
    age = found["age"]
    assert isinstance(age, Quantity)
    assert age.unit == "s"
    assert Decimal(3600) <= age.number < Decimal(3700)
    assert found["size"] == Quantity(Decimal(7), "B")
    assert found["mode"] == "0640"
    assert found["lines"] == 2
    assert found["sha256"] == hashlib.sha256(b"one\ntwo").hexdigest()
    assert (found["exists"], found["path"], found["type"]) == (True, "a b.txt", "file")


def test_a_file_that_is_not_there_is_an_observation(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("gone", "file/below"):
        found = File(name).perform(a_context(tmp_path)).indicators
        assert found == {"exists": False, "value": False}


def test_folders_and_links_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "current").symlink_to("releases")
    found = File("current").perform(a_context(tmp_path)).indicators
    assert (found["type"], found["target"]) == ("folder", "releases")
    (tmp_path / "broken").symlink_to("nowhere")
    assert File("broken").perform(a_context(tmp_path)).indicators["exists"] is False


def test_an_unread_file_has_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    found = File("f", read=False).perform(a_context(tmp_path)).indicators
    assert "sha256" not in found
    assert "lines" not in found


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert File("f").perform(a_context(tmp_path)).indicators["lines"] == 0


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_path_that_cannot_be_looked_at_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="cannot be looked at"):
        File(name).perform(a_context(tmp_path))


def test_a_missing_path_is_a_mistake() -> None:
    assert [d.code for d in File("").review()] == ["GN517"]


def test_the_folder_of_nobody_cannot_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="cannot be looked at"):
        File(path="~nobody-of-this-name/file").perform(a_context(tmp_path))
