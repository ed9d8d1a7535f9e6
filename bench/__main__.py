"""Runs the benchmarks and writes bench/results.md."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from bench import backup, engine, load_bench, log_bench, migrations, rules_bench, startup, steps

PARTS = {
    "startup": startup.report,
    "steps": steps.report,
    "engine": engine.report,
    "rules": rules_bench.report,
    "load": load_bench.report,
    "log": log_bench.report,
    "migrations": migrations.report,
    "backup": backup.report,
}


def main(words: list[str]) -> int:
    """Measure the named parts, or all; with `--write` keep what was measured as the page."""
    chosen = [word for word in words if word != "--write"] or list(PARTS)
    head = f"# Results\n\nPython {platform.python_version()}, {platform.machine()}.\n"
    text = "\n".join([head, *(PARTS[name]() for name in chosen)])
    print(text)
    if "--write" in words:
        Path(__file__).with_name("results.md").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
