"""A look behind the deployment that compares has one before it, or lint warns."""

from __future__ import annotations

import re

import pytest
from tests.runbook.conftest import Reader

from gonogo.errors import Diagnostic, Severity

HEAD = """---
gonogo: 1
targets: { db: "${DATABASE_URL}", other: "${OTHER_URL}" }
---
# Search
"""
BEFORE = "\n## Pre-deployment\n"
DEPLOY = "\n## Deployment\n"
SMOKE = "\n## Smoke tests\n"
WATCH = "\n## Monitoring: First 2 hours\n"
BACK = "\n## Rollback\n\n### Option 1: the old release\n"


def look(title: str, *lines: str, on: str = "db", expect: str = "", more: str = "") -> str:
    block = "".join(f"  {line}\n" for line in ("check: integrity", f"on: {on}", *lines))
    said = f"\n  - Expect: {expect}\n" if expect else ""
    return f"\n- [ ] {title}\n\n  ```yaml\n{block}  ```\n{said}{more}"


def act(title: str, command: str = "bin/deploy", more: str = "") -> str:
    return f"\n- [ ] {title}\n\n  ```bash\n  {command}\n  ```\n{more}"


def by_hand(title: str) -> str:
    return f"\n- [ ] {title}\n"


MIGRATE = """
- [ ] Apply the migrations

  ```yaml
  action: migrate
  on: db
  tool: folder
  folder: migrations
  ```
"""
NOW = look("Rows are there")
ANOTHER = look("Rows are still there")


def warned(understood: Reader, text: str, *codes: str) -> list[Diagnostic]:
    found = understood(HEAD + text).diagnostics
    mistakes = [d for d in found if d.severity is Severity.ERROR]
    assert not mistakes, mistakes
    return [d for d in found if d.code in (codes or ("GN415", "GN416"))]


COMPARES = {
    "nothing but the block": look("It is whole"),
    "tables": look("It is whole", "tables: users"),
    "a fingerprint": look("It is whole", "fingerprint: users", "not null: users.name"),
    "a loss that is allowed": look("It is whole", "may lose: 3", "not null: users.name"),
    "lost": look("It is whole", "not null: users.name", expect="lost <= 3"),
    "gained": look("It is whole", expect="gained > 0"),
    "gone": look("It is whole", "not null: users.name", expect="gone = 0"),
    "not the first look": look("It is whole", "not null: users.name", expect="first is false"),
}


@pytest.mark.parametrize("check", COMPARES.values(), ids=COMPARES)
def test_a_look_that_compares_needs_one_before_the_deployment(
    really_understood: Reader, check: str
) -> None:
    text = DEPLOY + act("Roll out") + SMOKE + check
    (found,) = warned(really_understood, text)
    assert (found.code, found.severity) == ("GN415", Severity.WARNING)
    lines = (HEAD + text).split("\n")
    assert lines[found.span.line - 1].strip() == "check: integrity"
    assert "no look at `db` stands before the deployment" in found.message
    begin = re.search(r"before line (\d+) \(`Roll out`\)", found.hint)
    assert begin is not None
    assert "Roll out" in lines[int(begin[1]) - 1]
    assert not warned(really_understood, BEFORE + look("As it is", "fingerprint: users") + text)


ABSOLUTE = {
    "NULLs": look("It is whole", "not null: users.name"),
    "foreign keys without an index": look("It is whole", "tables: users", expect="unindexed = 0"),
    "invalid indexes": look("It is whole", expect="invalid = 0"),
    "a number of rows": look("It is whole", "tables: users", expect="rows > 1000"),
    "both": look("It is whole", "not null: users.name", expect="populated = 100%"),
    "knows that it is the first": look("It is whole", "fingerprint: users", expect="first is true"),
}


@pytest.mark.parametrize("check", ABSOLUTE.values(), ids=ABSOLUTE)
def test_a_look_at_how_things_are_needs_none(really_understood: Reader, check: str) -> None:
    assert not warned(really_understood, DEPLOY + act("Roll out") + SMOKE + check)


