"""Headings: level, words, number, signs and the headings above them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gonogo.runbook.markdown import read
from gonogo.runbook.outline import Outline
from gonogo.source import Source


def outline(text: str) -> Outline:
    return read(Source("deploy.md", dedent(text)))


@pytest.mark.parametrize(
    ("heading", "level", "text", "number", "title"),
    [
        ("# Search: release #", 1, "Search: release", None, "Search: release"),
        ("## ✅ Deployed **now**", 2, "Deployed now", None, "Deployed now"),
        ("### Step 3: Apply it", 3, "Step 3: Apply it", "Step 3", "Apply it"),
        ("### 2.1 Apply", 3, "2.1 Apply", "2.1", "Apply"),
        ("### 2. Apply", 3, "2. Apply", "2", "Apply"),
        ("### Phase B – Apply", 3, "Phase B – Apply", "Phase B", "Apply"),
        ("### 24 hours", 3, "24 hours", None, "24 hours"),
        ("### 1.5 hours of rest", 3, "1.5 hours of rest", None, "1.5 hours of rest"),
        ("### 99.9 % uptime", 3, "99.9 % uptime", None, "99.9 % uptime"),
        ("### Stepwise", 3, "Stepwise", None, "Stepwise"),
        ("Setext\n===", 1, "Setext", None, "Setext"),
        ("Two\nlines\n---", 2, "Two lines", None, "Two lines"),
        ("## [Link](x) `code`", 2, "Link code", None, "Link code"),
        ("##", 2, "", None, ""),
    ],
)
def test_a_heading_has_its_level_words_and_number(
    heading: str, level: int, text: str, number: str | None, title: str
) -> None:
    section = outline(heading).sections[1]
    assert (section.level, section.text, section.number, section.title) == (
        level,
        text,
        number,
        title,
    )


def test_sections_know_the_headings_above_them() -> None:
    result = outline("""\
        before

        ## Early
        # Title
        ## Deploy
        #### Deep
        ## Deploy
        # Second title
    """)
    assert [(s.level, s.path) for s in result.sections] == [
        (0, ()),
        (2, ("Early",)),
        (1, ("Title",)),
        (2, ("Title", "Deploy")),
        (4, ("Title", "Deploy", "Deep")),
        (2, ("Title", "Deploy")),
        (1, ("Second title",)),
    ]
    assert result.title == "Title"
    assert outline("no heading").title is None


def test_a_heading_tells_its_signs() -> None:
    first, second = outline("## ⚠️ Rollback\n## If successful ✅\n").sections[1:]
    assert (first.is_critical, first.mark, first.text) == (True, None, "Rollback")
    assert (second.is_critical, second.mark, second.text) == (False, "✅", "If successful")
