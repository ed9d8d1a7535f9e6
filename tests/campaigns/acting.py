"""What the tests of the campaigns service do to it again and again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import redis

from gonogo.clock import SystemClock
from gonogo.demo import campaigns_place
from gonogo.demo.performance import RUN
from gonogo.demo.turn import LOOK_EVERY_S, Turn
from gonogo.demo.workspace import Workspace

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WAITS_S = 15.0


def ask(place: Workspace, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    """Return the status and the JSON, or the text, of an answer."""
    data = None if body is None else json.dumps(body).encode()
    url = place.settings["APP_URL"] + path
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with DIRECT.open(request, timeout=WAITS_S) as answer:
            return answer.status, _read(answer)
    except urllib.error.HTTPError as error:
        return error.code, _read(error)


def _read(answer: Any) -> Any:
    text = answer.read().decode()
    return json.loads(text) if "json" in answer.headers["content-type"] else text


def rows(place: Workspace, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.settings["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def queue(place: Workspace) -> redis.Redis:
    return redis.Redis.from_url(place.settings["QUEUE_URL"], decode_responses=True)


def cache(place: Workspace) -> redis.Redis:
    return redis.Redis.from_url(place.settings["CACHE_URL"], decode_responses=True)


def until(claim: Callable[[], bool]) -> bool:
    """Wait until something is so; False when it is not so in time."""
    clock = SystemClock()
    end = clock.monotonic() + WAITS_S
    while not claim():
        if clock.monotonic() > end:
            return False
        clock.wait(0.05)
    return True


def to_v2(place: Workspace) -> None:
    place.script("bin/fetch", "v2")
    place.script("bin/migrate", "up", "--for", "v2")
    place.script("bin/switch", "v2")
    place.script("bin/service", "restart")
    place.script("bin/worker", "restart")


@dataclass(frozen=True)
class Released:
    """How a run ended: its exit code, what it printed, and its evidence."""

    code: int
    text: str
    evidence: dict[str, Any]

    def status(self, title: str) -> str:
        """Return the status of the step with this title."""
        return str(self.finding(title).get("status"))

    def finding(self, title: str) -> dict[str, Any]:
        """Return the finding of the step with this title; empty when it was not looked at."""
        found = [s for s in self._steps() if s["title"] == title]
        assert found, [s["title"] for s in self._steps()]
        return found[0]["finding"] or {}

    def failed(self) -> list[str]:
        return [
            step["title"]
            for step in self._steps()
            if (step["finding"] or {}).get("status") in ("fail", "error")
        ]

    def _steps(self) -> list[dict[str, Any]]:
        return [step for phase in self.evidence["phases"] for step in phase["steps"]]

    def fired(self, consequence: str) -> list[str]:
        """Return the rules with a consequence that fired, as they are written."""
        found = []
        for watch in filter(None, (phase["watch"] for phase in self.evidence["phases"])):
            texts = {rule["id"]: rule["text"] for rule in watch["rules"]}
            found += [
                texts.get(move["rule"], move["rule"])
                for move in watch["moves"]
                if move["consequence"] == consequence and move["after"] == "firing"
            ]
        return found


def release(
    place: Workspace,
    *,
    watch: str = "Watch for 1 week in 2-second buckets",
    week_s: int = 12,
    without: str = "",
    during: Callable[[], None] | None = None,
) -> Released:
    """Run deploy.md with a week of `week_s`; `during` happens after the first healthy bucket.

    `without` is the title of a question that nobody answers beforehand.
    """
    campaigns_place.watch(place, watch)
    answers = place.folder / "answers.yml"
    lines = answers.read_text(encoding="utf-8").splitlines()
    if without:
        assert any(line.startswith(without) for line in lines)
    kept = [line for line in lines if not without or not line.startswith(without)]
    answers.write_text("\n".join(kept) + "\n", encoding="utf-8")
    calendar = f"1/{7 * 24 * 3600 // week_s}"
    command = [sys.executable, "-m", "gonogo", *RUN, "--calendar", calendar]
    turn = None if during is None else Turn(place.folder, 1, during)
    with (place.folder / "printed").open("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(
            command, cwd=place.folder, env=dict(place.settings), stdout=printed, stderr=printed
        )
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_EVERY_S)
            if turn is not None:
                turn.look()
        printed.seek(0)
        told = printed.read()
    if turn is not None:
        assert turn.done, told
        turn.close()
    return Released(process.returncode, told, evidence(place))


def evidence(place: Workspace) -> dict[str, Any]:
    """Return the evidence of the newest run."""
    told = gonogo(place, "report", "--json")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def gonogo(place: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gonogo", *words],
        cwd=place.folder,
        env=dict(place.settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
