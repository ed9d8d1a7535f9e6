from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.safe_pattern import RefusedError, compiled, longest_line

GOOD = [
    r"(?P<time>\S+) (?P<level>[A-Z]+) took (?P<ms>[\d.]+)ms",
    r".* status=(?P<status>\d+) .*took=(?P<ms>\d+)",
    r'(?P<agent>"(?:[^"\\]|\\.)*")',
    r"(?P<ip>(\d{1,3}\.){3}\d{1,3}) (?P<rest>.*)",
    r"[]a]+b(?P<x>[^]\]]*)]",
    r"(?P<a>\w+)=(?P<b>\w+)(?:,\w+=\w+)?",
    r"(?P<x>a++)a?b{2}c{x",
    r"^(?P<level>INFO|WARN|ERROR)\b",
]
BAD = {
    r"(a+)+$": "repeats a group",
    r"(a|a)*b": "repeats a group",
    r"(\w+\s?)*$": "repeats a group",
    r"(.*?,){11}P": "repeats a group",
    r"(a*)*": "repeats a group",
    r"(?:a?){50}a{50}x": "repeats a group",
    r".*.*.*x": "too long on some line",
    r"\w+\d+\w+\d+a": "too long on some line",
    r".*a.*a\w+!": "too long on some line",
    r"(?=a)b": "`(?=a` is not allowed",
    r"(a)\1": r"`\1` is not allowed",
    r"(?P<a>x)(?P=a)": "is not allowed",
    r"(?i)a": "is not allowed",
    r"(a": "cannot be read",
    r"a" * 3000: "too long",
}


@pytest.mark.parametrize("text", GOOD)
def test_lets_ordinary_patterns_through(text: str) -> None:
    assert compiled(text).pattern == text


@pytest.mark.parametrize(("text", "said"), BAD.items())
def test_refuses_what_could_take_forever(text: str, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        compiled(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("char", ["a", " ", '"', "1", "\\", "1.", "=1 "])
def test_what_is_let_through_ends_on_any_long_line(text: str, char: str) -> None:
    length = longest_line(text)
    line = (char * length)[:length]
    compiled(text).match(line)
    compiled(text).match(line[:-1] + "\x00")


ATOMS = st.sampled_from(["a", r"\d", r"\w", ".", "[^ ]", " ", "(a|b)", "(?:a?)", r"(\w\d)"])
TIMES = st.sampled_from(["", "*", "+", "?", "{2,9}", "{3,}", "+?"])
PATTERNS = st.lists(st.tuples(ATOMS, TIMES), min_size=1, max_size=6).map(
    lambda pairs: "".join(atom + times for atom, times in pairs)
)


@given(PATTERNS, st.sampled_from(["a", "1", "ab", "a1"]))
def test_any_pattern_is_refused_or_ends(text: str, char: str) -> None:
    try:
        pattern = compiled(text + "!")
    except RefusedError:
        return
    assert pattern.match(char * 1000) is None


@given(st.text(alphabet="ab.*+?()[]{}|\\d12,^$", max_size=14))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        pattern = compiled(text)
    except RefusedError:
        return
    assert isinstance(pattern, re.Pattern)
