"""The process that sends: it outlives us, is found again, keeps secrets, and never lies."""

from __future__ import annotations

import json
import os
import signal
import threading
from fractions import Fraction
from pathlib import Path

import pytest
from tests.load.conftest import a_job, a_place
from tests.load.servers import Truthful

from gonogo import shim
from gonogo.errors import WorkError
from gonogo.load import Request, Stage, generator_fault
from gonogo.load.running import carry_out
from gonogo.process import Trace, trace

SECRET = "s3cr3t-of-the-load"


class LeavingError(Exception):
    """The test walks away from a load that goes on."""


def child_of(folder: Path) -> int:
    return int(json.loads((folder / shim.PID).read_bytes())["child"])


def test_a_load_goes_on_without_us_and_is_found_again(web: Truthful, tmp_path: Path) -> None:
    def leave() -> bool:
        if web.first.is_set():
            raise LeavingError
        return False

    place = a_place(tmp_path, should_stop=leave)
    job = a_job(f"{web.url}/ok")
    with pytest.raises(LeavingError):
        carry_out(job, place)
    assert trace(place.folder) is Trace.RUNNING
    again = a_place(tmp_path, folder=place.folder)
    found = carry_out(job, again)
    assert found.requests == len(web.arrivals) == 50
    assert carry_out(job, again) == found
    assert len(web.arrivals) == 50


def test_a_wish_to_stop_ends_it(web: Truthful, tmp_path: Path) -> None:
    place = a_place(tmp_path, should_stop=web.first.is_set)
    with pytest.raises(WorkError, match="stopped in its middle") as caught:
        carry_out(a_job(f"{web.url}/ok", seconds="600"), place)
    assert not caught.value.failed
    assert trace(place.folder) is Trace.ENDED
    assert len(web.arrivals) < 30_000


def test_a_load_that_changes_something_has_failed_when_stopped(
    web: Truthful, tmp_path: Path
) -> None:
    place = a_place(tmp_path, should_stop=web.first.is_set, is_action=True)
    with pytest.raises(WorkError, match="stopped") as caught:
        carry_out(a_job(f"{web.url}/ok", seconds="600"), place)
    assert caught.value.failed


def test_a_deadline_ends_it(web: Truthful, tmp_path: Path) -> None:
    with pytest.raises(WorkError, match=r"did not end within 0\.5 s"):
        carry_out(a_job(f"{web.url}/ok", seconds="600"), a_place(tmp_path, timeout_s=0.5))


def test_a_generator_that_is_killed_leaves_no_result_and_says_so(
    web: Truthful, tmp_path: Path
) -> None:
    place = a_place(tmp_path)

    def kill() -> None:
        web.first.wait(30)
        os.kill(child_of(place.folder), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(WorkError, match="without a result") as caught:
        carry_out(a_job(f"{web.url}/ok", seconds="600"), place)
    killer.join()
    assert "signal 9" in caught.value.hint


def test_a_generator_that_could_not_keep_up_is_told(web: Truthful, tmp_path: Path) -> None:
    """It is stopped for a while, as by a machine with too much to do; the server is innocent."""
    place = a_place(tmp_path)

    def starve() -> None:
        web.first.wait(30)
        os.kill(child_of(place.folder), signal.SIGSTOP)
        web.over.wait(0.6)
        os.kill(child_of(place.folder), signal.SIGCONT)

    starver = threading.Thread(target=starve)
    starver.start()
    found = carry_out(a_job(f"{web.url}/ok", rate=100, seconds="2"), place)
    starver.join()
    assert found.requests == 200
    assert (found.own["p99"] or 0.0) >= 0.4
    assert "did not keep its schedule" in generator_fault(found)


def test_secrets_are_neither_on_disk_nor_in_arguments(web: Truthful, tmp_path: Path) -> None:
    arguments: list[bytes] = []
    heard: list[str] = []
    place = a_place(tmp_path, on_output=lambda _stream, text: heard.append(text))

    def look() -> None:
        web.first.wait(30)
        arguments.append(Path(f"/proc/{child_of(place.folder)}/cmdline").read_bytes())

    looker = threading.Thread(target=look)
    looker.start()
    request = Request("GET", f"{web.url}/ok?key={SECRET}", (("Authorization", SECRET),))
    carry_out(a_job("", requests=(request,), seconds="1.2"), place)
    looker.join()
    assert web.arrivals[0].headers["Authorization"] == SECRET
    assert b"gonogo.load.child" in arguments[0]
    assert SECRET.encode() not in arguments[0]
    assert heard
    assert SECRET not in "".join(heard)
    for path in place.folder.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name


def test_it_says_how_far_it_is(web: Truthful, tmp_path: Path) -> None:
    heard: list[str] = []
    place = a_place(tmp_path, on_output=lambda _stream, text: heard.append(text))
    carry_out(a_job(f"{web.url}/ok", rate=20, seconds="1.2"), place)
    assert "requests, 0 errors" in "".join(heard)


def test_more_connections_than_this_machine_allows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="open files"):
        carry_out(a_job("http://127.0.0.1:1/", connections=2_000_000_000), a_place(tmp_path))


def test_a_request_that_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    stage = Stage(Fraction(1), Fraction(1), Fraction(1))
    job = a_job("", requests=(Request("GET", "http://h/\0"),), stages=(stage,))
    with pytest.raises(WorkError, match="cannot be sent"):
        carry_out(job, a_place(tmp_path))
