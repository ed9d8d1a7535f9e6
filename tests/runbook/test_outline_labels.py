"""`Name: value` is read wherever teams write it, and folded lines come apart again."""

from __future__ import annotations

import pytest

from gonogo.runbook.labels import directive_of, numbered, split_folded
from gonogo.runbook.markdown import read
from gonogo.runbook.outline import Item, Node, Paragraph
from gonogo.source import Source

NAMES = ("Expect", "Retry", "Timeout", "Estimated time", "For")


def first(text: str) -> Node:
    return read(Source("deploy.md", text)).sections[0].nodes[0]


def shown(text: str, line: int, start: int, end: int) -> str:
    return text.split("\n")[line - 1][start - 1 : end - 1]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("- Expect: status = 403", "Expect", "status = 403"),
        ("Expect: status = 403", "Expect", "status = 403"),
        ("**Estimated time**: 2 minutes", "Estimated time", "2 minutes"),
        ("**Estimated time:** 2 minutes", "Estimated time", "2 minutes"),
        ("- Undo:", "Undo", ""),
        ("- Expect: `a` is\n  wrapped", "Expect", "a is wrapped"),
        ("- [ ] Approved by: release manager", "Approved by", "release manager"),
        ("- Needs : backup", "Needs", "backup"),
    ],
)
def test_a_label_and_its_value_have_places(text: str, name: str, value: str) -> None:
    found = directive_of(first(text))
    assert found is not None
    assert (found.name, found.value.text) == (name, value)
    place = found.name_span
    assert shown(text, place.line, place.column, place.end_column) == name
    if value == "status = 403":
        place = found.value_span
        assert shown(text, place.line, place.column, place.end_column) == value


@pytest.mark.parametrize(
    "text",
    [
        "- See https://x.example",
        "- https://x.example",
        "- one two three four: five",
        "- C:\\Temp",
        "- 12:30 deploy",
        "- no colon",
        "- a:b",
        "```\nExpect: 1\n```",
        "| Expect: 1 |\n|---|\n",
    ],
)
def test_other_words_are_no_label(text: str) -> None:
    assert directive_of(first(text)) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Expect: status = 403 Retry: 3 times Timeout: 10s",
            [("Expect", "status = 403"), ("Retry", "3 times"), ("Timeout", "10s")],
        ),
        (
            "Expect: status = 403\nRetry: 3 times",
            [("Expect", "status = 403"), ("Retry", "3 times")],
        ),
        (
            "**Estimated time:** 2 minutes **For:** an hour",
            [("Estimated time", "2 minutes"), ("For", "an hour")],
        ),
        ("**expect**: a **retry**: 2", [("expect", "a"), ("retry", "2")]),
        ('Expect: body contains "Retry: 3"', [("Expect", 'body contains "Retry: 3"')]),
        ("Expect: body contains `Retry: 3`", [("Expect", "body contains Retry: 3")]),
        ("Expect: wait for: it", [("Expect", "wait for: it")]),
        ("- Expect: a Retry: 2", [("Expect", "a"), ("Retry", "2")]),
        ("Please Expect: a", []),
        ("nothing", []),
    ],
)
def test_folded_labels_come_apart(text: str, found: list[tuple[str, str]]) -> None:
    node = first(text)
    assert isinstance(node, Item | Paragraph)
    assert [(d.name, d.value.text) for d in split_folded(node.words, NAMES)] == found


def test_no_names_split_nothing() -> None:
    node = first("Expect: a")
    assert isinstance(node, Paragraph)
    assert split_folded(node.words, ()) == []


def test_the_place_of_a_folded_value_is_its_own() -> None:
    text = "Expect: status = 403 Retry: 3 times"
    node = first(text)
    assert isinstance(node, Paragraph)
    last = split_folded(node.words, NAMES)[-1]
    assert shown(text, 1, last.value_span.column, last.value_span.end_column) == "3 times"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Step 3: Apply", ("Step 3", "Apply")),
        ("STEP 2a - Apply", ("STEP 2a", "Apply")),
        ("2.1 Apply", ("2.1", "Apply")),
        ("1) Apply", ("1", "Apply")),
        ("Option B", ("Option B", "")),
        ("10 replicas", (None, "10 replicas")),
    ],
)
def test_a_number_is_split_off(text: str, parts: tuple[str | None, str]) -> None:
    assert numbered(text) == parts
