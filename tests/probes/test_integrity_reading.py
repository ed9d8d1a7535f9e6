"""What is asked for is found by its name; what cannot be read is an error, no smaller number."""

from __future__ import annotations

import dataclasses

import psycopg
import pytest
from psycopg import sql
from tests.probes.looking import Looker, numbers, row
from tests.support.backups import ask
from tests.support.kinds import StopAfter

from gonogo.errors import WorkError
from gonogo.probes.integrity import Integrity
from gonogo.services import Postgres


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
