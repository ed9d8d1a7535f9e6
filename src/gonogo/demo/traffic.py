"""Asks the service the questions that its visitors ask, at an even rate, while a story is played.

It runs as a process of its own and never waits for an answer before it asks the next question, so
that a slow service is asked as often as a fast one. Everything is bounded: the rate, the questions
that wait for an answer, the time. It ends when its standard input does, and so with the demo,
however that ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

AGENT = "demo-visitors/1"
PER_SECOND = 40
LONGEST_S = 8 * 3600
AT_ONCE = 200
ANSWER_WITHIN_S = 5.0
ENDS_WITHIN_S = 10.0


class Visitors:
    """The visitors of the service while the context lasts; afterwards `seen` is what they saw."""

    def __init__(self, address: str, questions: Path, per_second: int = PER_SECOND) -> None:
        """Ask the service at `address` the lines of `questions`."""
        self._command = [
            *(sys.executable, "-m", "gonogo.demo.traffic", address, str(questions)),
            *("--per-second", str(per_second)),
        ]
        self._process: subprocess.Popen[str] | None = None
        self.seen: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop asking."""
        self.stop()

    def stop(self) -> None:
        """Stop asking and hear what was seen: number of answers by status, and `none`."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            told, _ = process.communicate(timeout=ENDS_WITHIN_S)
            self.seen = json.loads(told or "{}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def say(self) -> str:
        """Return what the visitors saw, in words."""
        total = sum(self.seen.values())
        failed = sum(number for key, number in self.seen.items() if key.startswith("5"))
        away = self.seen.get("none", 0)
        return f"{total} questions of visitors: {failed} answered with an error, {away} not at all"


def path_of(number: int, topics: Sequence[str]) -> str:
    """Return what the n-th visitor asks: mostly a usual question, sometimes a new one."""
    topic = topics[number * 7 % len(topics)]
    match number % 10:
        case 0:
            return "/"
        case 5:
            return f"/api/search?q={quote(f'{topic} {number}')}"
        case _:
            return f"/api/search?q={quote(topic)}"


async def ask(host: str, port: int, path: str) -> str:
    """Ask once; return the status, or `none` when nobody answers."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {AGENT}\r\n"
                writer.write(f"{head}Connection: close\r\n\r\n".encode("ascii"))
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return "none"
    words = answer[:64].split(maxsplit=2)
    return words[1].decode("latin-1") if len(words) > 1 else "none"


async def visit(address: str, topics: Sequence[str], per_second: int) -> Counter[str]:
    """Ask until the standard input ends; return how many answers of each status came."""
    place = urlsplit(address)
    host, port = str(place.hostname), place.port or 80
    seen: Counter[str] = Counter()
    waiting: set[asyncio.Task[str]] = set()

    def heard(task: asyncio.Task[str]) -> None:
        waiting.discard(task)
        if not task.cancelled():
            seen[task.result()] += 1

    loop = asyncio.get_running_loop()
    ended = loop.create_task(_input_ends())
    began = loop.time()
    for number in range(LONGEST_S * per_second):
        wait_s = began + number / per_second - loop.time()
        await asyncio.wait({ended}, timeout=max(0.0, wait_s))
        if ended.done():
            break
        if len(waiting) < AT_ONCE:
            task = loop.create_task(ask(host, port, path_of(number, topics)))
            waiting.add(task)
            task.add_done_callback(heard)
    ended.cancel()
    for task in waiting:
        task.cancel()
    return seen


async def _input_ends() -> None:
    """Return when the process that started us closes our input, or is gone."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await reader.read()


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask until the standard input ends and print what was seen."""
    parser = argparse.ArgumentParser(prog="visitors", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("questions", type=Path, help="a file with a question per line")
    parser.add_argument("--per-second", type=int, default=PER_SECOND)
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the demo, which then ends us
    lines = asked.questions.read_text(encoding="utf-8").splitlines()
    topics = [line.strip() for line in lines if line.strip()]
    print(json.dumps(asyncio.run(visit(asked.address, topics, asked.per_second))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
