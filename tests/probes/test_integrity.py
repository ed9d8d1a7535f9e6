"""Whether data is whole, on real PostgreSQL: rows, NULLs, content, keys, indexes, first looks."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.support.backups import ask, fill
from tests.support.kinds import StopAfter, a_context

from gonogo import catalog, records
from gonogo.errors import Severity, WorkError
from gonogo.judge.evaluate import Truth, evaluate_observation
from gonogo.plan import grammar
from gonogo.plan.kinds import Context, Effect, Observation, Role
from gonogo.plan.units import Quantity
from gonogo.probes.integrity import Integrity
from gonogo.probes.integrity.comparing import FIRST_LOOKS
from gonogo.runbook.assemble import assemble
from gonogo.runbook.markdown import read
from gonogo.services import Postgres
from gonogo.source import Source, Span

PAGE = (Path(__file__).parents[2] / "docs" / "integrity.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^````markdown runbook\n(.*?)^````$", PAGE, re.MULTILINE | re.DOTALL)

SCHEMA = """
CREATE TABLE organizations (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, organization_id int REFERENCES organizations, name text);
CREATE INDEX ON users (organization_id);
CREATE TABLE documents (id int PRIMARY KEY, owner int REFERENCES users, body text);
CREATE VIEW busy AS SELECT * FROM users;
INSERT INTO organizations VALUES (1, 'a'), (2, 'b');
INSERT INTO users SELECT n, n % 2 + 1, 'u' || n FROM generate_series(1, 10) n;
INSERT INTO documents SELECT n, n % 10 + 1, 'd' || n FROM generate_series(1, 30) n;
"""


class Looker:
    """Looks again and again, as the steps of one run do."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._attempts = itertools.count(1)

    def context(self, attempt: int = 0, run: str = "run", **more: object) -> Context:
        base = a_context(self.folder, targets={"db": self.url}, timeout_s=30.0)
        place = self.folder / run / "steps" / "look" / str(attempt or next(self._attempts))
        return dataclasses.replace(base, folder=place, run_folder=self.folder / run, **more)  # type: ignore[arg-type]

    def look(self, attempt: int = 0, run: str = "run", **said: object) -> Observation:
        return Integrity(on="db", **said).perform(self.context(attempt, run))  # type: ignore[arg-type]

    def change(self, statements: str) -> None:
        fill(self.url, statements)


@pytest.fixture
def data(database: str, tmp_path: Path) -> Looker:
    fill(database, SCHEMA)
    return Looker(database, tmp_path)


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Looker:
    return Looker(database, tmp_path)


def numbers(seen: Observation, *names: str) -> tuple[object, ...]:
    return tuple(seen.indicators[name] for name in names)


def passes(seen: Observation, conditions: Sequence[str]) -> bool:
    for text in conditions:
        condition = grammar.read(text, Span.of_line(1)).condition
        assert condition is not None, text
        judged = evaluate_observation(condition, seen.indicators, seen.rows)
        if judged.truth is not Truth.PASS:
            return False
    return True


def row(seen: Observation, table: str) -> dict[str, object]:
    return next(dict(one) for one in seen.rows or () if one["table"] == table)


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


def test_names_with_dots_quotes_and_capitals(empty: Looker) -> None:
    empty.change(
        'CREATE SCHEMA "My.App"; CREATE TABLE "My.App"."Odd ""Table"", 1" ("a.b" int, "C" int);'
        'INSERT INTO "My.App"."Odd ""Table"", 1" VALUES (NULL, 1), (2, 2)'
    )
    name = '"My.App"."Odd ""Table"", 1"'
    seen = empty.look(tables=(name,), not_null=(f'{name}."a.b"',), fingerprint=(name,))
    assert numbers(seen, "rows", "nulls", "changed") == (2, 1, 0)
    assert empty.look(fingerprint=(name,)).indicators["changed"] == 0


