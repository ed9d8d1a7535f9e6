"""What the tests of `gonogo test` and `gonogo rehearse` share: examples, answers, moments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples" / "timelines"
GOLDENS = Path(__file__).parent / "goldens"
Said = Callable[..., tuple[int, str, str]]


def as_json(said: Said, *words: str) -> Any:
    code, out, err = said(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def clock(at_ms: int) -> str:
    minutes = at_ms // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
