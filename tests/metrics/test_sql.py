from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.metrics.logs import START_MS
from tests.metrics.reading import Source
from tests.support.kinds import Silent, closed_port

from gonogo.plan.samples import Flaw, Sample
from gonogo.services import Postgres

COUNTERS = "SELECT hits, lookups FROM cache_counters"


@pytest.fixture
def db(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE cache_counters (hits bigint, lookups bigint)")
        connection.execute("INSERT INTO cache_counters VALUES (1000, 2000)")
        connection.execute(
            "CREATE TABLE five_minutes "
            "(bucket timestamptz, p95_ms float8, errors int, requests int)"
        )
        yield connection


def counters(db: psycopg.Connection[Any], hits: int | None, lookups: int) -> None:
    db.execute("UPDATE cache_counters SET hits = %s, lookups = %s", (hits, lookups))


def a_query(folder: Path, database: str, **fields: object) -> Source:
    return Source(folder, {"db": database}, sql="db", **fields)


def test_a_gauge(tmp_path: Path, database: str) -> None:
    query = "SELECT 12.50::numeric AS depth, 'x' AS name"
    with a_query(tmp_path, database, query=query, value="depth", unit="jobs") as metric:
        assert metric.read(0).samples == [Sample(START_MS, Decimal("12.50"))]
        assert metric.read(30).since_ms == START_MS


def test_one_column_needs_no_name(tmp_path: Path, database: str) -> None:
    with a_query(tmp_path, database, query="SELECT 7", unit="jobs") as metric:
        assert [s.value for s in metric.read(0).samples] == [7]


def test_an_interval_is_turned_into_the_unit(tmp_path: Path, database: str) -> None:
    query = "SELECT interval '1.25 s'"
    with a_query(tmp_path, database, query=query, unit="ms") as metric:
        assert [s.value for s in metric.read(0).samples] == [Decimal(1250)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("NULL", Flaw.MISSING),
        ("'12'::text", Flaw.TEXT),
        ("true", Flaw.TEXT),
        ("'NaN'::float8", Flaw.NOT_FINITE),
        ("'Infinity'::float8", Flaw.NOT_FINITE),
        ("'-Infinity'::float8", Flaw.NOT_FINITE),
        ("'NaN'::numeric", Flaw.NOT_FINITE),
        ("-1", Flaw.NEGATIVE),
        ("'infinity'::timestamptz", Flaw.TEXT),
    ],
)
def test_what_is_no_measurement_is_bad_with_its_reason(
    tmp_path: Path, database: str, value: str, why: Flaw
) -> None:
    with a_query(tmp_path, database, query=f"SELECT {value} AS v", value="v") as metric:
        batch = metric.read(0)
    assert (batch.samples, batch.blind) == ([], None)
    assert [bad.why for bad in batch.bad] == [why]


def test_two_counters_give_the_share_of_what_they_grew(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True) as metric:
        assert metric.read(0).samples == []
        counters(db, 1030, 2100)
        assert metric.read(30).samples == [Sample(START_MS + 30_000, None, 30, 100)]
        assert metric.read(60).samples == []
        counters(db, 1031, 2102)
        metric.crash()
        assert metric.read(90).samples == [Sample(START_MS + 90_000, None, 1, 2)]


def test_a_counter_that_goes_back_begins_anew(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True) as metric:
        metric.read(0)
        counters(db, 5, 10)
        batch = metric.read(30)
        assert batch.samples == []
        assert batch.blind == "`hits` went back from 1000 to 5, so it was reset"
        counters(db, 6, 14)
        assert metric.read(60).samples == [Sample(START_MS + 60_000, None, 1, 4)]


def test_a_null_counter_is_bad_and_loses_nothing(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True) as metric:
        metric.read(0)
        counters(db, None, 2010)
        assert [bad.why for bad in metric.read(30).bad] == [Flaw.MISSING]
        counters(db, 1010, 2020)
        assert [(s.hits, s.total) for s in metric.read(60).samples] == [(10, 20)]


def test_more_hits_than_lookups_is_impossible(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True) as metric:
        metric.read(0)
        counters(db, 1010, 2001)
        assert [bad.why for bad in metric.read(30).bad] == [Flaw.IMPOSSIBLE]


def test_hits_and_misses(tmp_path: Path, database: str, db: psycopg.Connection[Any]) -> None:
    fields = {"query": "SELECT hits, lookups AS lost FROM cache_counters", "misses": "lost"}
    with a_query(tmp_path, database, hits="hits", delta=True, **fields) as metric:
        metric.read(0)
        counters(db, 1003, 2001)
        assert [(s.hits, s.total) for s in metric.read(30).samples] == [(3, 4)]


