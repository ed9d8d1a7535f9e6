"""What destroys data needs the dump before it; without one the runbook has a mistake."""

from __future__ import annotations

import pytest
from tests.runbook.conftest import Reader

DUMP = """
1. Take a dump

   ```bash
   pg_dump --file=b.dump "$DATABASE_URL"
   ```
"""
DROP = """
1. Drop the old column

   ```sql
   --| on: db
   ALTER TABLE users DROP COLUMN old;
   ```

   - Expect: statements = 1
"""
BACK = """
## Rollback

1. Empty it

   ```bash
   psql "$DATABASE_URL" -c 'TRUNCATE users'
   ```
"""
HEAD = """---
gonogo: 1
targets: { db: "${DATABASE_URL}" }
---
# Search

## Deployment
"""


def codes(understood: Reader, text: str) -> list[str]:
    return [d.code for d in understood(text).diagnostics if d.severity.value == "error"]


def test_a_loss_without_a_dump_is_a_mistake_with_its_place(really_understood: Reader) -> None:
    found = really_understood(HEAD + DROP)
    wrong = next(d for d in found.diagnostics if d.code == "GN552")
    assert (wrong.span.line, wrong.message) == (
        13,
        "nothing is dumped before `ALTER TABLE users DROP COLUMN old`",
    )
    assert found.plan is None


def test_a_loss_needs_the_dump_before_it(really_understood: Reader) -> None:
    plan = really_understood(HEAD + DUMP + DROP.replace("1.", "2.")).plan
    assert plan is not None
    dump, drop = plan.phases[0].steps
    assert drop.needs == (dump.id,)


def test_a_dump_behind_it_is_too_late(really_understood: Reader) -> None:
    assert codes(really_understood, HEAD + DROP + DUMP.replace("1.", "2.")) == ["GN552"]


def test_one_statement_can_say_why_it_needs_none(really_understood: Reader) -> None:
    said = HEAD + DROP + "   - No dump: nobody has written to it for a year\n"
    plan = really_understood(said).plan
    assert plan is not None
    assert plan.phases[0].steps[0].notes == ("No dump: nobody has written to it for a year",)
    assert plan.phases[0].steps[0].destroys


def test_without_a_reason_it_does_not_count(really_understood: Reader) -> None:
    assert "GN552" in codes(really_understood, HEAD + DROP + "   - No dump:\n")


def test_the_way_back_may_use_the_dump_of_the_release(really_understood: Reader) -> None:
    switch = "\n1. Switch\n\n   ```bash\n   ./switch\n   ```\n"
    assert codes(really_understood, HEAD + DUMP + BACK) == []
    assert codes(really_understood, HEAD + switch + BACK) == ["GN552"]


def test_a_process_is_not_dumped(really_understood: Reader) -> None:
    stop = "\n1. Stop\n\n   ```bash\n   pkill -f worker\n   ```\n"
    assert codes(really_understood, HEAD + stop) == []


def kept(*fields: str) -> str:
    return "\n".join(
        ("```yaml", "   action: backup", *(f"   {field}" for field in fields), "   ```")
    )


OTHERS = {
    "of another database": (kept("on: other", "to: b.dump"), "is of `other`"),
    "of files": (kept("path: uploads/", "to: u.tar"), "is of files"),
    "of other tables": (kept("on: db", "tables: orders", "to: b.dump"), "holds only orders"),
    "of another schema": (kept("on: db", "schemas: audit", "to: b.dump"), "only schema audit"),
    "of a cache": ("```bash\n   redis-cli BGSAVE\n   ```", "is of a cache"),
    "of one table, by pg_dump": ("```bash\n   pg_dump -t orders app\n   ```", "holds only orders"),
}


@pytest.mark.parametrize(("fence", "why"), OTHERS.values(), ids=list(OTHERS))
def test_a_dump_of_something_else_is_no_dump_of_what_is_lost(
    really_understood: Reader, fence: str, why: str
) -> None:
    head = HEAD.replace("{ db:", '{ other: "${OTHER_URL}", db:')
    text = f"{head}\n1. Keep it\n\n   {fence}\n{DROP.replace('1.', '2.')}"
    text = text.replace("ALTER TABLE users", "ALTER TABLE public.users")
    wrong = next(d for d in really_understood(text).diagnostics if d.code == "GN552")
    assert why in wrong.label


def test_a_dump_without_rows_is_no_dump(really_understood: Reader) -> None:
    text = HEAD + DUMP.replace("pg_dump", "pg_dump --schema-only") + DROP.replace("1.", "2.")
    assert codes(really_understood, text) == ["GN552"]


def test_each_loss_needs_the_dump_that_holds_it(really_understood: Reader) -> None:
    both = (
        f"\n1. Keep the users\n\n   {kept('on: db', 'tables: users', 'to: b.dump')}\n"
        f"\n2. Keep the files\n\n   {kept('path: uploads/', 'to: u.tar')}\n"
        "\n3. Empty both\n\n   ```bash\n   rm -r uploads\n   psql x -c 'TRUNCATE users'\n   ```\n"
    )
    plan = really_understood(HEAD + both).plan
    assert plan is not None
    keep, files, empty = plan.phases[0].steps
    assert set(empty.needs) == {keep.id, files.id}


def test_lint_says_on_its_line_what_is_destroyed(really_understood: Reader) -> None:
    found = really_understood(HEAD + DUMP + DROP + BACK)
    said = [(m.span.line, m.detail) for m in found.meanings if m.what == "destroys"]
    lines = (HEAD + DUMP + DROP + BACK).split("\n")
    assert [(lines[line - 1].strip(), detail) for line, detail in said] == [
        (
            "ALTER TABLE users DROP COLUMN old;",
            "users.old: a person types its name first",
        ),
        (
            "psql \"$DATABASE_URL\" -c 'TRUNCATE users'",
            "users: a person types its name first",
        ),
    ]
