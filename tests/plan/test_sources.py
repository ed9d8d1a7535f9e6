from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.codes import CODES
from gonogo.errors import Diagnostic, Severity
from gonogo.plan.model import Metric
from gonogo.plan.samples import Yields
from gonogo.plan.sources import KINDS, Source, SqlSource, keys_of
from gonogo.plan.sources_read import read_metric
from gonogo.source import Span

TARGETS = ("app", "db", "cache", "prom")
ROWS = {"sql": "db", "rows": "SELECT 1", "at": "t"}
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def read(**fields: object) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    return read_metric(Metric("figure", fields, Span.of_line(7)), TARGETS)


@pytest.mark.parametrize(
    ("fields", "yields", "unit"),
    [
        ({"log": "a.log", "value": "took", "unit": "msec"}, Yields.SAMPLES, "ms"),
        ({"log": "a.log", "ratio": "status >= 500"}, Yields.SHARE, "%"),
        ({"log": "a.log", "count": True}, Yields.AMOUNT, "lines"),
        ({"log": "a.log", "count": True, "unit": "errors"}, Yields.AMOUNT, "errors"),
        ({"log": "a.log", "value": "r", "unit": "fraction"}, Yields.SAMPLES, "%"),
        ({"http": "{{app}}/"}, Yields.SAMPLES, "ms"),
        ({"http": "{{app}}/", "value": "failures"}, Yields.SHARE, "%"),
        ({"sql": "db", "query": "SELECT 1", "unit": "jobs"}, Yields.SAMPLES, "jobs"),
        ({"sql": "db", "query": "SELECT 1", "stat": "P95", "unit": "s"}, Yields.GIVEN, "s"),
        ({"sql": "db", "query": "SELECT 1, 2", "delta": True}, Yields.SHARE, "%"),
        ({"sql": "db", "query": "SELECT 1 a", "delta": True, "value": "a"}, Yields.AMOUNT, ""),
        ({"sql": "db", "query": "SELECT 1", "hits": "a", "misses": "b"}, Yields.SAMPLES, "%"),
        ({**ROWS, "value": "v"}, Yields.GIVEN, ""),
        (
            {"sql": "db", "rows": "SELECT 1", "at": "t", "hits": "e", "total": "n"},
            Yields.SHARE,
            "%",
        ),
        ({"redis": "cache", "hits": "a", "misses": "b"}, Yields.SHARE, "%"),
        ({"redis": "cache", "value": "used_memory", "unit": "B"}, Yields.SAMPLES, "B"),
        ({"redis": "cache", "command": "LLEN jobs", "unit": "jobs"}, Yields.SAMPLES, "jobs"),
        ({"redis": "cache", "value": "evicted_keys", "delta": True}, Yields.AMOUNT, ""),
        ({"prometheus": "prom", "query": "up"}, Yields.SAMPLES, ""),
        ({"prometheus": "prom", "query": "x", "stat": "p99", "unit": "s"}, Yields.GIVEN, "s"),
        ({"host": "cpu"}, Yields.SAMPLES, "%"),
        ({"host": "disk free", "path": "/var"}, Yields.SAMPLES, "B"),
        ({"command": "wc -l x", "unit": "jobs/min"}, Yields.SAMPLES, "jobs/min"),
    ],
)
def test_reads_a_source(fields: dict[str, object], yields: Yields, unit: str) -> None:
    source, diagnostics = read(**fields)
    assert diagnostics == ()
    assert source is not None
    assert (source.yields, source.unit) == (yields, unit)
    assert source.describe()


def test_a_share_that_is_no_counter_is_a_gauge() -> None:
    source, _ = read(sql="db", query="SELECT 1", hits="a", misses="b")
    assert isinstance(source, SqlSource)
    assert source.is_share


def test_the_words_of_the_beat_and_the_least_samples() -> None:
    fields = {"every": "1 min", "Minimum_Samples": 50, "timeout": "500ms"}
    source, diagnostics = read(log="a", value="v", **fields)
    assert diagnostics == ()
    assert source is not None
    assert (source.every_s, source.timeout_s, source.minimum_samples) == (60, 0.5, 50)


