"""What a tool for migrations prints is read: what it has applied, and what is pending."""

from __future__ import annotations

import pytest

from gonogo.actions.migrate.outputs import READERS
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


def test_django_goes_back_to_the_one_before_in_the_same_app() -> None:
    listed = READERS["django"]("[X] a.0001_x\n[X] b.0001_y\n[X] a.0002_z\n")
    assert listed.before == {"a.0001_x": "zero", "b.0001_y": "zero", "a.0002_z": "0001_x"}
