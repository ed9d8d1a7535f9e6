"""The load engine beside wrk and Locust, held to what the server itself has written down.

Peers are used where they are installed; the page says which were not.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gonogo.load import Job, Request, Stage, generator_fault
from gonogo.load.running import Place, carry_out

SERVER = """
import asyncio, json, math, sys, time
frozen_s, every_s = float(sys.argv[2]), float(sys.argv[3])
seen, windows, numbers = [], [], [0]
def answer(body):
    return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)
class Talk(asyncio.Protocol):
    def connection_made(self, transport):
        self.out, self.rest = transport, b""
    def data_received(self, data):
        self.rest += data
        while b"\\r\\n\\r\\n" in self.rest:
            head, _, self.rest = self.rest.partition(b"\\r\\n\\r\\n")
            if head.startswith(b"GET /truth"):
                said = {"seen": seen, "windows": windows}
                self.out.write(answer(json.dumps(said).encode()))
                seen.clear()
                continue
            numbers[0] += 1
            wait = 0.02 + 0.08 * (numbers[0] * 0.6180339887 % 1) ** 2
            loop.call_later(wait, self.done, time.monotonic())
    def done(self, began):
        seen.append((began, time.monotonic()))
        if not self.out.is_closing():
            self.out.write(answer(b"ok"))
def freeze():
    began = time.monotonic()
    time.sleep(frozen_s)
    windows.append((began, time.monotonic()))
    loop.call_later(every_s - frozen_s, freeze)
loop = asyncio.new_event_loop()
loop.run_until_complete(loop.create_server(Talk, "127.0.0.1", int(sys.argv[1]), backlog=4096))
if frozen_s:
    loop.call_later(every_s - frozen_s, freeze)
loop.run_forever()
"""
SECONDS = 10


@dataclass(frozen=True)
class Told:
    """What a generator says of a run; times in seconds."""

    name: str
    requests: int
    p95: float | None
    cpu_us: float | None = None
    note: str = ""


@contextmanager
def serving(frozen_s: float = 0.0, every_s: float = 5.0) -> Iterator[str]:
    """Run the server in a process of its own; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-c", SERVER, str(port), str(frozen_s), str(every_s)]
    process = subprocess.Popen(argv)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/truth").read()
                break
            except OSError:
                time.sleep(0.02)
        yield url
    finally:
        process.kill()
        process.wait()


