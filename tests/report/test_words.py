from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gonogo.report import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "0 s"),
        (0.0001, "< 1 ms"),
        (0.0006, "1 ms"),
        (0.012, "12 ms"),
        (0.045, "45 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (0.44, "0.4 s"),
        (4, "4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1m"),
        (62, "1m 02s"),
        (72, "1m 12s"),
        (120, "2m"),
        (3599.7, "1h"),
        (3840, "1h 04m"),
        (86400, "1d"),
        (2 * 86400 + 3 * 3600, "2d 03h"),
        (-4, "-4 s"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float | None, said: str):
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        ("status 200", "status = 403", "status 200, expected 403"),
        ("p99 1.42s", "p99 <= 1.2s", "p99 1.42s, expected <= 1.2s"),
        ("rows 0", "rows > 0", "rows 0, expected > 0"),
        ("view false", "view is true in every row", "view false, expected true in every row"),
        ("no answer", "status = 403", "no answer, expected status = 403"),
        ("p99 2s, expected < 1s", "p99 < 1s", "p99 2s, expected < 1s"),
        ("", "status = 403", "expected status = 403"),
        ("status 200", "", "status 200"),
    ],
)
def test_what_was_seen_is_said_against_what_was_expected(actual: str, expected: str, said: str):
    assert words.against(actual, expected) == said


@pytest.mark.parametrize(
    ("actual", "why", "said"),
    [
        ("rows 1, expected 0", "rows 1, expected 0", ""),
        ("rows 1, expected 0", "fail: rows 1, expected 0", "fail"),
        ("rows 1, expected 0; size 3", "fail: rows 1, expected 0", "fail"),
        ("rows 1, expected 0", "fail: 1 of 3 rows", "fail: 1 of 3 rows"),
        ("", "error: no route", "error: no route"),
        ("", "", ""),
    ],
)
def test_a_reason_does_not_say_the_figures_again(actual: str, why: str, said: str):
    assert words.besides(actual, why) == said


@given(st.text(), st.integers(0, 30))
def test_a_cut_text_fits(text: str, width: int):
    shown = words.cut(words.one_line(text), width)
    assert words.cells(shown) <= width


@given(st.text(), st.integers(4, 30), st.booleans())
def test_wrapped_lines_fit_and_lose_no_word_in_silence(text: str, width: int, ends: bool):
    lines = words.wrap(text, width, ends=ends)
    assert len(lines) <= 3
    assert all(words.cells(line) <= width for line in lines)
    whole = " ".join(lines)
    assert "…" in whole or whole == words.one_line(text)


LONG = 'could not open input file "/var/backups/of/the/shop/in/a/deep/folder/b.dump": No such file'


@pytest.mark.parametrize("width", [20, 24, 28, 40])
def test_the_end_of_a_long_cause_is_there(width: int):
    lines = words.wrap(LONG, width, ends=True)
    assert lines[-1].endswith("such file")
    assert lines[0].startswith("could not")
    assert "…" in "".join(lines)
    (word,) = words.wrap("/var/backups/of/the/shop/in/a/deep/folder/b.dump", width, ends=True)
    assert word.startswith("/var/")
    assert word.endswith("r/b.dump")


@given(st.text())
def test_neutral_text_holds_no_control_character(text: str):
    shown = words.neutral(text)
    assert not any(ord(char) < 32 and char != "\n" for char in shown)
    assert not any(0x7F <= ord(char) <= 0x9F for char in shown)
    shown.encode()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])))
def test_no_text_is_wider_than_we_count(text: str):
    shown = words.one_line(text)
    assert cell_len(shown) <= words.cells(shown) + shown.count("\u200d") * 2


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-45", "14:02"])
def test_an_unreadable_time_is_shown_as_it_stands(text: str):
    assert words.moment(text) is None
    assert words.time_of_day(text) == text
    assert words.seconds_between(text, "2026-03-01T14:02:11Z") is None


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00+23:59"])
def test_a_time_outside_of_the_calendar_is_shown_as_it_stands(text: str):
    assert words.day_and_time(text) == text
    assert words.has_passed(text, "2026-03-01T14:02:11Z") is None


def test_the_last_day_of_the_calendar_lasts_to_its_end():
    assert words.has_passed("9999-12-31", "9999-12-31T23:59:58Z") is False
