"""SQL blocks against a real PostgreSQL."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from tests.support.kinds import StopAfter, a_context

from gonogo.actions.sql import Sql
from gonogo.errors import Severity, WorkError
from gonogo.plan.kinds import Datum, Effect, Observation, Role
from gonogo.plan.units import Quantity

VALUES: dict[str, Datum] = {
    "1": 1,
    "1.10::numeric": Decimal("1.10"),
    "0.1::float8": 0.1,
    "'x'::text": "x",
    "true": True,
    "NULL": None,
    "timestamptz '2026-01-02 03:04:05+00'": "2026-01-02T03:04:05+00",
    "date '2026-01-02'": "2026-01-02",
    "'infinity'::timestamptz": "infinity",
    "interval '1 day 0.5 seconds'": Quantity(Decimal("86400.5"), "s"),
    """'{"a": [1, 0.10, null]}'::jsonb""": {"a": [1, Decimal("0.10"), None]},
    "ARRAY[1, 2]": [1, 2],
    "'\\x00ff'::bytea": "\\x00ff",
    "int4range(1, 3)": "[1, 3)",
    "123456789012345678901234567890::numeric": Decimal(123456789012345678901234567890),
}


def check(url: str, folder: Path, text: str, **variables: str) -> Observation:
    context = a_context(folder, targets={"db": url}, variables=variables)
    return Sql(text).perform(context)


def act(url: str, folder: Path, text: str, **variables: str) -> Observation:
    context = a_context(folder, targets={"db": url}, variables=variables, effect=Effect.ACTION)
    return Sql(text).perform(context)


def test_values_keep_their_type_and_their_last_digit(database: str, tmp_path: Path) -> None:
    columns = ", ".join(f"{text} AS c{n}" for n, text in enumerate(VALUES))
    seen = check(database, tmp_path, f"SET timezone = 'UTC'; SELECT {columns}")
    assert seen.rows is not None
    assert list(seen.rows[0].values()) == list(VALUES.values())


def test_rows_and_value_are_those_of_the_last_statement_that_has_rows(
    database: str, tmp_path: Path
) -> None:
    seen = check(
        database, tmp_path, "SELECT 1; SELECT n, 'a' AS t FROM generate_series(7, 9) n; SET a.b = 1"
    )
    assert seen.indicators["rows"] == 3
    assert seen.indicators["value"] == 7
    assert seen.rows == [{"n": 7, "t": "a"}, {"n": 8, "t": "a"}, {"n": 9, "t": "a"}]
    assert seen.indicators["statements"] == 3


def test_an_empty_result_has_no_rows_and_a_null_value(database: str, tmp_path: Path) -> None:
    seen = check(database, tmp_path, "SELECT 1 WHERE false")
    assert (seen.rows, seen.indicators["rows"], seen.indicators["value"]) == ([], 0, None)


def test_a_check_cannot_write_not_even_through_a_function(database: str, tmp_path: Path) -> None:
    act(
        database,
        tmp_path,
        "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql"
        " BEGIN ATOMIC INSERT INTO t VALUES (1) RETURNING 1; END",
    )
    with pytest.raises(WorkError, match="read-only") as caught:
        check(database, tmp_path, "SELECT f()")
    assert "kind: action" in caught.value.hint
    assert not caught.value.failed
    assert check(database, tmp_path, "SELECT count(*) FROM t").indicators["value"] == 0


def test_an_action_sends_one_statement_after_the_other_and_commits_each(
    database: str, tmp_path: Path
) -> None:
    text = "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); VACUUM t; nonsense; DROP TABLE t"
    with pytest.raises(WorkError, match=r"statement 4 of 5: syntax error") as caught:
        act(database, tmp_path, text)
    assert caught.value.failed
    assert "statements 1 to 3 stay done" in caught.value.message
    assert check(database, tmp_path, "SELECT count(*) FROM t").indicators["value"] == 2


def test_an_action_counts_what_it_changed_and_hears_notices(database: str, tmp_path: Path) -> None:
    seen = act(
        database,
        tmp_path,
        "DROP TABLE IF EXISTS gone; CREATE TABLE t (a int);"
        "INSERT INTO t VALUES (1), (2) RETURNING a;"
        "DO $$ BEGIN RAISE WARNING 'look; here'; END $$",
    )
    assert seen.indicators["affected"] == 2
    notices = str(seen.indicators["notices"]).splitlines()
    assert notices == ['NOTICE: table "gone" does not exist, skipping', "WARNING: look; here"]


def test_transactions_of_the_author_are_kept(database: str, tmp_path: Path) -> None:
    act(database, tmp_path, "CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1); ROLLBACK")
    assert check(database, tmp_path, "SELECT count(*) FROM t").indicators["value"] == 0


HOSTILE = "x'; DROP TABLE t; --"
FILLED = {
    "SELECT '${V}'": HOSTILE,
    "SELECT E'${V}\\n'": HOSTILE + "\n",
    "SELECT 'a ${V} {{V}}'": f"a {HOSTILE} {HOSTILE}",
    'SELECT 1 AS "${V}"': 1,
}


@pytest.mark.parametrize("text", FILLED)
def test_a_value_never_becomes_a_statement(text: str, database: str, tmp_path: Path) -> None:
    act(database, tmp_path, "CREATE TABLE t (a int)")
    seen = act(database, tmp_path, text, V=HOSTILE)
    assert seen.indicators["value"] == FILLED[text]
    assert check(database, tmp_path, "SELECT to_regclass('t') IS NULL").indicators["value"] is False


@pytest.mark.parametrize("value", [HOSTILE, "a b", "", "1; SELECT 2"])
def test_a_bare_name_takes_only_numbers_and_plain_names(
    value: str, database: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match="neither a number nor a plain name"):
        check(database, tmp_path, "SELECT ${V}", V=value)
    assert check(database, tmp_path, "SELECT ${V}", V="-4.20").indicators["value"] == Decimal(
        "-4.20"
    )


def test_too_late_cancels_the_statement(database: str, tmp_path: Path) -> None:
    context = a_context(tmp_path, targets={"db": database}, timeout_s=0.5, effect=Effect.ACTION)
    with pytest.raises(WorkError, match=r"did not end within 0.5 s") as caught:
        Sql("SELECT pg_sleep(30)").perform(context)
    assert caught.value.failed
    with psycopg.connect(database) as other:
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'gonogo' AND state = 'active'"
        )
        assert other.execute(query).fetchone() == (0,)


def test_a_lock_is_waited_for_only_as_long_as_said(database: str, tmp_path: Path) -> None:
    act(database, tmp_path, "CREATE TABLE t (a int)")
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE t")
        context = a_context(tmp_path, targets={"db": database}, effect=Effect.ACTION)
        with pytest.raises(WorkError, match="lock timeout") as caught:
            Sql("ALTER TABLE t ADD b int", lock_timeout_s=0.2).perform(context)
    assert "pg_locks" in caught.value.hint


def test_a_server_that_says_nothing_more_is_left(database: str, tmp_path: Path) -> None:
    """A stop while the server holds a lock for us ends the statement on the server too."""
    act(database, tmp_path, "CREATE TABLE t (a int)")
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE t")
        context = a_context(tmp_path, targets={"db": database}, should_stop=StopAfter(1))
        problems: list[WorkError] = []

        def look() -> None:
            try:
                Sql("SELECT * FROM t").perform(context)
            except WorkError as error:
                problems.append(error)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert "stopped" in problems[0].message


REFUSED = {
    "a wrong database": ("/no_such_database", "has no such database"),
    "no address at all": ("", "no address of a PostgreSQL database"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_target_that_cannot_be_used_is_told(name: str, database: str, tmp_path: Path) -> None:
    end, words = REFUSED[name]
    url = database.rpartition("/")[0] + end if end else "not an address"
    with pytest.raises(WorkError, match=words) as caught:
        check(url, tmp_path, "SELECT 1")
    assert "`db`" in caught.value.hint + caught.value.message


def test_an_unknown_target_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="no target is named `db`; the front matter has `app`"):
        Sql("SELECT 1").perform(a_context(tmp_path, targets={"app": "x"}))


EFFECTS = {
    "SELECT 1": Effect.CHECK,
    "-- note\nSELECT 1; SHOW server_version; TABLE t; VALUES (1)": Effect.CHECK,
    "WITH a AS (SELECT 1) SELECT * FROM a": Effect.CHECK,
    "SET ROLE app; SELECT 1": Effect.CHECK,
    "EXPLAIN UPDATE t SET a = 1": Effect.CHECK,
    "EXPLAIN ANALYZE SELECT 1": Effect.CHECK,
    "SELECT has_table_privilege('t', 'delete')": Effect.CHECK,
    "SELECT 'INSERT INTO t'": Effect.CHECK,
    "SELECT substring(a FROM 1 FOR 2) FROM t": Effect.CHECK,
    "INSERT INTO t VALUES (1)": Effect.ACTION,
    "SELECT 1; DELETE FROM t": Effect.ACTION,
    "WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d": Effect.ACTION,
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a": Effect.ACTION,
    "EXPLAIN ANALYZE DELETE FROM t": Effect.ACTION,
    "EXPLAIN (ANALYZE, BUFFERS) UPDATE t SET a = 1": Effect.ACTION,
    "SELECT * INTO copy FROM t": Effect.ACTION,
    "SELECT * FROM t FOR UPDATE": Effect.ACTION,
    "SELECT pg_terminate_backend(1)": Effect.ACTION,
    "SELECT nextval('s')": Effect.ACTION,
    "SET TRANSACTION READ WRITE; SELECT f()": Effect.ACTION,
    "BEGIN; SELECT 1; COMMIT": Effect.ACTION,
    "CALL p()": Effect.ACTION,
    "DO $$ BEGIN END $$": Effect.ACTION,
    "VACUUM": Effect.ACTION,
    "REFRESH MATERIALIZED VIEW v": Effect.ACTION,
    "COPY t FROM '/x'": Effect.ACTION,
}


@pytest.mark.parametrize("text", EFFECTS)
def test_the_statements_tell_whether_a_block_looks_or_changes(text: str) -> None:
    for role in Role:
        assert Sql(text).effect(role) is EFFECTS[text]
    assert Sql(text, kind_="action").effect(Role.VERIFY) is Effect.ACTION


MISTAKES = {
    "\\d users": "GN512",
    "SELECT 1;\n\\copy t FROM 'x.csv'": "GN512",
    "SELECT * FROM t WHERE id = :id": "GN512",
    "SELECT * FROM t WHERE id = :'id'": "GN512",
    "SELECT 'open": "GN513",
    "SELECT 1 /* open": "GN513",
    "SELECT $$ open": "GN513",
    "-- only a comment": "GN507",
    "SELECT * FROM t WHERE user = '<user-id>'": "GN501",
    "SELECT * FROM t WHERE org = 'YOUR_ORG'": "GN501",
    "CREATE ROLE app PASSWORD 'hunter22'": "GN505",
}
FINE = [
    "SELECT a::text, '10:30:00'::time, x[1:2] FROM t WHERE b <> 1 AND c < 2 AND d > 3",
    "SELECT '${NAME}', {{limit}}",
    "SELECT to_char(now(), 'YYYY-MM-DD')",
    "SELECT ':name', \"a:b\" -- :c",
    "CREATE ROLE app PASSWORD '${PASSWORD}'",
]


@pytest.mark.parametrize("text", MISTAKES)
def test_what_cannot_be_sent_is_a_mistake_before_the_run(text: str) -> None:
    errors = [d for d in Sql(text).review() if d.severity is Severity.ERROR]
    assert [d.code for d in errors] == [MISTAKES[text]]
    assert errors[0].hint
    assert "hunter22" not in errors[0].message + errors[0].hint


@pytest.mark.parametrize("text", FINE)
def test_ordinary_sql_has_no_mistakes(text: str) -> None:
    assert Sql(text).review() == ()


def test_a_check_without_an_expectation_asserts_nothing() -> None:
    assert Sql("SELECT 1").default_expectation(Effect.CHECK) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP TABLE old_pages", "statements = 1"),
        ("BEGIN; ALTER TABLE t ADD b int; create index on t (b); COMMIT;", "statements = 4"),
        ("DO $$ BEGIN END $$", "statements = 1"),
        ("UPDATE t SET a = 1", None),
        ("ALTER TABLE t ADD b int; UPDATE t SET b = 1", None),
        ("WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d", None),
    ],
)
def test_an_action_that_counts_no_rows_is_done_when_its_statements_ran(
    text: str, expected: str | None
) -> None:
    assert Sql(text).default_expectation(Effect.ACTION) == expected


def test_names_in_comments_need_no_value() -> None:
    names = [v.name for v in Sql("-- ${OLD}\nSELECT '${A}', {{b}}, ${A}", on="${DB}").variables()]
    assert names == ["A", "b", "DB"]


UNLIKE = {
    "endless time": ("'infinity'::interval", "infinity"),
    "time before all": ("'-infinity'::interval", "-infinity"),
    "exponent beyond decimals": ("'1e99999999999999999999'::json", "1e99999999999999999999"),
    "number of 5000 digits": ("('1' || repeat('0', 5000))::jsonb", "1" + "0" * 5000),
    "lists in lists": ("(repeat('[', 600) || repeat(']', 600))::json", "[" * 600 + "]" * 600),
    "JSON in a list": ("ARRAY['1e99999999999999999999'::json]", ["1e99999999999999999999"]),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_a_value_without_a_form_of_its_own_is_the_text_of_the_server(
    case: str, database: str, tmp_path: Path
) -> None:
    text, value = UNLIKE[case]
    if "interval" in text and not endless(database):
        pytest.skip("this PostgreSQL has no endless interval")
    assert check(database, tmp_path, f"SELECT {text} AS v").rows == [{"v": value}]


def endless(database: str) -> bool:
    with psycopg.connect(database) as connection:
        return connection.info.server_version >= 170_000


def test_an_interval_too_long_is_an_error_and_not_another_one(
    database: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match="can't parse interval '178000000 years'"):
        check(database, tmp_path, "SELECT interval '178000000 years'")


def test_an_interval_in_another_style_is_the_text_of_the_server(
    database: str, tmp_path: Path
) -> None:
    seen = check(database, tmp_path, "SET intervalstyle = 'iso_8601'; SELECT interval '90 s' AS v")
    assert seen.rows == [{"v": "PT1M30S"}]


def test_two_columns_of_one_name_do_not_stand_for_each_other(database: str, tmp_path: Path) -> None:
    seen = check(database, tmp_path, "SELECT 5 AS n, 'x' AS t, 0 AS n")
    assert seen.rows == [{"n (1)": 5, "t": "x", "n (2)": 0}]
    assert seen.indicators["value"] == 5
    same = check(database, tmp_path, "SELECT 5 AS n, 5 AS n")
    assert same.rows == [{"n": 5}]


def test_text_of_another_encoding_is_told(
    database: str, strange_bytes: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match="not UTF-8") as caught:
        check(database, tmp_path, strange_bytes)
    assert "::bytea" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT generate_series(1, 2000000000)", "more than 100000 rows"),
        ("WITH n AS (SELECT generate_series(1, 60)) SELECT repeat('x', 1000000) FROM n", "32 MiB"),
    ],
    ids=["rows", "text"],
)
def test_an_answer_that_nobody_looks_at_is_not_read_to_its_end(
    database: str, tmp_path: Path, query: str, words: str
) -> None:
    with pytest.raises(WorkError, match=words):
        check(database, tmp_path, query)


def test_a_flood_of_notices_is_counted_and_not_kept(database: str, tmp_path: Path) -> None:
    text = (
        "DO $$ BEGIN FOR n IN 1..15 LOOP RAISE NOTICE '%', repeat('x', 1000000); END LOOP; END $$"
    )
    notices = act(database, tmp_path, text).indicators["notices"]
    assert isinstance(notices, str)
    assert len(notices) < 11_000_000
    assert notices.endswith("5 notices more than are kept")