MISTAKES: dict[str, tuple[dict[str, object], str, str]] = {
    "a table that is not there": ({"tables": ("user",)}, "no table `user`", "did you mean `users`"),
    "nothing like it": ({"tables": ("zzz",)}, "no table `zzz`", "tables are `public."),
    "a view": ({"tables": ("busy",)}, "`busy` is a view, expected a table", ""),
    "a column that is not there": (
        {"not_null": ("users.organisation_id",)},
        "`public.users` has no column `organisation_id`",
        "did you mean `organization_id`?",
    ),
    "a table of a column": ({"not_null": ("user.id",)}, "no table `user`", "`users`"),
    "no column at all": ({"not_null": ("users",)}, "`users` is no column", "table.column"),
    "a fingerprint of nothing": ({"fingerprint": ("usres",)}, "no table", "`users`"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_not_there_is_told_with_what_is(data: Looker, name: str) -> None:
    said, message, hint = MISTAKES[name]
    with pytest.raises(WorkError) as caught:
        data.look(**said)  # type: ignore[arg-type]
    assert message in caught.value.message
    assert hint in caught.value.hint


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


def test_a_table_without_columns_has_rows_and_content(empty: Looker) -> None:
    empty.change("CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES")
    empty.look(fingerprint=("nothing",))
    assert numbers(empty.look(fingerprint=("nothing",)), "rows", "changed") == (1, 0)


def test_two_schemas_with_such_a_table(empty: Looker) -> None:
    for name in ("one", "two"):
        empty.change(f"CREATE SCHEMA {name}; CREATE TABLE {name}.t (a int)")
    with pytest.raises(WorkError, match=r"may be `one\.t` and `two\.t`"):
        empty.look(tables=("t",))
    assert row(empty.look(tables=("two.t",)), "two.t")["rows"] == 0
    empty.change("CREATE TABLE public.t AS SELECT 1")
    assert row(empty.look(tables=("t",)), "public.t")["rows"] == 1


@pytest.fixture
def clerk(data: Looker, postgres: Postgres) -> Looker:
    """The same data, seen by a role that owns nothing."""
    with psycopg.connect(data.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS integrity_clerk")
        connection.execute("CREATE ROLE integrity_clerk LOGIN")
        connection.execute("GRANT SELECT ON users, documents TO integrity_clerk")
    parts = {**psycopg.conninfo.conninfo_to_dict(data.url), "user": "integrity_clerk"}
    return Looker(psycopg.conninfo.make_conninfo(**parts), data.folder)  # type: ignore[arg-type]


def test_a_table_that_may_not_be_read_is_an_error(clerk: Looker) -> None:
    with pytest.raises(WorkError, match=r"`public\.organizations` was not counted: permission"):
        clerk.look()
    assert clerk.look(tables=("users",)).indicators["rows"] == 10


def test_a_policy_that_hides_rows_is_an_error_not_a_smaller_number(
    data: Looker, clerk: Looker
) -> None:
    data.change(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; "
        "CREATE POLICY few ON users USING (organization_id = 1)"
    )
    assert ask(clerk.url, "SELECT count(*) FROM users") == 5
    with pytest.raises(WorkError, match="row-level security"):
        clerk.look(tables=("users",))


def test_it_sees_one_state_and_leaves_nothing_open(data: Looker) -> None:
    data.look()
    question = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gonogo' AND "
    assert ask(data.url, f"{question} datname = current_database()") == 0


@pytest.mark.parametrize("why", ["deadline", "stop"])
def test_a_locked_table_ends_in_time(data: Looker, why: str) -> None:
    context = data.context()
    context = dataclasses.replace(context, timeout_s=0.5 if why == "deadline" else 30.0)
    if why == "stop":
        context = dataclasses.replace(context, should_stop=StopAfter(8))
    with psycopg.connect(data.url) as other:
        other.execute(sql.SQL("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        expected = r"within 0\.5 s" if why == "deadline" else "stopped"
        with pytest.raises(WorkError, match=expected):
            Integrity(on="db").perform(context)


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
