"""The corpora: what good runbooks mean, and what is said of one mistake in each bad one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.runbook.conftest import Reader
from tests.runbook.golden import same_as_golden

from gonogo.errors import Severity, draw
from gonogo.runbook.canonical import plan_json
from gonogo.source import Source

_FOLDER = Path(__file__).parent.parent / "runbooks"
_GOOD = sorted((_FOLDER / "good").glob("*.md"))
_BAD = sorted((_FOLDER / "bad").glob("*.md"))


@pytest.mark.parametrize("path", _GOOD, ids=lambda path: path.stem)
def test_a_good_runbook_means_what_its_golden_plan_says(
    path: Path, really_understood: Reader, request: pytest.FixtureRequest
) -> None:
    found = really_understood(path.read_text(encoding="utf-8"))
    assert found.plan is not None, [d.message for d in found.diagnostics]
    text = json.dumps(plan_json(found.plan), indent=1, ensure_ascii=False) + "\n"
    same_as_golden(path.with_suffix(".plan.json"), text, request.config)


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_a_bad_runbook_gets_its_golden_message(
    path: Path, really_understood: Reader, request: pytest.FixtureRequest
) -> None:
    text = path.read_text(encoding="utf-8")
    found = really_understood(text)
    assert any(d.severity is not Severity.NOTE for d in found.diagnostics)
    drawn = "\n\n".join(draw(d, Source(path.name, text)) for d in found.diagnostics) + "\n"
    same_as_golden(path.with_suffix(".err"), drawn, request.config)


def test_the_corpora_are_large_enough_to_hold_the_language() -> None:
    assert len(_GOOD) >= 12
    assert len(_BAD) >= 40
    assert all(path.with_suffix(".plan.json").exists() for path in _GOOD)
    assert all(path.with_suffix(".err").exists() for path in _BAD)


def test_every_message_is_lower_case_and_has_no_full_stop(really_understood: Reader) -> None:
    for path in _BAD:
        for found in really_understood(path.read_text(encoding="utf-8")).diagnostics:
            assert not found.message.endswith("."), found.message
            first = found.message.split()[0]
            assert first.startswith("`") or first == first.lower() or first == "YAML", first
