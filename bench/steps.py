"""100 local commands and 100 HTTP checks: gonogo beside ansible-core, pyinfra, pytest-testinfra."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.measure import Cost, cost, table

RUNS = 2
COUNT = 100
BIN = Path(sys.executable).parent


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server() -> Iterator[str]:
    """Serve `ok` on loopback from a process of its own, so that its CPU is not counted."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()


def runbook(blocks: list[str]) -> str:
    """Return an explicit runbook with one check per block."""
    head = "---\ngonogo: 1\nservice: bench\n---\n# Bench\n\n## Smoke tests\n"
    steps = "".join(f"\n- [ ] Check {n}\n\n{text}" for n, text in enumerate(blocks, 1))
    return head + steps


def gonogo(folder: Path, blocks: list[str]) -> Cost:
    """Run the blocks as checks of one run."""
    book = folder / "deploy.md"
    book.write_text(runbook(blocks), encoding="utf-8")
    argv = [sys.executable, "-m", "gonogo", "run", str(book), "--yes", "--by", "bench"]
    return cost(argv, runs=RUNS, cwd=folder)


def ansible(folder: Path, task: str) -> Cost:
    """Run `task` COUNT times in one play."""
    book = folder / "play.yml"
    tasks = "".join(f"    - {task}\n" for _ in range(COUNT))
    book.write_text(f"- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}")
    argv = [str(BIN / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(book)]
    return cost(argv, runs=1, cwd=folder, env={"ANSIBLE_PYTHON_INTERPRETER": sys.executable})


def pyinfra(folder: Path, command: str) -> Cost:
    """Run `command` COUNT times as operations."""
    deploy = folder / "deploy_bench.py"
    deploy.write_text(
        "from pyinfra.operations import server\n"
        f"for n in range({COUNT}):\n    server.shell(name=f'check {{n}}', commands=[{command!r}])\n"
    )
    argv = [str(BIN / "pyinfra"), "-y", "@local", str(deploy)]
    return cost(argv, runs=RUNS, cwd=folder)


def testinfra(folder: Path, command: str) -> Cost:
    """Run `command` COUNT times as tests."""
    tests = folder / "test_bench.py"
    tests.write_text(
        "import pytest\n"
        f"@pytest.mark.parametrize('n', range({COUNT}))\n"
        f"def test_check(host, n):\n    assert host.run({command!r}).rc == 0\n"
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    return cost(argv, runs=RUNS, cwd=folder)


def report() -> str:
    """Measure and return both tables."""
    command = "test 1 = 1"
    with tempfile.TemporaryDirectory() as name, server() as url:
        folder = Path(name)
        shell = [f"  ```bash\n  {command}\n  ```\n"] * COUNT
        web = [f"  ```http\n  GET {url}/{n}\n  ```\n" for n in range(COUNT)]
        local = [
            ("gonogo", gonogo(folder, shell)),
            ("pytest-testinfra", testinfra(folder, command)),
            ("pyinfra", pyinfra(folder, command)),
            ("ansible-core", ansible(folder, f"command: {command}")),
        ]
        curl = f"curl -fsS -o /dev/null {url}/"
        http = [
            ("gonogo", gonogo(folder, web)),
            ("pytest-testinfra + curl", testinfra(folder, curl)),
            ("pyinfra + curl", pyinfra(folder, curl)),
            ("ansible-core uri", ansible(folder, f"uri: url={url}/")),
        ]
    return (
        table(f"{COUNT} local commands", local, local[0][1], "gonogo")
        + "\n"
        + table(
            f"{COUNT} HTTP checks on loopback (target: pyinfra >= 5x)", http, http[0][1], "gonogo"
        )
    )
