"""Tools with commands of their own: what they say is read, and they take back no more than ours."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.actions.migrating import context

from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.actions.migrate.aim import without_password
from gonogo.actions.migrate.outputs import READERS, Listed, planned
from gonogo.errors import WorkError

# What the tools of docs/migrations.md printed for projects of ours; only Flyway's is made up, with
# the names of its fields and states.
_HISTORY = "r_pages -> r_authors (head), \nr_books -> r_pages, \n<base> -> r_books, \n"
_FORK = (
    "r_left, r_right -> r_merge (head) (mergepoint), \nr_books -> r_left, \nr_books -> r_right, \n"
    "<base> -> r_books (branchpoint), \n"
)
SAID: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "alembic, two pending": (
        "alembic",
        f"{_HISTORY}\n---\nr_books\n",
        ("r_books",),
        ("r_pages", "r_authors"),
    ),
    "alembic, all applied": (
        "alembic",
        f"{_HISTORY}\n---\nr_authors (head)\n",
        ("r_books", "r_pages", "r_authors"),
        (),
    ),
    "alembic, an empty database": (
        "alembic",
        "<base> -> r_books (head), \n\n---\n",
        (),
        ("r_books",),
    ),
    "alembic, one branch of two that are merged later": (
        "alembic",
        f"{_FORK}\n---\nr_left\n",
        ("r_books", "r_left"),
        ("r_right", "r_merge"),
    ),
    "alembic, merged": (
        "alembic",
        f"{_FORK}\n---\nr_merge (head) (mergepoint)\n",
        ("r_books", "r_right", "r_left", "r_merge"),
        (),
    ),
    "rails": (
        "rails",
        "\ndatabase: cap_rails\n\n Status   Migration ID    Migration Name\n"
        "--------------------------------------------------\n"
        "   up     20260101000000  The books\n  down    20260102000000  The pages\n"
        "  down    20260103000000  The authors\n\n",
        ("20260101000000",),
        ("20260102000000", "20260103000000"),
    ),
    "django": (
        "django",
        "[X]  shop.0001_books\n[ ]  shop.0002_pages\n[ ]  shop.0003_authors\n",
        ("shop.0001_books",),
        ("shop.0002_pages", "shop.0003_authors"),
    ),
    "dbmate": (
        "dbmate",
        "[X] 20260101000000_books.sql\n[ ] 20260102000000_pages.sql\n"
        "[ ] 20260103000000_authors.sql\n\nApplied: 1\nPending: 2\n",
        ("20260101000000_books.sql",),
        ("20260102000000_pages.sql", "20260103000000_authors.sql"),
    ),
    "flyway": (
        "flyway",
        'Flyway\n{"migrations": [{"version": "1", "state": "Success", "type": "SQL"},'
        '{"version": "2", "state": "Pending", "type": "SQL"},'
        '{"version": "", "state": "Pending", "type": "SQL"},'
        '{"version": "1", "state": "Available", "type": "UNDO_SQL"}]}',
        ("1",),
        ("2",),
    ),
    "flyway, files gone, one deleted, one undone, one undone and redone": (
        "flyway",
        '{"migrations": [{"version": "1", "state": "Missing", "type": "SQL"},'
        '{"version": "2", "state": "Deleted", "type": "SQL"},'
        '{"version": "2", "state": "Success", "type": "DELETE"},'
        '{"version": "3", "state": "Undone", "type": "SQL"},'
        '{"version": "3", "state": "Success", "type": "UNDO_SQL"},'
        '{"version": "3", "state": "Success", "type": "SQL"},'
        '{"version": "4", "state": "Undone", "type": "SQL"},'
        '{"version": "4", "state": "Success", "type": "UNDO_SQL"},'
        '{"version": "4", "state": "Pending", "type": "SQL"}]}',
        ("1", "3"),
        ("4",),
    ),
    "supabase": (
        "supabase",
        "  LOCAL          | REMOTE         | TIME (UTC)\n -----|-----|-----\n"
        "  20260101000000 | 20260101000000 | 2026-01-01\n  20260102000000 |                | x\n",
        ("20260101000000",),
        ("20260102000000",),
    ),
    "supabase 3.1": (
        "supabase",
        "│\n▲  Connected to 127.0.0.1 without TLS: the TLS connection failed or was rejected.\n\n"
        "  \n   Local            | Remote           | Time (UTC)            \n"
        "  ------------------|------------------|-----------------------\n"
        "   `20260101000000` | `20260101000000` | `2026-01-01 00:00:00` \n"
        "   `20260102000000` | ` `              | `2026-01-02 00:00:00` \n"
        "   ` `              | `20260103000000` | `2026-01-03 00:00:00` \n\n",
        ("20260101000000", "20260103000000"),
        ("20260102000000",),
    ),
    "rails 6.1, a file is gone": (
        "rails",
        "\ndatabase: shop\n\n Status   Migration ID    Migration Name\n"
        "--------------------------------------------------\n"
        "   up     20260101000000  ********** NO FILE **********\n"
        "  down    20260102000000  Add pages\n\n",
        ("20260101000000",),
        ("20260102000000",),
    ),
}


@pytest.mark.parametrize(("tool", "text", "applied", "pending"), SAID.values(), ids=SAID)
def test_what_a_tool_says_is_read(
    tool: str, text: str, applied: tuple[str, ...], pending: tuple[str, ...]
) -> None:
    listed = READERS[tool](text)
    assert (listed.applied, listed.pending) == (applied, pending)


@pytest.mark.parametrize(
    "text",
    [
        "ERROR: no",
        '{"migrations": null}',
        '{"migrations": {"state": "Pending"}}',
        '{"migrations": ["1"]}',
        '{"migrations": ' + "[" * 900 + "]" * 900 + "}",
        '{"migrations": [{"version": ' + "[" * 100_000,
    ],
    ids=["no JSON", "null", "an object", "texts", "lists in lists", "lists without end"],
)
def test_an_answer_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(WorkError, match="cannot be read"):
        READERS["flyway"](text)


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


def test_django_goes_back_to_the_one_before_in_the_same_app() -> None:
    listed = READERS["django"]("[X] a.0001_x\n[X] b.0001_y\n[X] a.0002_z\n")
    assert listed.before == {"a.0001_x": "zero", "b.0001_y": "zero", "a.0002_z": "0001_x"}


# A tool of three commands that keeps what is applied in a file, as dbmate keeps it in a database.
_TOOL = """#!/bin/sh
touch applied
case "$1" in
  status) for m in 01_a.sql 02_b.sql 03_c.sql; do
            grep -q "$m" applied && echo "[X] $m" || echo "[ ] $m"; done ;;
  migrate) for m in 01_a.sql 02_b.sql 03_c.sql; do
             [ "$m" = "$BAD" ] && { echo "$m: syntax error" >&2; exit 3; }
             grep -q "$m" applied || echo "$m" >> applied; done ;;
  rollback) sed -i '$d' applied ;;
