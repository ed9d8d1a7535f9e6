"""The page about backups: each of its runbooks is accepted, each message on it is one of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gonogo import catalog
from gonogo.errors import Severity
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.source import Source

PAGE = (Path(__file__).parents[2] / "docs" / "backup.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^````markdown runbook\n(.*?)^````$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: f"{len(text)}-characters")
def test_every_example_is_accepted(text: str) -> None:
    plan = assemble(read(Source("backup.md", text)), catalog.load())
    assert [d.message for d in plan.diagnostics if d.severity is not Severity.NOTE] == []
    kinds = {step.block.kind for step in plan.steps() if step.block is not None}
    assert kinds & {"backup", "check backup", "check restore"}


def test_what_must_hold_stands_beside_what_the_author_expects() -> None:
    plan = assemble(read(Source("backup.md", EXAMPLES[0])), catalog.load())
    (proof,) = [s for s in plan.steps() if s.block is not None and s.block.kind == "check restore"]
    said = [item.condition.say() for item in proof.expect]
    assert said == ['problem = "none"', "duration < 15 min"]


def test_a_restore_over_live_data_is_destructive() -> None:
    plan = assemble(read(Source("backup.md", EXAMPLES[0])), catalog.load())
    assert plan.rollback is not None
    (step,) = plan.rollback.options[0].steps
    assert [loss.target for loss in step.destroys] == ["db"]
