"""A question is found by what a person remembers of it."""

from __future__ import annotations

import pytest

from gonogo.cli.questions import fits_loosely
from gonogo.run.journal import Event

ASKED = Event(
    7,
    "7f3a1c",
    1,
    "2026-11-22T10:00:00.000Z",
    "ana",
    "question.asked",
    "deployment/old-orders-go?typed0",
    1,
    {"question": "`DROP TABLE orders` cannot be undone; type `orders` to confirm"},
    "",
)


@pytest.mark.parametrize("words", ["Old orders go", "old-orders", "DROP TABLE", "deployment/old"])
def test_a_confirmation_is_found_by_the_title_of_its_step_too(words: str) -> None:
    assert fits_loosely(ASKED, words)


def test_other_words_find_nothing() -> None:
    assert not fits_loosely(ASKED, "new orders")
