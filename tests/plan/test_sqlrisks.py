"""What a change of the schema puts at risk, read from its statements; look-alikes are safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plan.statements import DESTRUCTIVE_SQL, HARMLESS_SQL

from gonogo.plan.sqlread import read, without_values
from gonogo.plan.sqlrisk import Danger, Known, Setting
from gonogo.plan.sqlrisks import has_own_transaction, needs_no_transaction, risks

PATIENT = Setting(has_lock_timeout=True)
RISKY: dict[str, list[tuple[Danger, str]]] = {
    "ALTER TABLE t ADD a int NOT NULL": [(Danger.EMPTY, "t.a")],
    "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()": [(Danger.REWRITE, "t.a")],
    "ALTER TABLE t ADD a float DEFAULT random() NOT NULL": [(Danger.REWRITE, "t.a")],
    "ALTER TABLE t ADD id bigserial": [(Danger.REWRITE, "t.id")],
    "ALTER TABLE t ADD id int GENERATED ALWAYS AS IDENTITY": [(Danger.REWRITE, "t.id")],
    "ALTER TABLE t ADD b int GENERATED ALWAYS AS (a * 2) STORED": [(Danger.REWRITE, "t.b")],
    "ALTER TABLE t ADD a int UNIQUE": [(Danger.LOCK, "t")],
    "ALTER TABLE public.t ALTER COLUMN a TYPE bigint": [(Danger.REWRITE, "public.t.a")],
    "ALTER TABLE t ALTER a TYPE date": [(Danger.REWRITE, "t.a"), (Danger.LOST, "t.a")],
    "ALTER TABLE t ALTER a TYPE varchar(9) USING left(a, 9)": [
        (Danger.LOST, "t.a"),
        (Danger.REWRITE, "t.a"),
    ],
    "ALTER TABLE t ALTER a SET NOT NULL": [(Danger.SCAN, "t.a")],
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)": [(Danger.SCAN, "t")],
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b (id)": [(Danger.SCAN, "t")],
    "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)": [(Danger.LOCK, "t")],
    "ALTER TABLE t ADD PRIMARY KEY (a)": [(Danger.LOCK, "t")],
    "ALTER TABLE t SET TABLESPACE fast": [(Danger.REWRITE, "t")],
    "ALTER TABLE t SET UNLOGGED": [(Danger.REWRITE, "t")],
    "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)": [(Danger.SCAN, "t")],
    "ALTER TABLE t DROP COLUMN a": [(Danger.LOST, "t.a")],
    "ALTER TABLE t RENAME a TO b": [(Danger.BROKEN, "t.a")],
    "ALTER TABLE t RENAME TO b": [(Danger.BROKEN, "t")],
    "ALTER TYPE mood ADD VALUE 'calm'": [(Danger.LOST, "mood without `calm`")],
    "CREATE INDEX i ON t (a)": [(Danger.LOCK, "t")],
    "CREATE UNIQUE INDEX ON t (a)": [(Danger.LOCK, "t")],
    "CREATE INDEX CONCURRENTLY i ON t (a)": [(Danger.TRANSACTION, "")],
    "DROP INDEX CONCURRENTLY i": [(Danger.TRANSACTION, "")],
    "REINDEX TABLE t": [(Danger.LOCK, "t")],
    "REINDEX INDEX CONCURRENTLY i": [(Danger.TRANSACTION, "")],
    "REINDEX DATABASE app": [(Danger.TRANSACTION, ""), (Danger.LOCK, "app")],
    "VACUUM t": [(Danger.TRANSACTION, "")],
    "VACUUM (FULL) t": [(Danger.TRANSACTION, ""), (Danger.REWRITE, "t")],
    "VACUUM FULL": [(Danger.TRANSACTION, ""), (Danger.REWRITE, "every table")],
    "CLUSTER t USING i": [(Danger.REWRITE, "t")],
    "REFRESH MATERIALIZED VIEW totals": [(Danger.LOCK, "totals")],
    "CREATE DATABASE other": [(Danger.TRANSACTION, "")],
    "ALTER SYSTEM SET work_mem = '1GB'": [(Danger.TRANSACTION, "")],
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY": [(Danger.TRANSACTION, "")],
    "DELETE FROM t WHERE old": [(Danger.LOST, "rows of t")],
    "DELETE FROM t": [(Danger.LOST, "t")],
    "UPDATE t SET a = 1": [(Danger.LOST, "t")],
    "TRUNCATE a, b": [(Danger.LOST, "a, b")],
    "SELEC 1": [(Danger.UNREADABLE, "")],
    "CREATE TABLE t (a int,)": [(Danger.UNREADABLE, "")],
}
SAFE = [
    "SELECT 1",
    "CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL)",
    "CREATE TABLE t (a int); CREATE INDEX ON t (a); ALTER TABLE t ADD b int NOT NULL",
    "CREATE TABLE t (a int); INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t",
    "CREATE TABLE t (a int); DROP TABLE t",
    "CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t ALTER a SET NOT NULL",
    "ALTER TABLE t ADD a int",
    "ALTER TABLE t ADD a int NOT NULL DEFAULT 0",
    "ALTER TABLE t ADD a timestamptz DEFAULT now()",
    "ALTER TABLE t ADD a timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP",
    "ALTER TABLE t ADD a jsonb DEFAULT '{}'::jsonb",
    "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b * 2) VIRTUAL",
    "ALTER TABLE t ADD a int; UPDATE t SET a = b + 1",
    "ALTER TABLE t ADD a int; ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t ALTER a TYPE text",
    "ALTER TABLE t ALTER a SET DEFAULT 1",
    "ALTER TABLE t ALTER a DROP NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b (id) NOT VALID",
    "ALTER TABLE t VALIDATE CONSTRAINT c",
    "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;"
    "ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER a SET NOT NULL",
    "ALTER TABLE t DROP CONSTRAINT c",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t OWNER TO app",
    "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
    "ALTER INDEX i RENAME TO j",
    "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; REFRESH MATERIALIZED VIEW v",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "REFRESH MATERIALIZED VIEW v WITH NO DATA",
    "DROP INDEX i",
    "DROP VIEW v",
    "ANALYZE t",
    "COMMENT ON TABLE t IS 'VACUUM FULL'",
    "INSERT INTO t SELECT * FROM b",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; END $$",
    "CREATE VIEW v AS SELECT * FROM t WHERE note = 'DROP TABLE t'",
    "-- CREATE INDEX i ON t (a)\nSELECT 1",
    "GRANT TRUNCATE ON t TO app",
    "SET lock_timeout = '5s'",
]


@pytest.mark.parametrize(("text", "wanted"), RISKY.items(), ids=list(RISKY))
def test_a_risk_is_found_with_what_it_is_about(text: str, wanted: list[tuple[Danger, str]]) -> None:
    assert [(risk.danger, risk.target) for risk in risks(text, PATIENT)] == wanted


@pytest.mark.parametrize("text", SAFE)
def test_what_harms_nobody_is_left_alone(text: str) -> None:
    assert risks(text, PATIENT) == ()


def test_a_lock_without_patience_is_told_once() -> None:
    text = "ALTER TABLE t ADD a int; ALTER TABLE u ADD a int"
    assert [r.target for r in risks(text, Setting())] == ["t"]
    assert risks(f"SET LOCAL lock_timeout = '5s'; {text}", Setting()) == ()
    assert risks("CREATE TABLE t (a int); ALTER TABLE t ADD b int", Setting()) == ()


def test_outside_a_transaction_nothing_is_refused_by_one() -> None:
    text = "CREATE INDEX CONCURRENTLY i ON t (a)"
    assert risks(text, Setting(in_transaction=False)) == ()
    begun = f"BEGIN; {text}; COMMIT; {text}"
    found = risks(begun, Setting(in_transaction=False))
    assert [(r.danger, r.at) for r in found] == [(Danger.TRANSACTION, 7)]


def test_what_an_earlier_file_made_is_known_in_a_later_one() -> None:
    known = Known()
    assert risks("CREATE TABLE t (a int)", PATIENT, known) == ()
    assert risks("CREATE INDEX ON t (a); DROP TABLE t", PATIENT, known) == ()


def test_a_mistake_has_its_place_and_hides_nothing() -> None:
    found = risks("SELECT 'é';\nSELEC 2;\nDROP TABLE t;", PATIENT)
    assert [(r.danger, r.at) for r in found] == [(Danger.UNREADABLE, 12), (Danger.LOST, 21)]
    assert 'at or near "SELEC"' in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM ${TABLE} WHERE a = '${VALUE}' LIMIT ${N}",
        "DROP TABLE t_${ENV}",
        "SELECT {{target}}",
    ],
)
def test_variables_are_names_to_the_parser(text: str) -> None:
    assert not read(text).unparsed


def test_a_variable_keeps_its_spelling_in_what_is_lost() -> None:
    (risk,) = risks("DROP TABLE archive_${ENV}", PATIENT)
    assert risk.target == "archive_${ENV}"


TRANSACTIONS = {
    "SELECT 1": ("", False),
    "CREATE INDEX CONCURRENTLY i ON t (a)": ("CREATE INDEX CONCURRENTLY", False),
    "BEGIN; SELECT 1; COMMIT": ("", True),
    "SAVEPOINT a; RELEASE a": ("", False),
    "DO $$ BEGIN PERFORM 1; END $$": ("", False),
    "VACUUM t": ("VACUUM", False),
    "ANALYZE t": ("", False),
}


@pytest.mark.parametrize(("text", "wanted"), TRANSACTIONS.items(), ids=list(TRANSACTIONS))
def test_what_needs_or_makes_transactions(text: str, wanted: tuple[str, bool]) -> None:
    assert (needs_no_transaction(text), has_own_transaction(text)) == wanted


VALUES = {
    "SELECT * FROM t WHERE a = 'secret' AND b = 12": "SELECT * FROM t WHERE a = $1 AND b = $2",
    "SELECT 'cut off in the midd": "SELECT ?",
    "nonsense 'secret' 42": "nonsense ? ?",
}


@pytest.mark.parametrize(("text", "wanted"), VALUES.items(), ids=list(VALUES))
def test_a_query_is_shown_without_its_values(text: str, wanted: str) -> None:
    assert without_values(text) == wanted


@given(st.lists(st.sampled_from([*RISKY, *SAFE, *DESTRUCTIVE_SQL, *HARMLESS_SQL]), max_size=4))
def test_the_tables_may_stand_in_one_text(parts: list[str]) -> None:
    text = ";\n".join(parts)
    for risk in risks(text, Setting()):
        assert 0 <= risk.at <= risk.end <= len(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for risk in risks(text, Setting()):
        assert 0 <= risk.at <= len(text)