LOG = {"log": "a.log", "value": "took"}
SQL = {"sql": "db", "query": "SELECT 1"}


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({}, "GN360", "names no source"),
        ({"lgo": "a"}, "GN360", "did you mean `log`"),
        ({"log": "a", "sql": "db"}, "GN361", "`log` and `sql`"),
        ({**LOG, "evry": "5s"}, "GN362", "did you mean `every`"),
        ({**LOG, "query": "x"}, "GN362", "belongs to `sql` and `prometheus`"),
        ({**LOG, "every": "5"}, "GN363", "expected a duration"),
        ({**LOG, "log": "logs/*.log"}, "GN363", "expected one file"),
        ({**LOG, "every": 5}, "GN363", "expected a duration"),
        ({**LOG, "every": "10ms"}, "GN363", "1 s to 1 d"),
        ({**LOG, "minimum samples": "many"}, "GN363", "a whole number"),
        ({**LOG, "minimum samples": -1}, "GN363", "a whole number"),
        ({**LOG, "begin": "middle"}, "GN363", "`end` or `beginning`"),
        ({**LOG, "own traffic": "maybe"}, "GN363", "`true` or `false`"),
        ({"log": "", "value": "x"}, "GN363", "expected a text"),
        ({"log": ["a"], "value": "x"}, "GN363", "expected a text"),
        ({"log": "a"}, "GN364", "`value`, `ratio` or `count`"),
        ({**LOG, "ratio": "a = 1"}, "GN365", "do not go together"),
        ({**LOG, "format": "json", "pattern": "x"}, "GN365", "do not go together"),
        ({"log": "a", "ratio": "status >> 5"}, "GN367", "stands where a value is expected"),
        ({"log": "a", "ratio": 5}, "GN363", "expected a comparison"),
        ({**LOG, "where": "status"}, "GN367", "a comparison is expected"),
        ({**LOG, "exclude": ["a = 1", "b"]}, "GN367", "a comparison is expected"),
        ({**LOG, "format": "combind"}, "GN368", "no format of a log"),
        ({**LOG, "pattern": r"(?P<took>(\d+)+)"}, "GN368", "repeats a group"),
        ({**LOG, "pattern": r"\d+"}, "GN368", "no named group"),
        ({**LOG, "pattern": r"(?P<tok>\d+)"}, "GN367", "did you mean `tok`"),
        ({**LOG, "format": "combined"}, "GN367", "have no `took`"),
        ({**LOG, "format": "$a$b"}, "GN368", "nothing between them"),
        ({**LOG, "unit": "mss"}, "GN369", "did you mean `ms`"),
        ({**LOG, "unit": "%%"}, "GN369", "no known unit"),
        ({"log": "a", "ratio": "a = 1", "unit": "ms"}, "GN369", "gives `%` here"),
        ({"http": "app/"}, "GN363", "write `{{app}}/…`"),
        ({"http": "{{app}}/", "value": "speed"}, "GN363", "`latency` or `failures`"),
        ({"http": "{{app}}/", "ratio": "status > 499"}, "GN365", "value: failures"),
        ({"http": "{{app}}/", "success": "body = ok"}, "GN367", "an answer has no `body`"),
        ({"http": "{{app}}/", "headers": {"a b": "c"}}, "GN363", "name of a header"),
        ({"http": "{{app}}/", "headers": {"a": "c\nd"}}, "GN363", "name of a header"),
        ({"http": "{{app}}/", "headers": "a: b"}, "GN363", "a list of `name: value`"),
        ({"sql": "db"}, "GN364", "`query` or `rows`"),
        ({"sql": "bd", "query": "SELECT 1"}, "GN366", "no target is named `bd`"),
        ({"sql": "dbb", "query": "SELECT 1"}, "GN366", "did you mean `db`?"),
        ({"sql": "db", "query": "DELETE FROM x"}, "GN363", "one statement that only looks"),
        ({"sql": "db", "query": "SELECT 1; SELECT 2"}, "GN363", "one statement"),
        ({**SQL, "hits": "a"}, "GN364", "`total` is missing"),
        ({**SQL, "misses": "a"}, "GN364", "`hits` is missing"),
        ({**SQL, "hits": "a", "total": "b", "misses": "c"}, "GN365", "do not go together"),
        ({**SQL, "hits": "a", "total": "b", "value": "c"}, "GN365", "needs no value"),
        ({**SQL, "at": "t"}, "GN365", "it is for `rows`"),
        ({**SQL, "rows": "SELECT 1"}, "GN365", "do not go together"),
        ({**SQL, "stat": "p9x"}, "GN363", "a statistic such as"),
        ({"sql": "db", "rows": "SELECT 1"}, "GN364", "`at` is missing beside `rows`"),
        (
            {"sql": "db", "rows": "SELECT 1", "at": "t", "value": "v", "delta": True},
            "GN365",
            "once",
        ),
        ({"redis": "cache"}, "GN364", "`value`, `hits` or `command`"),
        ({"redis": "cache", "command": "FLUSHALL"}, "GN363", "a command that only looks"),
        ({"redis": "cache", "value": "a", "total": "b"}, "GN364", "`hits` is missing"),
        ({"prometheus": "prom"}, "GN364", "`query` is missing"),
        ({"host": "dsk"}, "GN363", "did you mean `disk`"),
        ({"host": "cpu", "path": "/"}, "GN365", "has no path"),
        ({"host": "cpu", "unit": "ms"}, "GN369", "gives `%` here"),
        ({"command": ""}, "GN363", "expected a text"),
    ],
)
def test_says_what_is_wrong(fields: dict[str, object], code: str, said: str) -> None:
    source, diagnostics = read(**fields)
    assert source is None
    found = [d for d in diagnostics if d.code == code and said in f"{d.message} {d.hint}"]
    assert found, diagnostics
    assert found[0].span == Span.of_line(7)
    assert found[0].severity is Severity.ERROR


def test_says_all_mistakes_at_once() -> None:
    fields = {"every": 5, "where": "status", "unit": "mss", "colour": "red"}
    _, diagnostics = read(**LOG, **fields)
    assert {d.code for d in diagnostics} == {"GN362", "GN363", "GN367", "GN369"}


def test_hints_at_the_unit_in_the_name_of_a_field() -> None:
    source, (warning,) = read(log="a", value="duration_ms")
    assert source is not None
    assert (warning.code, warning.severity) == ("GN369", Severity.WARNING)
    assert warning.hint == "write `unit: ms`"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(sorted({key for kind in KINDS for key in keys_of(kind)}))


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_entry_is_a_source_or_has_mistakes(fields: dict[str, object]) -> None:
    source, diagnostics = read(**fields)
    errors = [d for d in diagnostics if d.severity is Severity.ERROR]
    assert (source is None) == bool(errors)
    assert {d.code for d in diagnostics} <= set(CODES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_key_is_on_the_page(kind: type[Source]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.split(f"## `{kind.kind}`", 1)[1].split("\n## ", 1)[0]
    common = text.split("## What every source may say", 1)[1].split("\n## ", 1)[0]
    missing = [k for k in keys_of(kind) if f"`{k}`" not in section and f"`{k}`" not in common]
    assert missing == []


def test_decimals_of_yaml_are_read_as_written() -> None:
    _, diagnostics = read(log="a", value=Decimal("1.10"))
    assert diagnostics == ()
