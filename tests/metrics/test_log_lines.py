from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.metrics.logs import START, START_MS, a_source
from tests.support.kinds import a_context

from gonogo.metrics.log import LogReader
from gonogo.plan.samples import Batch, Flaw
from gonogo.plan.sources import LogSource


class Reading:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.log"
        self.open: list[LogReader] = []

    def __call__(self, lines: list[str], **fields: object) -> Batch:
        self.path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        source = a_source({"log": "app.log", "begin": "beginning", **fields})
        assert isinstance(source, LogSource)
        reader = LogReader(source, a_context(self.path.parent))
        self.open.append(reader)
        return reader.read(START + timedelta(hours=1))


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    made = Reading(tmp_path)
    yield made
    for reader in made.open:
        reader.close()


def a_line(second: float = 0, **fields: object) -> str:
    at = START + timedelta(seconds=second)
    return json.dumps({"time": at.isoformat(), **fields})


CLF = '10.0.0.1 - - [01/Mar/2026:14:00:{:02}.5 +0000] "{}" {} 512 "-" "{}"'


def test_the_time_of_the_line_decides(reading: Reading) -> None:
    batch = reading([a_line(3, ms=12.5), a_line(1.25, ms=7)], value="ms", unit="ms")
    assert [(s.at_ms - START_MS, s.value) for s in batch.samples] == [(3000, 12.5), (1250, 7)]


def test_a_line_without_a_time_has_the_time_of_reading(reading: Reading) -> None:
    batch = reading(['{"ms": 5}'] * 20, value="ms", unit="ms")
    assert {s.at_ms - START_MS for s in batch.samples} == {3_600_000}
    assert batch.notes == ("the lines have no time, so the time of reading is taken",)


def test_a_time_that_cannot_be_read_is_bad_and_not_guessed(reading: Reading) -> None:
    batch = reading(['{"time": "soon", "ms": 5}', a_line(ms=6)], value="ms", unit="ms")
    assert [s.value for s in batch.samples] == [6]
    assert [bad.why for bad in batch.bad] == [Flaw.NO_TIME]


def test_a_named_time_is_the_only_one(reading: Reading) -> None:
    line = json.dumps({"time": "2020-01-01T00:00:00Z", "end": START_MS + 7, "ms": 1})
    batch = reading([line, '{"ms": 2}'], value="ms", unit="ms", time="end")
    assert [s.at_ms - START_MS for s in batch.samples] == [7]
    assert [bad.why for bad in batch.bad] == [Flaw.NO_TIME]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("null", Flaw.MISSING),
        ('"fast"', Flaw.TEXT),
        ("true", Flaw.TEXT),
        ("[1]", Flaw.TEXT),
        ("NaN", Flaw.NOT_FINITE),
        ("Infinity", Flaw.NOT_FINITE),
        ("-1", Flaw.NEGATIVE),
        ('"-1"', Flaw.NEGATIVE),
        ('"nan"', Flaw.NOT_FINITE),
        ('"sNaN"', Flaw.NOT_FINITE),
        ('"1_000"', Flaw.TEXT),
        ("1" + "0" * 400, Flaw.TOO_LONG),
        ('"12 kg"', Flaw.TEXT),
    ],
)
def test_what_is_no_measurement_is_bad_with_its_reason(
    reading: Reading, written: str, why: Flaw
) -> None:
    at = START.isoformat()
    batch = reading([f'{{"time": "{at}", "ms": {written}}}'], value="ms", unit="ms")
    assert batch.samples == []
    assert [(bad.at_ms, bad.why, bad.number) for bad in batch.bad] == [(START_MS, why, 1)]


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ('"12.5ms"', "ms", "12.5"),
        ('"1.5s"', "ms", "1500"),
        ('"250 µs"', "ms", "0.25"),
        ('"0.125"', "s", "0.125"),
        ("0.1", "s", "0.1"),
        ('"2 KiB"', "B", "2048"),
    ],
)
def test_texts_with_a_unit_are_turned_exactly(
    reading: Reading, written: str, unit: str, value: str
) -> None:
    batch = reading([f'{{"ms": {written}}}'], value="ms", unit=unit)
    assert [Decimal(str(s.value)) for s in batch.samples] == [Decimal(value)]


