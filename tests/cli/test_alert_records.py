"""Records of alert tests that something has damaged: what is whole is still confirmed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import gonogo

BOOK = """\
---
gonogo: 1
service: web
---
# Web

## Deployment

1. Switch

   ```bash
   true
   ```
"""


@pytest.mark.parametrize(
    "damaged",
    ["[1]", "7", "[" * 100_000, "{}", '{"service": "web", "test": "x", "channels": 7}'],
    ids=range(5),
)
def test_a_damaged_record_is_passed_over(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "deploy.md").write_text(BOOK)
    folder = tmp_path / ".gonogo" / "alert-tests"
    folder.mkdir(parents=True)
    (folder / "b.json").write_text(damaged)
    done = gonogo("alert-test", "deploy.md", "--confirm", "ana=mail", cwd=tmp_path)
    assert (done.code, "bug" in done.err) == (2, False), done.err
    one = {"id": "1", "contact": "ana", "channel": "mail", "sent": True, "confirmed": None}
    whole = {"test": "x", "service": "web", "environment": None, "at": "2026", "channels": [one]}
    (folder / "a.json").write_text(json.dumps(whole))
    done = gonogo("alert-test", "deploy.md", "--confirm", "ana=mail", "--by", "eve", cwd=tmp_path)
    assert done.code == 0
    kept = json.loads((folder / "a.json").read_bytes())
    assert kept["channels"][0]["confirmed"]["by"] == "eve"
