"""Rows that a run has seen at its first look and that are gone are seen, on a real PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.probes.looking import Looker, numbers, passes, row
from tests.support.backups import fill

from gonogo import catalog, records
from gonogo.errors import Severity
from gonogo.plan.kinds import Effect, Role
from gonogo.probes.integrity import Integrity
from gonogo.probes.integrity.comparing import FIRST_LOOKS
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.services import Postgres
from gonogo.source import Source

PAGE = (Path(__file__).parents[2] / "docs" / "integrity.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^````markdown runbook\n(.*?)^````$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_first_look_has_nothing_to_compare_with(data: Looker) -> None:
    seen = data.look()
    assert numbers(seen, "rows", "lost", "gained", "tables", "first") == (42, 0, 0, 3, True)
    assert row(seen, "public.users")["before"] is None
    assert data.look().indicators["first"] is False


def test_rows_that_are_gone_are_lost_and_those_that_came_make_up_for_none(data: Looker) -> None:
    data.look()
    data.change(
        "DELETE FROM documents WHERE id <= 4; INSERT INTO organizations "
        "SELECT n FROM generate_series(10, 30) n"
    )
    seen = data.look()
    assert numbers(seen, "rows", "lost", "gained") == (59, 4, 21)
    assert row(seen, "public.documents") == {
        "table": "public.documents", "rows": 26, "before": 30, "lost": 4, "changed": None,
        "nulls": None,
    }  # fmt: skip
    assert "public.documents: 26 rows, 4 fewer than before" in seen.text
    assert not passes(seen, Integrity(on="db").stated())
    assert passes(seen, Integrity(on="db", may_lose=4).stated())
    assert not passes(seen, Integrity(on="db", may_lose=3).stated())


def test_the_first_look_counts_not_the_last(data: Looker) -> None:
    data.look()
    for lost in (1, 2):
        data.change("DELETE FROM documents WHERE id = (SELECT max(id) FROM documents)")
        assert data.look().indicators["lost"] == lost


def test_another_run_and_another_database_begin_anew(data: Looker, postgres: Postgres) -> None:
    data.look()
    assert data.look(run="other").indicators["first"] is True
    other = postgres.create_database("integrity_other")
    try:
        fill(other, "CREATE TABLE users (id int)")
        there = Looker(other, data.folder)
        assert there.look(attempt=90).indicators["first"] is True
    finally:
        postgres.drop_database("integrity_other")


def test_an_attempt_that_is_entered_again_after_a_kill_is_still_the_first(data: Looker) -> None:
    data.look(attempt=1)
    assert data.look(attempt=1).indicators["first"] is True
    assert len(records.read(data.folder / "run", FIRST_LOOKS)) == 1


def test_a_table_that_is_gone_has_lost_all_its_rows(data: Looker) -> None:
    data.look()
    data.change("DROP TABLE documents")
    for said in ((), ("documents",), ("public.documents",)):
        seen = data.look(tables=said)
        assert numbers(seen, "lost", "gone") == (30, 1)
        assert row(seen, "public.documents")["rows"] is None
        assert "public.documents: gone, it had 30 rows" in seen.text


def test_a_table_that_is_new_has_lost_nothing(data: Looker) -> None:
    data.look(tables=("users",))
    data.change("CREATE TABLE audit AS SELECT 1 AS a")
    seen = data.look(tables=("users", "audit"))
    assert numbers(seen, "lost", "gained") == (0, 1)


def test_a_table_that_was_not_looked_at_before_cannot_be_compared(data: Looker) -> None:
    data.look(tables=("users",))
    seen = data.look(tables=("documents",))
    assert numbers(seen, "lost", "first") == (None, False)
    assert not passes(seen, ["lost = 0"])
    assert "public.documents: was there, and was not counted before" in seen.text
    assert data.look(tables=("documents",)).indicators["lost"] == 0


def test_a_partitioned_table_is_one_table(empty: Looker) -> None:
    empty.change(
        "CREATE TABLE logs (at int, line text) PARTITION BY RANGE (at);"
        "CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (10) TO (20);"
        "INSERT INTO logs SELECT n, 'x' FROM generate_series(1, 19) n;"
        "CREATE INDEX broken ON ONLY logs (at)"
    )
    seen = empty.look()
    assert numbers(seen, "tables", "rows", "invalid") == (1, 19, 1)
    empty.change("DROP TABLE logs_1")
    assert empty.look(tables=("logs",)).indicators["lost"] == 9
    assert empty.look(tables=("logs_2",), run="of a part").indicators["rows"] == 10


def test_a_view_that_takes_the_place_of_a_table_is_compared_with_it(data: Looker) -> None:
    data.look(fingerprint=("documents",))
    data.change(
        "ALTER TABLE documents RENAME TO pages; "
        "CREATE VIEW documents AS SELECT * FROM pages WHERE id > 3"
    )
    for said in ((), ("documents",)):
        seen = data.look(tables=said)
        assert row(seen, "public.documents")["lost"] == 3


def test_a_table_that_became_a_part_of_another_is_still_compared(empty: Looker) -> None:
    empty.change("CREATE TABLE old (at int); INSERT INTO old SELECT generate_series(1, 9)")
    empty.look()
    empty.change(
        "DELETE FROM old WHERE at = 9; CREATE TABLE logs (at int) PARTITION BY RANGE (at);"
        "ALTER TABLE logs ATTACH PARTITION old FOR VALUES FROM (0) TO (10)"
    )
    assert numbers(empty.look(), "lost", "gained") == (1, 8)


def test_what_a_block_lacks_is_said_before_the_run() -> None:
    assert [d.code for d in Integrity().review()] == ["GN553"]
    assert [d.code for d in Integrity(on="db", not_null=("x",)).review()] == ["GN554"]
    assert [d.code for d in Integrity(on="db", may_lose=-1).review()] == ["GN517"]
    assert Integrity(on="db", not_null=("a.b",)).review() == ()
    assert Integrity(on="db").effect(Role.DEPLOY) is Effect.CHECK


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: f"{len(text)}-characters")
def test_every_example_of_the_page_is_accepted(text: str) -> None:
    plan = assemble(read(Source("integrity.md", text)), catalog.load())
    assert [d.message for d in plan.diagnostics if d.severity is not Severity.NOTE] == []
    said = [
        [item.condition.say() for item in step.expect]
        for step in plan.steps()
        if step.block is not None and step.block.kind == "integrity"
    ]
    assert said == [
        ["lost = 0", "invalid = 0", "changed = 0"],
        [
            "lost = 0", "invalid = 0", "nulls = 0", "populated = 100 %", "changed = 0",
            "first = false", "unindexed = 0",
        ],
    ]  # fmt: skip
