"""Changed content and values that are NULL are seen, and a table without rows is no evidence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.probes.looking import Looker, numbers, passes, row

from gonogo.plan.units import Quantity
from gonogo.probes.integrity import Integrity


def test_one_null_of_many_rows_is_seen(empty: Looker) -> None:
    empty.change(
        "CREATE TABLE users (id int, organization_id int); INSERT INTO users "
        "SELECT n, nullif(n, 777) FROM generate_series(1, 33584) n"
    )
    seen = empty.look(not_null=("users.organization_id",))
    assert seen.indicators["nulls"] == 1
    found = seen.indicators["populated"]
    assert isinstance(found, Quantity)
    assert Decimal("99.99") < found.number < 100
    assert "public.users.organization_id: 1 NULL in 33584 rows" in seen.text
    kind = Integrity(on="db", not_null=("users.organization_id",))
    assert not passes(seen, ["nulls = 0"])
    assert not passes(seen, ["populated = 100%"])
    empty.change("UPDATE users SET organization_id = 1 WHERE organization_id IS NULL")
    assert passes(empty.look(not_null=("users.organization_id",)), kind.stated())


@pytest.mark.parametrize(("nulls", "rows"), [(1, 10**15), (1, 3), (10**15 - 1, 10**15)])
def test_a_share_is_never_rounded_to_all_or_to_nothing(nulls: int, rows: int) -> None:
    from gonogo.probes.integrity import counting, kind

    column = counting.Column("t", "c", rows, nulls)
    seen = counting.Seen("", {}, (), (), [column], (), ())
    found = kind._populated(seen)
    assert isinstance(found, Quantity)
    assert 0 < found.number < 100


def test_a_table_without_rows_is_no_evidence(empty: Looker) -> None:
    empty.change("CREATE TABLE users (id int, organization_id int); CREATE TABLE nothing ()")
    seen = empty.look(not_null=("users.organization_id",))
    assert numbers(seen, "rows", "nulls", "populated") == (0, 0, None)
    assert not passes(seen, Integrity(on="db", not_null=("users.organization_id",)).stated())
    assert "the table has no rows" in seen.text


def test_a_database_without_tables_is_no_evidence(empty: Looker) -> None:
    seen = empty.look()
    assert numbers(seen, "rows", "lost", "tables") == (None, None, 0)
    assert not passes(seen, Integrity(on="db").stated())


def test_content_that_changed_is_seen_where_it_was_asked_for(data: Looker) -> None:
    data.look(fingerprint=("organizations",))
    data.change("UPDATE organizations SET name = 'x' WHERE id = 1; UPDATE users SET name = 'x'")
    seen = data.look(fingerprint=("organizations",))
    assert seen.indicators["changed"] == 1
    assert row(seen, "public.organizations")["changed"] is True
    assert row(seen, "public.users")["changed"] is None
    assert "public.organizations: 2 rows as before, with other content" in seen.text
    assert not passes(seen, Integrity(on="db", fingerprint=("organizations",)).stated())


def test_moved_rows_and_new_columns_are_no_other_content(data: Looker) -> None:
    data.look(fingerprint=("users",))
    data.change(
        "ALTER TABLE users ADD COLUMN seen timestamptz DEFAULT now();"
        "CLUSTER users USING users_organization_id_idx"
    )
    seen = data.look(fingerprint=("users",))
    assert numbers(seen, "changed", "lost") == (0, 0)


def test_a_column_that_is_gone_is_other_content(data: Looker) -> None:
    data.look(fingerprint=("users",))
    data.change("DROP VIEW busy; ALTER TABLE users DROP COLUMN name")
    seen = data.look(fingerprint=("users",))
    assert seen.indicators["changed"] == 1
    assert "without name" in seen.text


def test_a_fingerprint_that_the_first_look_did_not_make_is_unknown(data: Looker) -> None:
    data.look()
    seen = data.look(fingerprint=("users",))
    assert seen.indicators["changed"] is None
    assert "public.users: no fingerprint was made of it before" in seen.text
    assert data.look(fingerprint=("users",)).indicators["changed"] == 0


def test_a_table_without_columns_has_rows_and_content(empty: Looker) -> None:
    empty.change("CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES")
    empty.look(fingerprint=("nothing",))
    assert numbers(empty.look(fingerprint=("nothing",)), "rows", "changed") == (1, 0)