def p95(values: list[float]) -> float:
    """Return the 95th percentile by nearest rank."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def truth(url: str) -> tuple[list[float], list[tuple[float, float]], tuple[float, float]]:
    """Return how long the server took each time, when it was frozen, and its first and last."""
    said = json.loads(urllib.request.urlopen(f"{url}/truth").read())
    took = [done - began for began, done in said["seen"]]
    begins = [began for began, _ in said["seen"]]
    return took, said["windows"], (min(begins), max(begins))


def ours(url: str, rate: int) -> Told:
    """Send with the engine of gonogo."""
    stage = Stage(Fraction(SECONDS), Fraction(rate), Fraction(rate))
    job = Job((Request("GET", f"{url}/"),), (stage,), 10.0, 2000)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        place = Place(here / "run", here, {}, 120.0, False, lambda *_: None, lambda: False)  # noqa: FBT003
        before = _cpu()
        found = carry_out(job, place)
        spent = _cpu() - before
    sent = found.sent_in_time / SECONDS
    late = (found.own["p99"] or 0.0) * 1000
    note = f"{sent:.0f}/s sent in time; own lateness p99 {late:.1f} ms"
    if generator_fault(found):
        note += "; refused as invalid"
    return Told("gonogo", found.requests, found.latency["p95"], spent / found.requests * 1e6, note)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wrk(url: str, _rate: int) -> Told | None:
    """Send with wrk: ten connections, each as fast as it is answered."""
    program = shutil.which("wrk")
    if program is None:
        return None
    argv = [program, "-t1", "-c10", f"-d{SECONDS}s", "--latency", f"{url}/"]
    before = _cpu()
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    spent = _cpu() - before
    count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    at = re.search(r"90%\s+([\d.]+)(us|ms|s)", said)
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
    value = float(at[1]) * unit[at[2]] if at else None
    return Told(
        "wrk -c10", count, value, spent / count * 1e6, "a closed loop; p90, as it has no p95"
    )


def locust(url: str, rate: int) -> Told | None:
    """Send with Locust: users that each ask ten times a second."""
    program = shutil.which("locust")
    if program is None:
        return None
    text = (
        "from locust import FastHttpUser, constant_throughput, task\n"
        "class U(FastHttpUser):\n    wait_time = constant_throughput(10)\n"
        "    @task\n    def look(self):\n        self.client.get('/')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file.py").write_text(text)
        users = str(max(rate // 10, 1))
        argv = [program, "-f", "file.py", "--headless", "--only-summary", "--json", "-u", users]
        argv += ["-r", users, "-t", f"{SECONDS}s", "--host", url]
        before = _cpu()
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        spent = _cpu() - before
    times: list[float] = []
    for entry in json.loads(done.stdout[done.stdout.index("[") :]):
        for at, number in entry["response_times"].items():
            times += [float(at) / 1000] * number
    if not times:
        return None
    return Told("Locust (fast)", len(times), p95(times), spent / len(times) * 1e6, "a closed loop")


PEERS: tuple[Callable[[str, int], Told | None], ...] = (ours, wrk, locust)


def honest(rate: int) -> list[str]:
    """Return rows: what each says of a healthy server, beside what the server says."""
    rows = []
    for peer in PEERS:
        with serving() as url:
            told = peer(url, rate)
            if told is None:
                continue
            took, _, (first, last) = truth(url)
        rows.append(
            f"| {told.name} | {rate}/s | {len(took) / max(last - first, 1e-9):.0f}/s "
            f"| {p95(took) * 1000:.1f} | {_ms(told.p95)} | {_error(told.p95, p95(took))} "
            f"| {told.cpu_us or 0:.0f} | {told.note} |"
        )
    return rows


def frozen(rate: int) -> list[str]:
    """Return rows: what each says of a server that stands still for one second in five."""
    rows = []
    for peer in PEERS:
        with serving(1.0) as url:
            told = peer(url, rate)
            if told is None:
                continue
            took, windows, (first, last) = truth(url)
        true = p95(_asked(windows, took, first, last))
        rows.append(
            f"| {told.name} | {rate}/s | {true * 1000:.0f} | {_ms(told.p95)} "
            f"| {_error(told.p95, true)} | {told.note} |"
        )
    return rows


def _asked(
    windows: list[tuple[float, float]], took: list[float], first: float, last: float
) -> list[float]:
    """Return what somebody who asks at any moment waits: the rest of the freeze, then the work."""
    found = []
    for at in range(5000):
        moment = first + (last - first) * (at + 0.5) / 5000
        rest = max((end - moment for begin, end in windows if begin <= moment < end), default=0.0)
        found.append(rest + took[at * 7919 % len(took)])
    return found


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f}"


def _error(told: float | None, true: float) -> str:
    return "-" if told is None else f"{(told - true) * 1000:+.1f}"


def report() -> str:
    """Measure and return the section."""
    missing = [name for name in ("wrk", "locust") if shutil.which(name) is None]
    lines = [
        "### Load: the engine beside its peers",
        "",
        f"Server and generator share {os.cpu_count()} cores. Times in ms, CPU in µs per request.",
        *([f"Not installed here: {', '.join(missing)}."] if missing else []),
        "",
        "| generator | asked | arrived | p95 by the server | p95 told | error | CPU | |",
        "|---|---|---|---|---|---|---|---|",
        *honest(200),
        *honest(1000),
        "",
        "A server that stands still for one second in five:",
        "",
        "| generator | asked | true p95 | p95 told | error | |",
        "|---|---|---|---|---|---|",
        *frozen(200),
        "",
        "How far the engine goes (the limit is 50 ms of own lateness, or a tenth of the p95):",
        "",
        "| generator | asked | arrived | p95 by the server | p95 told | error | CPU | |",
        "|---|---|---|---|---|---|---|---|",
        *(row for rate in (2000, 4000) for row in honest(rate) if row.startswith("| gonogo")),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