def test_one_counter_gives_an_amount(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True, value="hits") as metric:
        metric.read(0)
        counters(db, 1007, 2000)
        assert [s.value for s in metric.read(30).samples] == [Decimal(7)]
        assert [s.value for s in metric.read(60).samples] == [Decimal(0)]


def test_a_share_that_is_no_counter_is_a_gauge_in_percent(tmp_path: Path, database: str) -> None:
    query = "SELECT 3 AS failed, 8 AS jobs"
    with a_query(tmp_path, database, query=query, hits="failed", total="jobs") as metric:
        assert [s.value for s in metric.read(0).samples] == [Decimal("37.5")]


def test_a_share_of_nothing_is_no_share(tmp_path: Path, database: str) -> None:
    query = "SELECT 0 AS failed, 0 AS jobs"
    with a_query(tmp_path, database, query=query, hits="failed", total="jobs") as metric:
        assert [bad.why for bad in metric.read(0).bad] == [Flaw.MISSING]


def a_row(db: psycopg.Connection[Any], minute: int, p95: float | None, requests: int) -> None:
    at = f"2026-03-01 14:{minute:02}:00+00"
    db.execute("INSERT INTO five_minutes VALUES (%s, %s, 1, %s)", (at, p95, requests))


ROWS = {"rows": "SELECT * FROM five_minutes ORDER BY bucket DESC", "at": "bucket"}


