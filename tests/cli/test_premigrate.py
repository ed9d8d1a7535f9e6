"""Migrations seen before a run: their files, what must stand before them, the way back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.cli.running import gonogo

from gonogo.cli.load import load
from gonogo.cli.premigrate import losses_ahead, migration_remarks
from gonogo.errors import Severity

HEAD = """---
gonogo: 1
service: shop
targets:
  db: ${DATABASE_URL}
---
# Shop

"""
PROOF = """## Pre-deployment
- [ ] Back up
  ```yaml
  action: backup
  on: db
  to: backups/shop-{{time}}.dump
  ```
- [ ] Restore it
  ```yaml
  check: restore
  on: db
  backup: this run
  ```

"""
MIGRATE = """## Deployment
1. Migrate
   ```yaml
   action: migrate
   on: db
   OPTIONS
   ```
   - Undo:
     ```yaml
     action: migrate-back
     on: db
     ```
"""


def book(folder: Path, files: Mapping[str, str], options: str = "", *, proved: bool = True) -> Path:
    for name, text in files.items():
        (folder / "migrations").mkdir(exist_ok=True)
        (folder / "migrations" / name).write_text(text)
    path = folder / "deploy.md"
    body = MIGRATE.replace("   OPTIONS\n", f"   {options}\n" if options else "")
    path.write_text(HEAD + (PROOF if proved else "") + body)
    return path


def remarks(path: Path) -> dict[str, tuple[str, str]]:
    return {
        d.code: (d.severity.value, d.message)
        for d in migration_remarks(load(str(path)))
        if d.severity is not Severity.NOTE
    }


CLEAN = {"0001_a.up.sql": "CREATE TABLE a (id int);", "0001_a.down.sql": "DROP TABLE a;"}
DROPS = {
    "0002_b.up.sql": "-- the note is gone\nALTER TABLE b\n  DROP COLUMN note;",
    "0002_b.down.sql": "ALTER TABLE b ADD COLUMN note text;",
}


def test_clean_migrations_behind_a_proved_backup_say_nothing(tmp_path: Path) -> None:
    assert remarks(book(tmp_path, CLEAN)) == {}


FINDINGS = {
    "does not parse": ("SELECT 1;\nSELEC 2;", "GN530", "migrations/0001_x.up.sql:2`: PostgreSQL"),
    "lost": ("\n\nTRUNCATE t;", "GN531", "migrations/0001_x.up.sql:3`: `t` is lost"),
    "rewritten": ("ALTER TABLE t ADD i serial;", "GN532", "every row of `t` is written anew"),
    "locked": ("CREATE INDEX ON t (a);", "GN533", "nobody can write to `t`"),
    "checked": ("ALTER TABLE t ALTER a SET NOT NULL;", "GN534", "every row of `t` is read"),
    "not empty": ("ALTER TABLE t ADD a int NOT NULL;", "GN535", "fails when `t` has rows"),
    "mixed": ("SELECT 1; VACUUM t;", "GN537", "holds `VACUUM`, so none of its statements"),
    "own transaction": ("BEGIN; SELECT 1; COMMIT;", "GN537", "begins or ends a transaction"),
    "no way back": ("SELECT 1;", "GN539", "0001_x.up.sql` has no way back"),
    "not said": ("DROP TABLE t;", "GN541", "destroys `t`, and the block does not say so"),
    "renamed": ("ALTER TABLE t RENAME a TO b;", "GN542", "still runs asks for `t.a`"),
}


@pytest.mark.parametrize(("text", "code", "words"), FINDINGS.values(), ids=FINDINGS)
def test_a_file_is_read_and_its_line_is_named(
    text: str, code: str, words: str, tmp_path: Path
) -> None:
    found = remarks(book(tmp_path, {"0001_x.up.sql": text}))
    assert words in found[code][1]


def test_a_tool_that_sends_the_files_has_no_patience_of_ours(tmp_path: Path) -> None:
    text = "-- migrate:up\nALTER TABLE t ADD a int;\n-- migrate:down\nSELECT 1;"
    path = book(tmp_path, {"0001_x.sql": text}, "tool: dbmate\n   folder: migrations")
    assert "waits for `t` without end" in remarks(path)["GN536"][1]
    assert remarks(book(tmp_path, {"0001_x.sql": text})) == {}


def test_a_way_back_that_destroys_more_than_was_made_is_told(tmp_path: Path) -> None:
    files = {**CLEAN, "0001_a.up.sql": "CREATE TABLE IF NOT EXISTS a (id int);"}
    assert "0001_a.down.sql:1` destroys `a`" in remarks(book(tmp_path, files))["GN543"][1]


def test_named_migrations_are_held_to_it_and_others_are_not_looked_at(tmp_path: Path) -> None:
    path = book(tmp_path, {**CLEAN, **DROPS}, "only: 0001")
    assert remarks(path) == {}
    path = book(tmp_path, {}, "only: 0002")
    assert remarks(path)["GN541"][0] == "error"
    path = book(tmp_path, {}, "only: 0002\n   destroys: b.note")
    assert "GN541" not in remarks(path)
    path = book(tmp_path, {}, "only: 0077")
    assert "there is no migration `77`" in remarks(path)["GN538"][1]


def test_what_lies_behind_the_last_one_wanted_is_not_looked_at(tmp_path: Path) -> None:
    assert remarks(book(tmp_path, {**CLEAN, **DROPS}, "to: 0001")) == {}
    assert "GN541" in remarks(book(tmp_path, {}, "to: 0002"))
    path = book(tmp_path, {}, "to: 0077")
    assert "there is no migration `77`" in remarks(path)["GN538"][1]


def test_a_migration_without_a_proved_way_back_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, CLEAN, proved=False)
    assert remarks(path)["GN540"] == (
        "error",
        "no backup and no restore test stands before this migration",
    )
    done = gonogo("lint", "--quiet", path, cwd=tmp_path)
    assert done.code == 2
    assert "error[GN540]" in done.err


def test_a_backup_of_something_else_proves_nothing(tmp_path: Path) -> None:
    path = book(tmp_path, CLEAN)
    text = path.read_text().replace("  db: ${DATABASE_URL}", "  db: ${A}\n  cache: ${B}")
    path.write_text(text.replace("action: backup\n  on: db", "action: backup\n  on: cache"))
    assert "no backup stands before" in remarks(path)["GN540"][1]


def test_a_backup_of_chosen_tables_brings_no_database_back(tmp_path: Path) -> None:
    path = book(tmp_path, CLEAN)
    path.write_text(path.read_text().replace("action: backup\n", "action: backup\n  tables: b\n"))
    assert "no backup stands before" in remarks(path)["GN540"][1]


def test_a_restore_test_of_something_else_proves_nothing(tmp_path: Path) -> None:
    path = book(tmp_path, CLEAN)
    text = path.read_text().replace("  db: ${DATABASE_URL}", "  db: ${A}\n  spare: ${B}")
    elsewhere = "check: restore\n  on: spare"
    path.write_text(text.replace("check: restore\n  on: db", elsewhere))
    assert "no restore test stands before" in remarks(path)["GN540"][1]
    path.write_text(path.read_text().replace(elsewhere, f"{elsewhere}\n  source: db"))
    assert "GN540" not in remarks(path)


def test_what_nobody_has_proved_is_typed_by_a_person(tmp_path: Path) -> None:
    path = book(tmp_path, CLEAN, 'unproved: "an empty database"', proved=False)
    path.write_text(path.read_text().replace("   - Undo:", "   - No dump: empty\n   - Undo:"))
    assert remarks(path) == {}
    (step,) = [s for s in load(str(path)).steps() if s.destroys]
    assert step.destroys[0].target == "db"
    assert "an empty database" in step.destroys[0].statement


def test_the_plan_shows_where_there_is_no_way_back(tmp_path: Path) -> None:
    done = gonogo("plan", book(tmp_path, {**CLEAN, **DROPS}), cwd=tmp_path)
    (line,) = [line for line in done.out.splitlines() if line.startswith("point of no return")]
    assert "Migrate" in line
    assert "b.note is lost" in " ".join(done.out.split())
    route = json.loads(gonogo("plan", "--json", tmp_path / "deploy.md", cwd=tmp_path).out)["route"]
    assert route["point_of_no_return"]["why"] == "b.note is lost (migrations/0002_b.up.sql)"


def test_without_a_loss_the_step_back_is_the_way_back(tmp_path: Path) -> None:
    assert losses_ahead(load(str(book(tmp_path, CLEAN)))) == {}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    severity, message = remarks(book(tmp_path, {}))["GN538"]
    assert severity == "error"
    assert "there is no folder" in message


def test_many_old_migrations_do_not_bury_the_new(tmp_path: Path) -> None:
    files = {f"{n:04d}_x.up.sql": "CREATE INDEX ON t (a);" for n in range(1, 60)}
    found = migration_remarks(load(str(book(tmp_path, files))))
    assert len(found) == 21
    assert "0059_x" in found[-2].message
    assert "98 more remarks" in found[-1].message


COUNTED = {
    "bin/rails db:rollback STEP=2": "db:rollback STEP=2",
    "bundle exec rake db:rollback": "db:rollback",
    "alembic downgrade -1": "alembic downgrade -1",
    "dbmate rollback": "dbmate rollback",
    "./migrate down 2": "migrate down 2",
    "alembic downgrade ae10": "",
    "echo done # db:rollback STEP=2": "",
    "bin/rails db:migrate:down VERSION=20260101": "",
}


@pytest.mark.parametrize(("command", "said"), COUNTED.items(), ids=list(COUNTED))
def test_a_way_back_that_counts_is_warned_of(command: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "deploy.md"
    back = f"\n   - Undo:\n     ```bash\n     {command}\n     ```\n"
    path.write_text(f"{HEAD}## Deployment\n1. Migrate\n   ```bash\n   ./up\n   ```{back}")
    found = remarks(path)
    assert ("GN544" in found) is bool(said)
    assert not said or f"`{said}` goes back by a number" in found["GN544"][1]


def test_the_example_of_the_page_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "migrations.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^````markdown runbook\n(.*?)^````$", page, re.MULTILINE | re.DOTALL)
    book(tmp_path, CLEAN)
    (tmp_path / "db").mkdir()
    (tmp_path / "migrations").rename(tmp_path / "db" / "migrations")
    path = tmp_path / "page.md"
    path.write_text(text)
    assert remarks(path) == {}
    assert all(d.severity is Severity.NOTE for d in load(str(path)).diagnostics)
