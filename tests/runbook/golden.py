"""Golden files: what was understood, written down, and compared on every run."""

from __future__ import annotations

from pathlib import Path

import pytest


def same_as_golden(path: Path, found: str, config: pytest.Config) -> None:
    """Compare with the file, or write it anew with `--update-golden`."""
    if config.getoption("--update-golden"):
        path.write_text(found, encoding="utf-8")
        return
    assert path.exists(), f"{path.name} is missing: run with --update-golden and read the diff"
    assert found == path.read_text(encoding="utf-8")
