"""What Flyway, Rails, Django and Supabase do each in a way of its own is known and handled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.actions.migrating import context

from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.actions.migrate.aim import without_password
from gonogo.actions.migrate.outputs import READERS, Listed, planned
from gonogo.errors import WorkError


def test_what_flyway_holds_as_failed_is_neither_applied_nor_pending(
    database: str, tmp_path: Path
) -> None:
    said = '{"migrations": [{"version": "1", "state": "Success", "type": "SQL"},'
    said += '{"version": "2", "state": "Failed", "type": "SQL"}]}'
    assert READERS["flyway"](said) == Listed(("1",), (), {}, ("2",))
    flyway = a_script(tmp_path, f"echo '{said}'\n")
    with pytest.raises(WorkError, match="`2` has begun in this database and not ended") as caught:
        Migrations(tool="flyway", command=flyway).perform(context(database, tmp_path))
    assert "flyway repair" in caught.value.hint


def test_a_tool_without_a_step_back_says_so(database: str, tmp_path: Path) -> None:
    says = '[ $1 = db ] && touch done; echo "0001 | $(test -e done && echo 0001) | x"'
    path = a_script(tmp_path, f"{says}\n")
    made = context(database, tmp_path, variables={"PATH": os.environ["PATH"]})
    Migrate(tool="supabase", command=path, unproved="x").perform(made)
    with pytest.raises(WorkError, match=r"`0001` stays: .* is no step back"):
        MigrateBack(tool="supabase", command=path).perform(context(database, tmp_path))


def a_script(folder: Path, text: str) -> str:
    path = folder / "script"
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return str(path)


# What Rails 6.1 says to stderr, shortened behind the second cause.
_RAILS_FAILED = """rails aborted!
StandardError: An error has occurred, this and all later migrations canceled:

PG::DuplicateTable: ERROR:  relation "books" already exists
/app/db/migrate/20260103000000_create_authors.rb:4:in `up'

Caused by:
ActiveRecord::StatementInvalid: PG::DuplicateTable: ERROR:  relation "books" already exists
/app/db/migrate/20260103000000_create_authors.rb:4:in `up'

Caused by:
LoadError: cannot load such file -- rails/commands
Did you mean?  rails/deprecated_sanitizer

Tasks: TOP => db:migrate
(See full trace by running task with --trace)
"""


def test_rails_in_an_empty_database_has_its_files_pending_and_says_why_it_failed(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "db" / "migrate").mkdir(parents=True)
    for name in ("20260103000000_create_authors.rb", "20260101000000_create_books.rb"):
        (tmp_path / "db" / "migrate" / name).write_text("")
    (tmp_path / "said").write_text(_RAILS_FAILED)
    none = "echo 'Schema migrations table does not exist yet.' >&2; exit 1"
    rails = a_script(
        tmp_path, f"case $1 in db:migrate:status) {none};; *) cat said >&2; exit 1;; esac\n"
    )
    looked = Migrations(tool="rails", command=rails).perform(context(database, tmp_path))
    assert looked.indicators["pending names"] == ["20260101000000", "20260103000000"]
    with pytest.raises(WorkError, match="ended with 1") as caught:
        Migrate(tool="rails", command=rails, unproved="x").perform(context(database, tmp_path))
    assert 'relation "books" already exists' in caught.value.hint
    assert len(caught.value.hint) < len(_RAILS_FAILED)


def test_rails_that_cannot_connect_is_an_error(database: str, tmp_path: Path) -> None:
    rails = a_script(tmp_path, "echo 'ActiveRecord::NoDatabaseError' >&2; exit 1\n")
    with pytest.raises(WorkError, match="db:migrate:status` ended with 1"):
        Migrations(tool="rails", command=rails).perform(context(database, tmp_path))


_PLAN = """Planned operations:
more.0001_initial
    Undo Create model Note
books.0002_author
    Raw SQL operation
    Undo Create model Author
"""


def test_what_django_plans_is_read() -> None:
    assert planned(_PLAN) == ("more.0001_initial", "books.0002_author")
    assert planned("Planned operations:\n  No planned migration operations.\n") == ()


def test_django_is_not_told_to_go_back_behind_what_another_app_needs(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "plan").write_text(_PLAN)
    django = a_script(
        tmp_path,
        'case "$*" in\n'
        'showmigrations*) echo "[X]  books.0001_initial"; test -e done && m=X || m=" "\n'
        '  echo "[$m]  books.0002_author";;\n'
        "*--plan) cat plan;;\n"
        '"migrate --noinput books 0001_initial") rm done;;\n'
        "migrate*) touch done;;\n"
        "esac\n",
    )
    made = Migrate(tool="django", command=django, app="books", unproved="x")
    assert made.perform(context(database, tmp_path)).indicators["applied"] == ["books.0002_author"]
    back = MigrateBack(tool="django", command=django, app="books")
    with pytest.raises(WorkError, match=r"would take back `more\.0001_initial` too"):
        back.perform(context(database, tmp_path))
    assert (tmp_path / "done").exists()
    (tmp_path / "plan").write_text(_PLAN.replace("more.0001_initial\n", ""))
    undone = back.perform(context(database, tmp_path)).indicators
    assert undone["undone"] == ["books.0002_author"]


def test_supabase_is_told_which_database_and_gets_the_password_apart(
    database: str, tmp_path: Path
) -> None:
    script = a_script(tmp_path, 'echo "$*" >> calls; echo "$PGPASSWORD" >> calls\n')
    url = database.replace("postgres@", "postgres:a%20b@")
    looked = Migrations(tool="supabase", command="${TOOL}").perform(
        context(url, tmp_path, variables={"PATH": os.environ["PATH"], "TOOL": script})
    )
    assert looked.indicators["pending"] == 0
    assert (tmp_path / "calls").read_text() == f"migration list --db-url {database}\na b\n"


@pytest.mark.parametrize(
    ("address", "url", "password"),
    [
        ("postgresql://a@h:5/d", "postgresql://a@h:5/d", None),
        ("postgres://a:b%2Fc@h/d?sslmode=disable", "postgresql://a@h/d?sslmode=disable", "b/c"),
        ("host=h dbname=d user=a password='b c'", "postgresql://a@h/d", "b c"),
        ("postgresql://a:p@[::1]:5/d", "postgresql://a@[::1]:5/d", "p"),
    ],
    ids=["without", "url", "words", "ipv6"],
)
def test_a_password_does_not_stay_in_the_address(
    address: str, url: str, password: str | None
) -> None:
    assert without_password(address) == (url, {"PGPASSWORD": password} if password else {})


def test_an_address_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(WorkError, match="cannot be read"):
        without_password("a nonsense")
