"""Windows and freezes: read as people write them, open by the clock on the wall of their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.windows import Calendar, NotUnderstood, read, read_freeze

LONDON = "Tue-Thu 02:00-05:00 Europe/London"
SUMMER = datetime(2026, 7, 20, 0, 30, tzinfo=UTC)  # a Monday, 01:30 in London
MOMENTS = st.integers(0, 500 * 24 * 60).map(lambda minutes: SUMMER + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Tue–Thu 02:00–05:00 Europe/London", "Tue-Thu 02:00-05:00 Europe/London"),
        ("tuesdays to thursday 2:00 until 5:00", "Tue-Thu 02:00-05:00 UTC"),
        ("Sat, Sun 06:00-09:00 or Wed 02:00-04:00", "Sat-Sun 06:00-09:00 or Wed 02:00-04:00 UTC"),
        ("Fri-Mon 22:00-02:00", "Mon, Fri-Sun 22:00-02:00 UTC"),
        ("weekdays 22:00-24:00 UTC (if possible)", "Mon-Fri 22:00-00:00 UTC (if possible)"),
        ("02:00-05:00, preferably", "daily 02:00-05:00 UTC (if possible)"),
        ("every day 00:00-24:00 GMT", "daily 00:00-00:00 GMT"),
    ],
)
def test_a_window_is_read_and_said_in_canonical_words(text: str, said: str) -> None:
    assert read(text).say() == said
    assert read(said) == read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("low usage", "`low usage` names no times, expected `Tue-Thu 02:00-05:00`"),
        ("Someday 02:00-03:00", "`someday` is no day, expected `Mon` to `Sun`"),
        ("02:00-25:00", "`02:00-25:00` names a time that does not exist"),
        ("Tue 02:00-03:00 Mars/Olympus", "`Mars/Olympus` is no time zone that this machine knows"),
    ],
)
def test_what_says_no_window_says_what_was_expected(text: str, why: str) -> None:
    with pytest.raises(NotUnderstood, match="no") as caught:
        read(text)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-07-21T00:59", False),  # 01:59 in London
        ("2026-07-21T01:00", True),
        ("2026-07-21T03:59", True),
        ("2026-07-21T04:00", False),  # the end is not part of it
        ("2026-12-01T01:30", False),  # in winter the same window begins an hour later
        ("2026-12-01T02:00", True),
        ("2026-12-04T02:30", False),  # a Friday
    ],
)
def test_a_window_is_open_by_the_clock_of_its_place(at: str, open_: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (read(LONDON).closed(moment) is None) is open_


def test_over_midnight_it_belongs_to_the_day_on_which_it_begins() -> None:
    window = read("Mon-Fri 22:00-02:00 UTC")
    assert window.closed(datetime(2026, 7, 25, 1, 0, tzinfo=UTC)) is None  # Saturday, since Friday
    assert window.closed(datetime(2026, 7, 26, 1, 0, tzinfo=UTC)) is not None
    assert window.opens(datetime(2026, 7, 26, 1, 0, tzinfo=UTC)) == datetime(
        2026, 7, 27, 22, 0, tzinfo=UTC
    )


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    window = read("Sun 01:00-02:00 Europe/London")
    for hour in (0, 1):  # 25 October 2026: 01:30 BST and 01:30 GMT
        assert window.closed(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) is None


def test_what_takes_longer_than_is_left_may_not_begin() -> None:
    at = datetime(2026, 7, 21, 3, 50, tzinfo=UTC)
    assert read(LONDON).closed(at, timedelta(minutes=10)) is None
    why = read(LONDON).closed(at, timedelta(minutes=11))
    assert why == "the window closes in 10 min, and it takes longer"
    assert read(LONDON).opens(at, timedelta(minutes=11)) == datetime(2026, 7, 22, 1, 0, tzinfo=UTC)


def test_a_freeze_counts_in_whole_days_of_the_place() -> None:
    calendar = Calendar(
        read("daily 00:00-24:00").slots,
        "Europe/London",
        freezes=(read_freeze("2026-07-21 to 2026-07-22: sale"),),
    )
    assert calendar.closed(datetime(2026, 7, 20, 22, 59, tzinfo=UTC)) is None
    why = calendar.closed(datetime(2026, 7, 20, 23, 0, tzinfo=UTC))
    assert why == "releases are frozen: 2026-07-21 to 2026-07-22: sale"
    end = datetime(2026, 7, 22, 23, 0, tzinfo=UTC)
    assert calendar.opens(datetime(2026, 7, 21, 12, 0, tzinfo=UTC)) == end


def test_a_freeze_without_a_window_ends_at_midnight() -> None:
    calendar = Calendar(zone="Europe/London", freezes=(read_freeze("2026-07-21"),))
    end = datetime(2026, 7, 21, 23, 0, tzinfo=UTC)
    assert calendar.opens(datetime(2026, 7, 21, 9, 0, tzinfo=UTC)) == end


@pytest.mark.parametrize("text", ["year end", "2026-12-40", "2026-12-18 to 2026-12-01"])
def test_what_names_no_days_is_no_freeze(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_freeze(text)


def test_a_window_that_never_opens_is_said_so() -> None:
    never = Calendar(read("Tue 02:00-02:30").slots)
    assert never.opens(SUMMER, timedelta(hours=1)) is None


@given(at=MOMENTS, minutes=st.integers(1, 300))
def test_it_may_begin_when_it_opens_and_not_a_minute_before(at: datetime, minutes: int) -> None:
    window, lasting = (
        read("Tue-Thu 02:00-05:00 or Sun 22:00-03:00 Europe/London"),
        timedelta(minutes=minutes),
    )
    opens = window.opens(at, lasting)
    assert opens is not None
    assert opens >= at
    assert window.closed(opens, lasting) is None
    if opens > at:
        before = max(at, opens - timedelta(minutes=1))
        assert window.closed(before, lasting) is not None
