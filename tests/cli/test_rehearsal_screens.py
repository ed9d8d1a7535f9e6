"""The screens of `gonogo test` and `gonogo rehearse` on 80 columns, and those on their page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.rehearsals import EXAMPLES, GOLDENS, Said

SCREENS = {
    "scripted": ("rehearse", "watch.md"),
    "timeline": ("rehearse", "watch.md", "--timeline", "faults.yaml"),
    "test": ("test", "watch.md", "--timeline", "faults.yaml"),
    "watches-scripted": ("rehearse", "watches.md"),
    "watches-timeline": ("rehearse", "watches.md", "--timeline", "watches.yaml"),
    "watches-test": ("test", "watches.md", "--timeline", "watches.yaml"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_is_that_of_its_golden_and_fits_80_columns(
    said: Said, name: str, request: pytest.FixtureRequest
) -> None:
    code, out, _ = said(*SCREENS[name])
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    golden = GOLDENS / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(out, encoding="utf-8")
    assert out == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(SCREENS)


PAGE = (EXAMPLES.parents[1] / "docs" / "rehearsal.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [part.split("```", 1)[0] for part in PAGE.split(f"```{language}\n")[1:]]


@pytest.mark.parametrize("block", blocks("text"), ids=["several-watches", "after-a-trigger"])
def test_the_screens_of_the_page_are_real(block: str) -> None:
    assert any(block in path.read_text(encoding="utf-8") for path in GOLDENS.iterdir())


def test_the_timeline_of_the_page_comes_out_as_it_says(said: Said) -> None:
    (example,) = blocks("yaml")
    Path("page.yaml").write_text("samples: 500\n" + example, encoding="utf-8")
    code, out, _ = said("test", "watch.md", "--timeline", "page.yaml")
    assert (code, "2 expectations, all met\n" in out) == (0, True), out