esac
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    path = tmp_path / "tool"
    path.write_text(_TOOL)
    path.chmod(0o755)
    (tmp_path / "applied").write_text("01_a.sql\n")
    return path


def up(tool: Path) -> Migrate:
    return Migrate(tool="dbmate", command=str(tool), unproved="x")


def back(tool: Path) -> MigrateBack:
    return MigrateBack(tool="dbmate", command=str(tool))


def test_a_tool_goes_up_and_exactly_back(database: str, tmp_path: Path, tool: Path) -> None:
    looked = Migrations(tool="dbmate", command=str(tool)).perform(context(database, tmp_path))
    assert (looked.indicators["pending"], looked.indicators["applied"]) == (2, 1)
    seen = up(tool).perform(context(database, tmp_path)).indicators
    assert seen["applied"] == ["02_b.sql", "03_c.sql"]
    undone = back(tool).perform(context(database, tmp_path)).indicators
    assert undone["undone"] == ["03_c.sql", "02_b.sql"]
    assert (tmp_path / "applied").read_text() == "01_a.sql\n"


def test_a_tool_is_asked_once_before_and_once_after_each_change(
    database: str, tmp_path: Path, tool: Path
) -> None:
    tool.write_text(_TOOL.replace("touch applied", 'touch applied; echo "$1" >> calls'))
    up(tool).perform(context(database, tmp_path))
    back(tool).perform(context(database, tmp_path))
    forth, back_again = ["status", "migrate", "status"], ["status", *["rollback", "status"] * 2]
    assert (tmp_path / "calls").read_text().split() == forth + back_again


def test_a_tool_that_fails_in_the_second_is_taken_back_by_one(
    database: str, tmp_path: Path, tool: Path
) -> None:
    made = context(database, tmp_path)
    bad = replace(made, variables={**made.variables, "BAD": "03_c.sql"})
    with pytest.raises(WorkError, match="ended with 3") as caught:
        up(tool).perform(bad)
    assert "syntax error" in caught.value.hint
    undone = back(tool).perform(context(database, tmp_path)).indicators
    assert undone["undone"] == ["02_b.sql"]


def test_a_step_back_that_would_take_somebody_elses_is_refused(
    database: str, tmp_path: Path, tool: Path
) -> None:
    up(tool).perform(context(database, tmp_path))
    tool.write_text(_TOOL.replace("03_c.sql", "03_c.sql 04_d.sql"))
    with (tmp_path / "applied").open("a") as file:
        file.write("04_d.sql\n")
    with pytest.raises(WorkError, match=r"newest migration is `04_d\.sql`"):
        back(tool).perform(context(database, tmp_path))


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


_SLOW = _TOOL.replace(
    "  migrate) ", "  migrate) echo x >> calls; echo x > began; read word < go;\n    "
)


def test_no_second_call_begins_while_the_first_of_a_killed_life_is_under_way(
    database: str, tmp_path: Path, tool: Path
) -> None:
    tool.write_text(_SLOW)
    os.mkfifo(tmp_path / "began")
    os.mkfifo(tmp_path / "go")
    first = threading.Thread(target=lambda: up(tool).perform(context(database, tmp_path)))
    first.start()
    (tmp_path / "began").read_text()  # the tool is in the middle of its way up
    with pytest.raises(WorkError, match="still under way"):
        back(tool).perform(context(database, tmp_path, should_stop=lambda: True))
    asked: list[bool] = []

    def let_it_end() -> bool:
        if not asked and threading.current_thread() is threading.main_thread():
            asked.append(True)
            (tmp_path / "go").write_text("x\n")
        return False

    seen = up(tool).perform(context(database, tmp_path, should_stop=let_it_end))
    first.join()
    assert (seen.indicators["applied"], seen.indicators["left"]) == ([], 0)
    assert (tmp_path / "calls").read_text() == "x\n"
    undone = back(tool).perform(context(database, tmp_path)).indicators
    assert undone["undone"] == ["03_c.sql", "02_b.sql"]
