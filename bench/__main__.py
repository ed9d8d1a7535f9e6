"""Runs the benchmarks and writes bench/results.md."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    backup,
    engine,
    load_bench,
    log_bench,
    migrations,
    rules_bench,
    startup,
    steps,
    week,
)

PARTS: Mapping[str, Callable[[], str]] = {
    "startup": startup.report,
    "steps": steps.report,
    "engine": engine.report,
    "rules": rules_bench.report,
    "week": week.report,
    "load": load_bench.report,
    "log": log_bench.report,
    "migrations": migrations.report,
    "backup": backup.report,
}
RESULTS = Path(__file__).with_name("results.md")
MARK = re.compile(r"^## (\w+), .*$", re.MULTILINE)


def kept(page: str) -> dict[str, str]:
    """Return the parts of a page that was written before, by name, each with its heading."""
    starts = [*MARK.finditer(page)]
    ends = [*(mark.start() for mark in starts[1:]), len(page)]
    return {
        mark[1]: page[mark.start() : end].strip() for mark, end in zip(starts, ends, strict=False)
    }


def main(words: list[str]) -> int:
    """Measure the named parts, or all; `--write` puts what was measured into the page.

    A part that was not measured stays in the page as it was, with its own date.
    """
    chosen = [word for word in words if word != "--write"] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        print(f"no part `{unknown[0]}`, expected one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    page = kept(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in chosen:
        day = datetime.now(UTC).date()
        page[name] = f"## {name}, {day}, {machine}\n\n{PARTS[name]().strip()}"
        print(page[name] + "\n", flush=True)
        if "--write" in words:
            text = "\n\n".join(["# Results", *(page[part] for part in PARTS if part in page)])
            RESULTS.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
