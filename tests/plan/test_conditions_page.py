"""The page about conditions: each of its examples is read as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gonogo.plan.grammar import read
from gonogo.source import Span

PAGE = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text(encoding="utf-8")
AT = Span.of_line(1, 1)
READ = re.findall(r"^\| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE)
REFUSED = re.findall(r"^\| `(.+)` \| (GN\d+) \|", PAGE, re.MULTILINE)
LEFT_ALONE = re.findall(r"`(.+?)`", PAGE.split("## Not conditions")[1].split("##")[0])


def test_the_page_has_examples() -> None:
    assert len(READ) > 40
    assert len(REFUSED) > 12
    assert len(LEFT_ALONE) > 6


@pytest.mark.parametrize(("text", "said"), READ, ids=[row[0] for row in READ])
def test_an_example_is_read_as_the_page_says(text: str, said: str) -> None:
    reading = read(text, AT)
    assert reading.condition is not None, reading.diagnostics
    assert reading.condition.say() == said


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_mistake_is_refused_as_the_page_says(text: str, code: str) -> None:
    assert [d.code for d in read(text, AT).diagnostics] == [code]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_a_remark_is_left_alone(text: str) -> None:
    reading = read(text, AT)
    assert reading.condition is None
    assert not reading.smells


def test_the_drawing_and_the_quoted_name_are_read() -> None:
    for text in (
        "page: response time p95 > 1.2 s or error rate > 2 % for 2 of 3 buckets",
        '"read and write errors" > 5',
        'body.items[0].name = "x"',
    ):
        condition = read(text, AT).condition
        assert condition is not None
        assert condition.say() == text
