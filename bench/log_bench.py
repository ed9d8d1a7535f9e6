"""Reads a log of a million lines: gonogo beside `wc -l` and, where it is installed, GoAccess."""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.measure import Cost, cost

LINES = 1_000_000
RUNS = 3
START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0"
METRICS: dict[str, dict[str, object]] = {
    "json, value": {"log": "log.jsonl", "value": "duration_ms", "unit": "ms"},
    "json, value of some lines": {
        "log": "log.jsonl",
        "value": "duration_ms",
        "unit": "ms",
        "where": "path startswith /api",
    },
    "json, share": {"log": "log.jsonl", "ratio": "status >= 500"},
    "combined, share": {"log": "log.txt", "format": "combined", "ratio": "status >= 500"},
}


def generate(folder: Path, lines: int = LINES) -> None:
    """Write both logs; the same seed gives the same bytes."""
    dice = random.Random(7)
    paths = ["/", "/api/search?q=engine", "/api/items/4711", "/static/app.js", "/health"]
    with (folder / "log.jsonl").open("w") as rows, (folder / "log.txt").open("w") as text:
        for number in range(lines):
            at = START + timedelta(milliseconds=number * 10)
            path, status = dice.choice(paths), 200 if dice.random() < 0.99 else 500
            took, size = round(dice.lognormvariate(4, 0.6), 1), dice.randrange(200, 90_000)
            row = {
                "time": at.isoformat(timespec="milliseconds"),
                "method": "GET",
                "path": path,
                "status": status,
                "duration_ms": took,
                "bytes": size,
                "remote_addr": f"10.0.{number % 200}.{number % 251}",
                "user_agent": AGENT,
            }
            rows.write(json.dumps(row) + "\n")
            stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
            text.write(
                f'{row["remote_addr"]} - - [{stamp}] "GET {path} HTTP/1.1" {status} {size} '
                f'"-" "{AGENT}"\n'
            )


def read(folder: Path, name: str) -> tuple[int, int]:
    """Read one metric to the end of its log; return samples and the most that was in one batch."""
    from gonogo.metrics.log import LogReader
    from gonogo.plan.kinds import Context, Effect
    from gonogo.plan.model import Metric
    from gonogo.plan.sources import LogSource
    from gonogo.plan.sources_read import read_metric
    from gonogo.redaction import Redactor
    from gonogo.source import Span

    fields = {**METRICS[name], "begin": "beginning"}
    source, _ = read_metric(Metric("figure", fields, Span.of_line(1)), ())
    assert isinstance(source, LogSource)
    context = Context({}, {}, folder, folder, 10.0, Effect.CHECK, Redactor())
    reader = LogReader(source, context)
    samples = most = 0
    while True:
        batch = reader.read(START)
        assert not batch.bad, batch.bad
        samples += len(batch.samples)
        most = max(most, len(batch.samples))
        if not batch.behind:
            reader.close()
            return samples, most


def report() -> str:
    """Measure everything and return the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        rows = [(words, _ours(folder, words)) for words in METRICS]
        wc = shutil.which("wc") or "wc"
        rows.append(("wc -l, json", cost([wc, "-l", str(folder / "log.jsonl")], runs=RUNS)))
        rows.append(("wc -l, combined", cost([wc, "-l", str(folder / "log.txt")], runs=RUNS)))
        goaccess = shutil.which("goaccess")
        if goaccess is not None:
            argv = [goaccess, str(folder / "log.txt"), "--log-format=COMBINED", "--no-progress"]
            argv += ["--no-global-config", "-o", str(folder / "out.json")]
            rows.append(("GoAccess, combined", cost(argv, runs=RUNS)))
        sizes = {end: (folder / end).stat().st_size >> 20 for end in ("log.jsonl", "log.txt")}
    lines = [
        f"### A log of {LINES:,} lines (json {sizes['log.jsonl']} MiB, combined "
        f"{sizes['log.txt']} MiB), median of {RUNS}, start of the process included",
        "",
        "| | lines/s | CPU s per million lines | wall s |",
        "|---|---|---|---|",
    ]
    for words, measured in rows:
        rate = LINES / measured.wall
        cpu = measured.cpu * 1e6 / LINES
        lines.append(f"| {words} | {rate:,.0f} | {cpu:.2f} | {measured.wall:.2f} |")
    if goaccess is None:
        lines.append("\nGoAccess is not installed here.")
    return "\n".join([*lines, ""])


def _ours(folder: Path, words: str) -> Cost:
    argv = [sys.executable, "-m", "bench.log_bench", str(folder), words]
    return cost(argv, runs=RUNS, cwd=Path(__file__).parents[1])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(*read(Path(sys.argv[1]), sys.argv[2]))
    else:
        print(report())