def test_a_fraction_becomes_percent_and_more_than_one_is_impossible(reading: Reading) -> None:
    lines = ['{"r": 0.07}', '{"r": 1}', '{"r": 1.2}']
    batch = reading(lines, value="r", unit="fraction")
    assert [s.value for s in batch.samples] == [Decimal(7), Decimal(100)]
    assert [bad.why for bad in batch.bad] == [Flaw.IMPOSSIBLE]


def test_a_share_counts_hits_and_lines_by_second(reading: Reading) -> None:
    lines = [a_line(n / 2, status=500 if n == 3 else 200) for n in range(6)]
    batch = reading(lines, ratio="status >= 500")
    assert [((s.at_ms - START_MS), s.hits, s.total) for s in batch.samples] == [
        (0, 0, 2),
        (1000, 1, 2),
        (2000, 0, 2),
    ]


def test_a_line_that_does_not_tell_is_no_success(reading: Reading) -> None:
    batch = reading([a_line(status=200), a_line(level="info")], ratio="status >= 500")
    assert [(s.hits, s.total) for s in batch.samples] == [(0, 1)]
    assert [bad.why for bad in batch.bad] == [Flaw.MISSING]


def test_lines_can_be_counted(reading: Reading) -> None:
    lines = [a_line(0, level="error"), a_line(0, level="info"), a_line(9, level="error")]
    batch = reading(lines, count=True, where="level = error")
    assert [((s.at_ms - START_MS), s.value) for s in batch.samples] == [(0, 1), (9000, 1)]


def test_where_and_exclude_choose_lines(reading: Reading) -> None:
    lines = [
        a_line(path="/api/search", ms=1, tenant="a"),
        a_line(path="/health", ms=2),
        a_line(path="/api/search", ms=3, tenant="load-test"),
        a_line(ms=4),
    ]
    batch = reading(
        lines, value="ms", unit="ms", where="path startswith /api", exclude="tenant = load-test"
    )
    assert [s.value for s in batch.samples] == [1]


@pytest.mark.parametrize("field", ["user_agent", "http_user_agent", "user-agent", "ua"])
@pytest.mark.parametrize("agent", ["gonogo", "gonogo/1.2.3"])
def test_the_requests_of_gonogo_itself_are_left_out(
    reading: Reading, field: str, agent: str
) -> None:
    lines = [a_line(ms=1, **{field: agent}), a_line(ms=2, **{field: "gonogoose/1"})]
    assert [s.value for s in reading(lines, value="ms", unit="ms").samples] == [2]
    kept = reading(lines, value="ms", unit="ms", **{"own traffic": True})
    assert [s.value for s in kept.samples] == [1, 2]


def test_a_field_inside_a_field(reading: Reading) -> None:
    line = a_line(res={"time_ms": 8, "code": 200}, req={"url": "/x"})
    batch = reading([line], value="res.time_ms", unit="ms", where="res.code = 200 and req.url = /x")
    assert [s.value for s in batch.samples] == [8]


def test_a_field_that_never_comes_is_named_with_the_nearest(reading: Reading) -> None:
    batch = reading([a_line(duration_ms=1)] * 30, value="duraton_ms", unit="ms")
    assert batch.samples == []
    assert batch.blind == "no line has a field `duraton_ms`"
    assert "did you mean `duration_ms`?" in batch.notes[0]
    assert batch.bad_count == 30


def test_names_of_fields_of_any_length_are_said_in_short(reading: Reading) -> None:
    line = a_line(**{f"{letter * 50_000}": 1 for letter in "abcdef"})
    batch = reading([line] * 30, value="duration_ms", unit="ms")
    assert "duration_ms" in batch.notes[0]
    assert len(batch.notes[0]) < 1_000


def test_a_log_of_requests_without_a_user_agent_is_remarked(reading: Reading) -> None:
    batch = reading([a_line(status=200)] * 20, ratio="status >= 500")
    assert "gonogo's own are counted" in batch.notes[0]


def test_combined(reading: Reading) -> None:
    lines = [
        CLF.format(1, "GET /api/a?q=1 HTTP/1.1", 200, "Mozilla"),
        CLF.format(1, "GET /api/b HTTP/1.1", 502, 'say \\"hi\\"'),
        CLF.format(1, "GET /api/b HTTP/1.1", 500, "gonogo/0.1"),
        CLF.format(2, "\\x16\\x03\\x01", 400, "-"),
        CLF.format(3, "GET /home HTTP/1.1", 500, "Mozilla"),
        "garbage",
    ]
    batch = reading(lines, format="combined", ratio="status >= 500", where="path startswith /api")
    assert [(s.at_ms - START_MS, s.hits, s.total) for s in batch.samples] == [(1000, 1, 2)]
    assert [bad.why for bad in batch.bad] == [Flaw.UNREADABLE]


