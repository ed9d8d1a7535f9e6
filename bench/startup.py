"""Start-up: `gonogo --version` and `gonogo lint` of a 1,000-line file beside `python -c pass`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import cost, table

RUNS = 15


def long_runbook(lines: int) -> str:
    """Return an explicit runbook of about `lines` lines with steps of every common kind."""
    parts = ["---\ngonogo: 1\nservice: bench\n---\n# Bench: release\n\n## Pre-deployment\n"]
    number = 0
    while sum(part.count("\n") for part in parts) < lines:
        number += 1
        parts.append(
            f"\n- [ ] Home page {number} answers\n\n"
            f"  ```http\n  GET http://127.0.0.1:8000/page/{number}\n  ```\n\n"
            "  - Expect: status = 200\n  - Expect: latency < 500 ms\n"
            f"\n- [ ] Disk {number} has room\n\n  ```bash\n  test -d /tmp\n  ```\n"
            f"\n- [ ] Somebody looked at dashboard {number}\n"
        )
    return "".join(parts)


def report() -> str:
    """Measure and return the table."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "deploy.md"
        book.write_text(long_runbook(1_000), encoding="utf-8")
        floor = cost([sys.executable, "-c", "pass"], runs=RUNS)
        gonogo = [sys.executable, "-m", "gonogo"]
        version = cost([*gonogo, "--version"], runs=RUNS)
        linted = cost([*gonogo, "lint", str(book)], runs=RUNS)
    rows = [
        ("`python -c pass`", floor),
        ("`gonogo --version` (target < 3x)", version),
        ("`gonogo lint`, 1,000 lines (target < 10x)", linted),
    ]
    return table("Start-up", rows, floor, "python -c pass")
