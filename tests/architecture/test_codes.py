"""Every diagnostic code in the source is listed, and every listed one is explained on its page."""

from __future__ import annotations

import re
from pathlib import Path

from gonogo.codes import CODES

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bGN\d{3}\b")


def test_every_code_that_is_used_is_listed() -> None:
    used = {
        code
        for path in (ROOT / "src").rglob("*.py")
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert used - set(CODES) == set()


def test_every_listed_code_is_used() -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src").rglob("*.py")
        if path.name != "codes.py"
    ]
    assert [code for code in CODES if not any(code in text for text in texts)] == []


def test_every_listed_code_has_its_paragraph() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"### {code}" not in page] == []
