"""Tools with commands of their own: what they say is read, and they take back no more than ours."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.actions.migrating import context

from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.actions.migrate.outputs import READERS
from gonogo.errors import WorkError

SAID: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "alembic, one pending": (
        "alembic",
        "c3 -> d4 (head), add pages\nb2 -> c3, fill titles\n<base> -> b2, books\n\n---\nc3\n",
        ("b2", "c3"),
        ("d4",),
    ),
    "alembic, all applied": (
        "alembic",
        "b2 -> c3 (head), more\n<base> -> b2, books\n---\nc3 (head)\n",
        ("b2", "c3"),
        (),
    ),
    "alembic, an empty database": ("alembic", "<base> -> b2 (head), books\n---\n", (), ("b2",)),
    "rails": (
        "rails",
        "database: shop\n\n Status   Migration ID    Migration Name\n"
        "--------------------------------------------------\n"
        "   up     20260101120000  Create books\n  down    20260102120000  Add pages\n",
        ("20260101120000",),
        ("20260102120000",),
    ),
    "django": (
        "django",
        "[X]  shop.0001_initial\n[X]  auth.0001_initial\n[ ]  shop.0002_pages ... (1 item)\n",
        ("shop.0001_initial", "auth.0001_initial"),
        ("shop.0002_pages",),
    ),
    "dbmate": (
        "dbmate",
        "[X] 20260101_books.sql\n[ ] 20260102_pages.sql\n\nApplied: 1\nPending: 1\n",
        ("20260101_books.sql",),
        ("20260102_pages.sql",),
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
    "prisma, one pending": (
        "prisma",
        "20260101_books\n20260102_pages\n---\n2 migrations found\n"
        "Following migration have not yet been applied:\n20260102_pages\n\nTo apply them …\n",
        ("20260101_books",),
        ("20260102_pages",),
    ),
    "prisma, none": ("prisma", "1_a\n---\nDatabase schema is up to date!\n", ("1_a",), ()),
    "supabase": (
        "supabase",
        "  LOCAL          | REMOTE         | TIME (UTC)\n -----|-----|-----\n"
        "  20260101000000 | 20260101000000 | 2026-01-01\n  20260102000000 |                | x\n",
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


@pytest.mark.parametrize(("tool", "text"), [("flyway", "ERROR: no"), ("prisma", "1_a\n---\n?")])
def test_an_answer_that_cannot_be_read_is_an_error(tool: str, text: str) -> None:
    with pytest.raises(WorkError, match="cannot be read"):
        READERS[tool](text)


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


@pytest.mark.parametrize("name", ["prisma", "supabase"])
def test_a_tool_without_a_step_back_says_so(name: str, database: str, tmp_path: Path) -> None:
    (tmp_path / "prisma" / "migrations" / "0001_a").mkdir(parents=True)
    says = {
        "prisma": "test -e done && echo 'up to date' || echo 0001_a; [ $2 = status ] || touch done",
        "supabase": '[ $1 = db ] && touch done; echo "0001 | $(test -e done && echo 0001) | x"',
    }
    path = tmp_path / "tool"
    path.write_text(f"#!/bin/sh\n{says[name]}\n")
    path.chmod(0o755)
    made = context(database, tmp_path, variables={"PATH": os.environ["PATH"]})
    Migrate(tool=name, command=str(path), unproved="x").perform(made)  # type: ignore[arg-type]
    with pytest.raises(WorkError, match="no step back"):
        MigrateBack(tool=name, command=str(path)).perform(  # type: ignore[arg-type]
            context(database, tmp_path)
        )
