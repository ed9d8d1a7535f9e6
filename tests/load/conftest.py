"""What the tests of the load ask for: a server that writes down its truth, places to send from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from tests.load.servers import Truthful

from gonogo.load import Job, Request, Result, Stage
from gonogo.load.running import Place, carry_out

_numbers = itertools.count(1)
Send = Callable[..., Result]


def never() -> bool:
    return False


def a_job(url: str, *, rate: int = 100, seconds: str = "0.5", **more: object) -> Job:
    """Return a job of one GET at a constant rate, unless it is said otherwise."""
    stage = Stage(Fraction(seconds), Fraction(rate), Fraction(rate))
    given: dict[str, object] = {
        "requests": (Request("GET", url),),
        "stages": (stage,),
        "timeout_s": 10.0,
        "connections": 200,
        **more,
    }
    return Job(**given)  # type: ignore[arg-type]


def a_place(tmp_path: Path, **more: object) -> Place:
    """Return a place of its own below a folder."""
    given: dict[str, object] = {
        "folder": tmp_path / f"attempt-{next(_numbers)}",
        "cwd": tmp_path,
        "environment": {},
        "timeout_s": 60.0,
        "is_action": False,
        "on_output": lambda _stream, _text: None,
        "should_stop": never,
        **more,
    }
    return Place(**given)  # type: ignore[arg-type]


@pytest.fixture
def web() -> Iterator[Truthful]:
    """A server that writes down what arrives."""
    with Truthful.start() as server:
        yield server


@pytest.fixture
def send(tmp_path: Path) -> Send:
    """Send a job from a place of its own and return what was seen."""

    def sends(job: Job, **more: object) -> Result:
        return carry_out(job, a_place(tmp_path, **more))

    return sends