QUIET = {
    "the look before stands in a phase of its own": BEFORE + NOW + DEPLOY + act("A") + SMOKE + NOW,
    "in the deployment, before its first action": DEPLOY + NOW + act("A") + SMOKE + ANOTHER,
    "behind a dump, before the migration": DEPLOY
    + act("Dump", "pg_dump -f /tmp/b.dump \"$DATABASE_URL\"")
    + NOW + MIGRATE + SMOKE + ANOTHER,
    "behind the stop of the service, before the migration": DEPLOY
    + act("Stop", "systemctl stop app") + NOW + MIGRATE + SMOKE + ANOTHER,
    "behind the stop, before what nobody recognises": DEPLOY
    + act("Stop", "systemctl stop app") + NOW + act("Change", "bin/change") + SMOKE + ANOTHER,
    "by the address instead of the name": BEFORE + look("Now", on="${DATABASE_URL}")
    + DEPLOY + act("A") + SMOKE + NOW,
    "there is no deployment": SMOKE + NOW,
    "people deploy, and it was looked before": DEPLOY + NOW + by_hand("Flip the switch") + SMOKE
    + ANOTHER,
    "a watch that repeats it": DEPLOY + act("A") + WATCH
    + look("Rows are there", more="\n  - Every: 10m\n"),
    "a standing duty": DEPLOY + act("A") + "\n## Weekly maintenance\n" + NOW,
    "other kinds of checks": DEPLOY + act("A") + SMOKE + act("Look", "test -e done"),
    "a table that is new": BEFORE + look("Now", "tables: users") + DEPLOY + MIGRATE + SMOKE
    + look("Then", "tables: users, organizations"),
    "a schema is written once": BEFORE + look("Now", "fingerprint: public.users") + DEPLOY + MIGRATE
    + SMOKE + look("Then", "fingerprint: users"),
    "two looks before see it together": BEFORE + look("Now", "fingerprint: users")
    + look("And", "fingerprint: roles") + DEPLOY + MIGRATE + SMOKE
    + look("Then", "fingerprint: users, roles"),
}  # fmt: skip


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_nothing_is_said_where_there_is_a_look_before(really_understood: Reader, text: str) -> None:
    assert not warned(really_understood, text)


LOUD = {
    "behind the migration, before a restart": DEPLOY + MIGRATE + NOW
    + act("Restart", "systemctl restart app") + SMOKE + ANOTHER,
    "behind a migration by its own program": DEPLOY + act("Up", "alembic upgrade head") + NOW
    + act("Restart", "systemctl restart app") + SMOKE + ANOTHER,
    "behind a migration outside a deployment": BEFORE + MIGRATE + SMOKE + NOW,
    "in the deployment, behind all of it": DEPLOY + act("A") + NOW,
    "another database was looked at": BEFORE + look("Now", on="other") + DEPLOY + act("A") + SMOKE
    + NOW,
    "people deploy": DEPLOY + by_hand("Flip the switch") + SMOKE + NOW,
    "one way back compares": DEPLOY + act("A") + BACK + act("Back", "bin/back") + NOW,
    "the second look compares": DEPLOY + act("A") + SMOKE + look("Now", "not null: users.name")
    + look("Then", "fingerprint: users"),
    "looked at once in the watch": DEPLOY + act("A") + WATCH + NOW,
}  # fmt: skip


@pytest.mark.parametrize("text", LOUD.values(), ids=LOUD)
def test_it_is_told_once_for_each_database(really_understood: Reader, text: str) -> None:
    (found,) = warned(really_understood, text)
    assert found.code == "GN415"


def test_two_databases_are_told_apart(really_understood: Reader) -> None:
    both = look("One") + look("Other", on="other") + look("One again") + look("And", on="other")
    found = warned(really_understood, DEPLOY + act("A") + SMOKE + both)
    assert [d.message.partition("`")[2].partition("`")[0] for d in found] == ["db", "other"]


def test_a_fingerprint_needs_one_before(really_understood: Reader) -> None:
    text = DEPLOY + MIGRATE + SMOKE + look("Then", "fingerprint: users, public.roles")
    (found,) = warned(really_understood, BEFORE + look("Now", "fingerprint: users") + text)
    assert found.code == "GN416"
    assert found.message == "no fingerprint of `public.roles` is made before the deployment"
    assert warned(really_understood, BEFORE + look("Now", "fingerprint: app.roles, users") + text)


def test_all_tables_cannot_be_compared_with_some(really_understood: Reader) -> None:
    text = DEPLOY + MIGRATE + SMOKE + look("Then")
    (found,) = warned(really_understood, BEFORE + look("Now", "tables: users, roles") + text)
    assert found.code == "GN416"
    assert found.message.endswith("and before the deployment only `users`, `roles`")
    assert not warned(
        really_understood, BEFORE + look("Now", "tables: users") + look("All", "tables: []") + text
    )


def test_an_assisted_runbook_is_told_too(really_understood: Reader) -> None:
    text = "# Search\n" + DEPLOY + act("A") + SMOKE + look("Rows", on="postgresql://db/search")
    found = really_understood(text).diagnostics
    assert [d.severity for d in found if d.code == "GN415"] == [Severity.WARNING]
