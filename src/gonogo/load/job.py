"""What a load test has to send, as one value that travels to the process that sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count as numbers

from gonogo.load.schedule import Stage

_VARIABLE = "GONOGO_LOAD_"
_PIECE = 100_000  # characters, all of them ASCII; one variable may hold 128 KiB


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with all its values filled in; secrets may be among them."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """A whole load test: what is sent, when, and what limits it; times in seconds."""

    requests: tuple[Request, ...]
    stages: tuple[Stage, ...]
    timeout_s: float  # from the moment a request is due
    connections: int
    warm_up_s: float = 0.0
    insecure: bool = False
    ca: str = ""


def to_environment(job: Job) -> dict[str, str]:
    """Return the job as variables: an environment is not shown to other users, arguments are."""
    text = json.dumps(
        {
            "requests": [
                [r.method, r.url, [list(pair) for pair in r.headers], r.body, r.weight]
                for r in job.requests
            ],
            "stages": [[str(s.seconds), str(s.start), str(s.end)] for s in job.stages],
            "timeout_s": job.timeout_s,
            "connections": job.connections,
            "warm_up_s": job.warm_up_s,
            "insecure": job.insecure,
            "ca": job.ca,
        }
    )
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    return {f"{_VARIABLE}{number}": piece for number, piece in enumerate(pieces)}


def from_environment(environment: Mapping[str, str]) -> Job:
    """Return the job that `to_environment` wrote.

    Raises:
        ValueError: the environment holds no job.
    """
    data = json.loads("".join(_pieces(environment)))
    data["requests"] = tuple(
        Request(method, url, tuple((name, value) for name, value in headers), body, weight)
        for method, url, headers, body, weight in data["requests"]
    )
    data["stages"] = tuple(Stage(*(Fraction(n) for n in stage)) for stage in data["stages"])
    return Job(**data)


def _pieces(environment: Mapping[str, str]) -> Iterator[str]:
    for number in numbers():
        piece = environment.get(f"{_VARIABLE}{number}")
        if piece is None:
            return
        yield piece