def test_each_row_of_a_table_of_buckets_is_taken_once_when_it_is_complete(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    fields = {**ROWS, "value": "p95_ms", "count": "requests", "unit": "ms"}
    db.execute("INSERT INTO five_minutes VALUES ('2026-03-01 13:50+00', 1, 1, 1)")
    with a_query(tmp_path, database, **fields) as metric:
        assert metric.read(60).samples == []
        a_row(db, 0, 480.5, 900)
        a_row(db, 5, 9.0, 3)
        assert metric.read(310).samples == [Sample(START_MS, 480.5, samples=900)]
        metric.crash()
        assert metric.read(320).samples == []
        batch = metric.read(610)
        assert [(s.at_ms - START_MS, s.value) for s in batch.samples] == [(300_000, 9.0)]


def test_a_row_without_a_value_is_bad_once(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, **ROWS, value="p95_ms", unit="ms") as metric:
        metric.read(60)
        a_row(db, 0, None, 0)
        assert [(bad.at_ms, bad.why) for bad in metric.read(310).bad] == [(START_MS, Flaw.MISSING)]
        assert metric.read(320).bad == ()


def test_two_rows_for_one_time_are_bad(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, **ROWS, value="p95_ms", unit="ms") as metric:
        metric.read(60)
        a_row(db, 0, 1, 1)
        a_row(db, 0, 2, 1)
        batch = metric.read(310)
        assert (batch.samples, [bad.why for bad in batch.bad]) == ([], [Flaw.DOUBLE])


def test_rows_can_be_shares(tmp_path: Path, database: str, db: psycopg.Connection[Any]) -> None:
    with a_query(tmp_path, database, **ROWS, hits="errors", total="requests") as metric:
        metric.read(60)
        a_row(db, 0, 1, 50)
        assert metric.read(310).samples == [Sample(START_MS, None, 1, 50)]


@pytest.mark.parametrize(
    ("query", "fields", "said"),
    [
        ("SELECT 1 WHERE false", {}, "the query gives no row, expected one"),
        ("SELECT generate_series(1, 3)", {}, "the query gives 3 rows, expected one"),
        ("SELECT 1 AS a", {"value": "b"}, "the query gives no column `b`; it gives `a`"),
        ("SELECT 1, 2", {}, "the query gives 2 columns; say which one with `value`"),
        ("SELECT nothing", {}, 'column "nothing" does not exist'),
        ("SELECT pg_sleep(30)", {"timeout": "0.2s"}, "the query did not end within 0.2 s"),
        ("SELECT count(*) FROM made_up()", {}, "does not exist"),
        ("SELECT 1", {"delta": True}, "the query gives 1 column, expected hits and total"),
    ],
)
def test_a_query_that_gives_no_figure_is_blind_and_says_why(
    tmp_path: Path, database: str, query: str, fields: dict[str, object], said: str
) -> None:
    with a_query(tmp_path, database, query=query, **fields) as metric:
        batch = metric.read(0)
        assert batch.samples == []
        assert said in (batch.blind or "")


def test_a_function_that_writes_is_refused(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    db.execute(
        "CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS "
        "'UPDATE cache_counters SET hits = 0 RETURNING 1'"
    )
    with a_query(tmp_path, database, query="SELECT sly()") as metric:
        assert metric.read(0).blind == "the query changes something, which a metric may not"
    assert db.execute("SELECT hits FROM cache_counters").fetchone() == (1000,)


def test_a_lost_connection_is_opened_anew(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    with a_query(tmp_path, database, query=COUNTERS, delta=True) as metric:
        metric.read(0)
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        counters(db, 1001, 2002)
        assert [(s.hits, s.total) for s in metric.read(30).samples] == [(1, 2)]


def test_a_server_that_dies_is_blind_and_then_read_again(tmp_path: Path) -> None:
    with (
        Postgres.start() as server,
        a_query(tmp_path, server.url(), query="SELECT 1") as metric,
    ):
        assert metric.read(0).blind is None
        server.kill()
        pause = threading.Event()
        for _ in range(500):  # a process of the server may outlive it for a moment
            batch = metric.read(30)
            if batch.blind:
                break
            pause.wait(0.02)
        assert batch.samples == []
        assert "connection refused" in (batch.blind or "")
        assert metric.read(60).blind is not None
        server.restart()
        batch = metric.read(90)
        assert (batch.blind, [s.value for s in batch.samples]) == (None, [1])


def test_a_server_that_is_away_is_blind_and_its_password_is_not_said(tmp_path: Path) -> None:
    address = f"postgresql://ana:hunter2secret@127.0.0.1:{closed_port()}/shop"
    with a_query(tmp_path, address, query="SELECT 1") as metric:
        said = metric.read(0).blind or ""
        assert "connection refused" in said
        assert "hunter2secret" not in said


def test_a_server_that_says_nothing_is_blind_in_time(tmp_path: Path, silent: Silent) -> None:
    address = f"postgresql://ana@127.0.0.1:{silent.port}/shop"
    with a_query(tmp_path, address, query="SELECT 1", timeout="0.2s") as metric:
        assert "does not answer in time" in (metric.read(0).blind or "")


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    with a_query(tmp_path, "no address", query="SELECT 1") as metric:
        assert metric.read(0).blind == "the target is no address of a PostgreSQL database"


def test_two_columns_of_one_name_are_hits_and_total(
    tmp_path: Path, database: str, db: psycopg.Connection[Any]
) -> None:
    query = "SELECT sum(hits), sum(lookups) FROM cache_counters"
    with a_query(tmp_path, database, query=query, delta=True) as metric:
        metric.read(0)
        counters(db, 1010, 2100)
        (sample,) = metric.read(30).samples
    assert (sample.hits, sample.total) == (10, 100)


def test_a_value_that_two_columns_have_is_blind(tmp_path: Path, database: str) -> None:
    query = "SELECT 5 AS jobs, 0 AS jobs"
    with a_query(tmp_path, database, query=query, value="jobs", unit="jobs") as metric:
        batch = metric.read(0)
    assert batch.samples == []
    assert "it gives `jobs (1)`, `jobs (2)`" in (batch.blind or "")


@pytest.mark.parametrize(
    "value",
    ["interval 'infinity'", "'1e99999999999999999999'::json", "repeat('[', 600)::text"],
)
def test_a_value_without_an_end_is_no_measurement(
    tmp_path: Path, database: str, value: str
) -> None:
    with psycopg.connect(database) as connection:
        if "interval" in value and connection.info.server_version < 170_000:
            pytest.skip("this PostgreSQL has no endless interval")
    with a_query(tmp_path, database, query=f"SELECT {value}", unit="s") as metric:
        batch = metric.read(0)
    assert (batch.samples, [bad.why for bad in batch.bad]) == ([], [Flaw.TEXT])


def test_text_of_another_encoding_is_blind(
    tmp_path: Path, database: str, strange_bytes: str
) -> None:
    with a_query(tmp_path, database, query=strange_bytes, value="v") as metric:
        assert "not UTF-8" in (metric.read(0).blind or "")


def test_an_answer_that_nobody_looks_at_is_blind(tmp_path: Path, database: str) -> None:
    query = "SELECT generate_series(1, 2000000000)"
    with a_query(tmp_path, database, query=query, unit="jobs") as metric:
        for second in (0, 30):
            assert metric.read(second).blind == "the query gives more than 100000 rows"
