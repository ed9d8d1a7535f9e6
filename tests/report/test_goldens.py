from __future__ import annotations

from pathlib import Path

import pytest
from tests.report.stories import STORIES

from gonogo.report import collect, render

FOLDER = Path(__file__).parent.parent / "reports"
PLACE = ".gonogo/runs/7f3a/report.html"
CASES = [(name, form) for name in STORIES for form in ("text", "md", "json", "junit")]


@pytest.mark.parametrize(
    ("name", "form"), [*CASES, ("rolled-back", "html"), ("watch-rolled-back", "html")], ids=str
)
def test_a_run_is_told_as_in_its_golden(name: str, form: str, request: pytest.FixtureRequest):
    story, exit_code = STORIES[name]
    evidence = collect(story().events, place=PLACE)
    assert evidence.exit_code == exit_code
    golden = FOLDER / f"{name}.{'none' if exit_code is None else exit_code}.{form}"
    told = render(evidence, form)
    if request.config.getoption("--update-golden"):
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def test_every_golden_belongs_to_a_story():
    names = {path.name.split(".")[0] for path in FOLDER.iterdir()}
    assert names == set(STORIES)
