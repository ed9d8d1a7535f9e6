from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.plan.log_times import epoch_ms, reader, text_ms

AT = 1_772_373_600_000  # 2026-03-01 14:00 UTC


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-03-01T14:00:00Z", AT),
        ("2026-03-01T14:00:00.123Z", AT + 123),
        ("2026-03-01T14:00:00.1239999999Z", AT + 123),
        ("2026-03-01 14:00:00,123", AT + 123),
        ("2026-03-01T15:00:00+01:00", AT),
        ("2026-03-01T15:00:00+0100", AT),
        ("2026-03-01T14:00:00+00", AT),
        ("2026-03-01 14:00:00 UTC", AT),
        ("01/Mar/2026:14:00:00 +0000", AT),
        ("[01/Mar/2026:09:00:00 -0500]", AT),
        ("01/Mar/2026:14:00:00.250 +0000", AT + 250),
        ("1772373600", AT),
        ("1772373600.001", AT + 1),
        ("1772373600001", AT + 1),
        ("2026-03-01", None),
        ("14:00:00", None),
        ("yesterday", None),
        ("", None),
        ("32/Mar/2026:14:00:00 +0000", None),
        ("01/Foo/2026:14:00:00 +0000", None),
        ("2026-13-01T14:00:00Z", None),
        ("9" * 40, None),
        ("x" * 1000, None),
        ("infinity", None),
    ],
)
def test_reads_the_times_that_logs_use(text: str, ms: int | None) -> None:
    assert text_ms(text) == ms


@pytest.mark.parametrize(
    ("number", "ms"),
    [
        (AT // 1000, AT),
        (AT / 1000 + 0.001, AT + 1),
        (AT, AT),
        (AT * 1000, AT),
        (AT * 1_000_000, AT),
        (12, None),
        (-5, None),
        (float("nan"), None),
        (1e30, None),
    ],
)
def test_tells_the_unit_of_an_epoch_by_its_size(number: float, ms: int | None) -> None:
    assert epoch_ms(number) == ms


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - the zone comes next
    st.integers(-14 * 60, 14 * 60),
)
def test_never_moves_a_time_into_the_next_millisecond(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    exact = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert text_ms(aware.isoformat()) == exact
    clf = aware.strftime("%d/%b/%Y:%H:%M:%S %z")
    assert text_ms(clf) == exact - exact % 1000


@given(st.lists(st.sampled_from(["2026-03-01T14:00:00Z", "x", "1772373601"]), max_size=200))
def test_remembering_changes_nothing(texts: list[str]) -> None:
    read = reader()
    assert [read(text) for text in texts] == [text_ms(text) for text in texts]


@pytest.mark.parametrize("value", [None, True, [], {}, b"2026"])
def test_other_values_are_no_time(value: object) -> None:
    assert reader()(value) is None