def test_common_and_a_user_with_a_blank(reading: Reading) -> None:
    line = '::1 - ana maria [01/Mar/2026:15:00:01 +0100] "GET / HTTP/1.0" 200 -'
    batch = reading([line], format="common", ratio="status = 200")
    assert [(s.at_ms - START_MS, s.hits) for s in batch.samples] == [(1000, 1)]


def test_nginx_with_request_time(reading: Reading) -> None:
    line = CLF.format(1, "GET / HTTP/1.1", 200, "Mozilla")
    lines = [f"{line} 0.125", f'{line} "10.1.1.1" 0.250', line, f"{line} -"]
    batch = reading(lines, format="nginx", value="request_time", unit="s")
    assert [s.value for s in batch.samples] == [Decimal("0.125"), Decimal("0.250")]
    assert [(bad.why, bad.number) for bad in batch.bad] == [(Flaw.MISSING, 2)]


def test_an_nginx_log_format(reading: Reading) -> None:
    form = (
        '$remote_addr [$time_local] "$request" $status $body_bytes_sent '
        'rt=$request_time urt=$upstream_response_time "$http_user_agent"'
    )
    start = '10.0.0.1 [01/Mar/2026:14:00:01 +0000] "GET /a HTTP/1.1" 200 3'
    lines = [
        f'{start} rt=0.300 urt=0.100, 0.200 "Mozilla/5.0 (X11)"',
        f'{start} rt=0.400 urt=- "gonogo/1.0"',
    ]
    batch = reading(lines, format=form, value="request_time", unit="s", where="path = /a")
    assert [s.value for s in batch.samples] == [Decimal("0.300")]


def test_a_pattern(reading: Reading) -> None:
    pattern = r"(?P<time>\S+) (?P<level>[A-Z]+) .* took (?P<took>[\d.]+ ?m?s)"
    lines = ["2026-03-01T14:00:02Z INFO GET /a took 12.5ms", "2026-03-01T14:00:02Z DEBUG hello"]
    batch = reading(lines, pattern=pattern, value="took", unit="ms")
    assert [(s.at_ms - START_MS, s.value) for s in batch.samples] == [(2000, Decimal("12.5"))]
    assert batch.bad_count == 1


@pytest.mark.parametrize("line", ["[1, 2]", "7", '"x"', '{"a": 1} {"b": 2}', '{"a": 1', "{" * 9999])
def test_a_line_that_is_no_object_is_bad(reading: Reading, line: str) -> None:
    batch = reading([line], value="a", unit="ms")
    assert batch.samples == []
    assert [bad.why for bad in batch.bad] == [Flaw.UNREADABLE]


def test_blank_lines_and_line_ends_of_windows_are_nothing(reading: Reading) -> None:
    batch = reading(["", "  ", '{"a": 1}\r'], value="a", unit="ms")
    assert [s.value for s in batch.samples] == [1]
    assert batch.bad == ()


PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b'{"ms": 1}', b'{"ms": "\\ud800", "time": "\\ud800"}', b'{"time": 1e999}']),
    st.integers().map(lambda n: b'{"ms": %d, "time": %d}' % (n, n)),
    st.text(max_size=9).map(lambda text: json.dumps({"ms": text, "time": text}).encode()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES.map(lambda piece: piece.replace(b"\n", b"")), max_size=12))
@pytest.mark.parametrize("form", ["json", "combined", "nginx"])
def test_any_bytes_are_samples_or_bad_and_nothing_is_raised(form: str, lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.log").write_bytes(b"".join(line + b"\n" for line in lines))
        field = "ms" if form == "json" else "status"
        fields = {"log": "app.log", "begin": "beginning", "format": form, "value": field}
        source = a_source(fields)
        assert isinstance(source, LogSource)
        reader = LogReader(source, a_context(folder))
        batch = reader.read(START)
        reader.close()
    blank = sum(1 for line in lines if not line.decode("utf-8", "replace").strip())
    assert len(batch.samples) + batch.bad_count == len(lines) - blank
