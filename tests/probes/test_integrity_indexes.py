"""A foreign key without an index behind it is seen, and an index whose building has failed."""

from __future__ import annotations

import psycopg
import pytest
from tests.probes.looking import Looker, passes

from gonogo.probes.integrity import Integrity

UNINDEXED = {
    "without any": ("", 1),
    "with one": ("CREATE INDEX ON child (a)", 0),
    "as second column of one": ("CREATE INDEX ON child (b, a)", 1),
    "as first of two": ("CREATE INDEX ON child (a, b)", 0),
    "hash": ("CREATE INDEX ON child USING hash (a)", 0),
    "brin, which finds no single row": ("CREATE INDEX ON child USING brin (a)", 1),
    "of some rows": ("CREATE INDEX ON child (a) WHERE b > 0", 1),
    "of all but NULLs": ("CREATE INDEX ON child (a) WHERE a IS NOT NULL", 0),
    "of an expression": ("CREATE INDEX ON child ((a + 0))", 1),
}


@pytest.mark.parametrize("name", UNINDEXED)
def test_a_foreign_key_needs_an_index_on_what_refers(empty: Looker, name: str) -> None:
    statement, count = UNINDEXED[name]
    empty.change(
        "CREATE TABLE parent (a int PRIMARY KEY); CREATE TABLE child (a int REFERENCES parent, "
        f"b int); {statement}"
    )
    seen = empty.look()
    assert seen.indicators["unindexed"] == count
    assert ("public.child (a), child_a_fkey" in seen.text) is bool(count)


def test_a_key_of_two_columns_takes_an_index_in_any_order(empty: Looker) -> None:
    empty.change(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE child (x int, "
        "a int, b int, FOREIGN KEY (a, b) REFERENCES parent); CREATE INDEX ON child (b, a, x)"
    )
    assert empty.look().indicators["unindexed"] == 0
    empty.change("DROP INDEX child_b_a_x_idx; CREATE INDEX ON child (a, x, b)")
    assert empty.look().indicators["unindexed"] == 1


def test_keys_and_indexes_of_other_tables_do_not_count(data: Looker) -> None:
    assert data.look().indicators["unindexed"] == 1
    assert data.look(tables=("users",)).indicators["unindexed"] == 0


def test_an_index_whose_building_failed_is_seen(data: Looker) -> None:
    data.change("UPDATE users SET name = 'same'")
    with pytest.raises(psycopg.errors.UniqueViolation):
        data.change("CREATE UNIQUE INDEX CONCURRENTLY one_name ON users (name)")
    seen = data.look()
    assert seen.indicators["invalid"] == 1
    assert "invalid index: one_name on public.users" in seen.text
    assert not passes(seen, Integrity(on="db").stated())
