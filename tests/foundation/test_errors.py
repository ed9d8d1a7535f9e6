"""How a mistake is drawn: line, caret, expected, hint; also where the line is odd."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gonogo.errors import Diagnostic, Severity, draw, in_order
from gonogo.source import Source, Span

BOOK = Source("deploy.md", "# Title\n\n- Page load > 5 seconds\n")


def test_a_mistake_shows_its_line_a_caret_what_was_expected_and_what_to_do() -> None:
    diagnostic = Diagnostic(
        "GN031",
        "no metric is named `page load`",
        Span.of_line(3, 3, 9),
        label="not bound in the front matter",
        expected="a name under `metrics:`",
        hint="did you mean `page load time`?",
    )
    assert draw(diagnostic, BOOK).splitlines() == [
        "error[GN031]: no metric is named `page load`",
        "  --> deploy.md:3:3",
        "   |",
        "3  | - Page load > 5 seconds",
        "   |   ^^^^^^^^^ not bound in the front matter",
        "expected: a name under `metrics:`",
        "hint: did you mean `page load time`?",
    ]


@given(text=st.text(max_size=400), line=st.integers(1, 30), column=st.integers(1, 500))
def test_any_place_can_be_drawn(text: str, line: int, column: int) -> None:
    drawn = draw(Diagnostic("GN001", "x", Span.of_line(line, column, 3)), Source("f", text))
    assert "^" in drawn


def test_mistakes_are_told_in_order_and_once() -> None:
    late = Diagnostic("GN002", "b", Span.of_line(9))
    early = Diagnostic("GN001", "a", Span.of_line(2), severity=Severity.NOTE)
    assert in_order([late, early, late]) == (early, late)


@given(st.text(max_size=200), st.text(min_size=1, max_size=20), st.integers(1, 8))
def test_words_are_found_or_the_whole_line_is_named(text: str, words: str, number: int) -> None:
    span = Source("f", text).find(number, words)
    assert span.line == number
    assert span.end_column > span.column >= 1
