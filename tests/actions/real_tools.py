"""A small project for each tool for migrations, to be used where the tool is installed.

Alembic and Django are part of the environment of the tests; the others are found in PATH.

Every project has three migrations: `books` is there before the release, `pages` and `authors` come
with it. `authors` waits on its way up for lock 1 and `pages` on its way down for lock 2, if
somebody holds them: so a test can stop a tool in its middle. All find DATABASE_URL.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
HELD_UP, HELD_DOWN = 1, 2
_HOLD = "SELECT pg_advisory_xact_lock_shared({})"
BOOKS, PAGES, AUTHORS = "books", "pages", "authors"
UP: Mapping[str, tuple[str, ...]] = {
    BOOKS: ("CREATE TABLE books (id int PRIMARY KEY, title text)",),
    PAGES: ("ALTER TABLE books ADD COLUMN pages int",),
    AUTHORS: (_HOLD.format(HELD_UP), "CREATE TABLE authors (id int PRIMARY KEY)"),
}
DOWN: Mapping[str, tuple[str, ...]] = {
    BOOKS: ("DROP TABLE books",),
    PAGES: (_HOLD.format(HELD_DOWN), "ALTER TABLE books DROP COLUMN pages"),
    AUTHORS: ("DROP TABLE authors",),
}
BAD = ("CREATE TABLE half (id int)", "CREATE TABLE books (id int)")  # the second one fails
_NUMBERS = {BOOKS: "20260101000000", PAGES: "20260102000000", AUTHORS: "20260103000000"}
_PLACES = {BOOKS: "0001", PAGES: "0002", AUTHORS: "0003"}


def located(program: str) -> str | None:
    """Return where a tool is, beside the Python of the tests or in PATH."""
    return shutil.which(program, path=PATH)


@dataclass(frozen=True, slots=True)
class Real:
    """A tool, and how a project of it is made."""

    tool: str
    program: str
    project: Callable[[Path], None]
    file: Callable[[str, tuple[str, ...], tuple[str, ...]], tuple[str, str]]
    says: str  # how the tool calls a migration: `{number}_{name}`
    command: Callable[[], str] = str
    app: str = ""
    goes_back: bool = True
    stays: tuple[str, ...] = (PAGES,)  # what is there after the second of two has failed
    sends_at_once: bool = False  # the server ends a migration whose sender has been killed

    def name(self, *migrations: str) -> list[str]:
        """Return how the tool calls these."""
        return [
            self.says.format(number=_NUMBERS[name], place=_PLACES[name], name=name)
            for name in migrations
        ]

    def write(self, folder: Path, *migrations: str, bad: bool = False) -> None:
        """Write migrations; with `bad` they fail in their middle on their way up."""
        for name in migrations:
            path, text = self.file(name, BAD if bad else UP[name], DOWN[name])
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    def block(self) -> dict[str, str]:
        """Return what a block says of it."""
        found = {"tool": self.tool, "command": self.command(), "app": self.app}
        return {name: text for name, text in found.items() if text}

    def variables(self, url: str) -> dict[str, str]:
        """Return the variables of a run."""
        own = {name: text for name, text in os.environ.items() if name.startswith("PRISMA_")}
        return {
            **own,
            "PATH": PATH,
            "HOME": os.environ.get("HOME", "/"),
            "DATABASE_URL": url,
            "DBMATE_NO_DUMP_SCHEMA": "true",
            "CHECKPOINT_DISABLE": "1",
        }


def _put(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


_ENVIRONMENT = """
import os
from alembic import context
from sqlalchemy import create_engine
url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
with create_engine(url).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=EACH)
    with context.begin_transaction():
        context.run_migrations()
"""


def _alembic(each: bool) -> Callable[[Path], None]:
    files = {
        "alembic.ini": "[alembic]\nscript_location = schema\n",
        "schema/env.py": _ENVIRONMENT.replace("EACH", str(each)),
    }
    return lambda folder: _put(folder, files)


def _of_alembic(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    before = {BOOKS: None, PAGES: "r_books", AUTHORS: "r_pages"}[name]
    text = (
        f"from alembic import op\nrevision = 'r_{name}'\ndown_revision = {before!r}\n"
        f"def upgrade():\n    for text in {up!r}:\n        op.execute(text)\n"
        f"def downgrade():\n    for text in {down!r}:\n        op.execute(text)\n"
    )
    return f"schema/versions/{name}.py", text


_MANAGE = """
import os, sys
from urllib.parse import urlsplit
from django.conf import settings
from django.core.management import execute_from_command_line
url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    INSTALLED_APPS=["shop"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path[1:], "USER": url.username, "HOST": url.hostname, "PORT": url.port,
    }},
)
execute_from_command_line(sys.argv)
"""


def _django(folder: Path) -> None:
    packages = {"shop/__init__.py": "", "shop/migrations/__init__.py": ""}
    _put(folder, {"manage.py": _MANAGE, **packages})


def _of_django(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    before = {BOOKS: "", PAGES: "0001_books", AUTHORS: "0002_pages"}[name]
    needs = [("shop", before)] if before else []
    text = (
        "from django.db import migrations\nclass Migration(migrations.Migration):\n"
        f"    dependencies = {needs!r}\n"
        f"    operations = [migrations.RunSQL({list(up)!r}, {list(down)!r})]\n"
    )
    return f"shop/migrations/{_PLACES[name]}_{name}.py", text


def _python_of_django() -> str:
    return f"{Path(located('django-admin') or '').parent / 'python'} manage.py"


_APPLICATION = """
require "rails"
require "active_record/railtie"
module Shop
  class Application < Rails::Application
    config.eager_load = false
    config.active_record.dump_schema_after_migration = false
    config.logger = Logger.new(nil)
    config.root = File.expand_path("..", __dir__)
  end
end
"""


def _rails(folder: Path) -> None:
    start = (
        'APP_PATH = File.expand_path("../config/application", __dir__)\nrequire "rails/commands"\n'
    )
    files = {
        "bin/rails": f"#!/usr/bin/env ruby\n{start}",
        "config/application.rb": _APPLICATION,
        "config/environment.rb": 'require_relative "application"\nRails.application.initialize!\n',
        "config/database.yml": 'development:\n  url: <%= ENV["DATABASE_URL"] %>\n',
        "Rakefile": 'require_relative "config/application"\nRails.application.load_tasks\n',
    }
    _put(folder, files)
    (folder / "bin/rails").chmod(0o755)


def _of_rails(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    ways = "".join(
        f"  def {way}\n"
        + "".join(f"    execute {json.dumps(text)}\n" for text in texts)
        + "  end\n"
        for way, texts in (("up", up), ("down", down))
    )
    text = f"class The{name.title()} < ActiveRecord::Migration[6.0]\n{ways}end\n"
    return f"db/migrate/{_NUMBERS[name]}_the_{name}.rb", text


def _nothing(folder: Path) -> None:
    (folder / "db" / "migrations").mkdir(parents=True)


def _of_dbmate(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    ways = f"-- migrate:up\n{_script(up)}\n-- migrate:down\n{_script(down)}"
    return f"db/migrations/{_NUMBERS[name]}_{name}.sql", ways


def _script(texts: tuple[str, ...]) -> str:
    return "".join(f"{text};\n" for text in texts)


_PRISMA_CONFIG = """
import { defineConfig } from "prisma/config";
import { PrismaPg } from "@prisma/adapter-pg";
const url = process.env.DATABASE_URL;
export default defineConfig({
  schema: "prisma/schema.prisma",
  datasource: { url },
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new PrismaPg({ connectionString: url, idleTimeoutMillis: 10 }),
} as any);
"""


def _prisma(folder: Path) -> None:
    """Make a project beside the packages of the Prisma in PATH, which have the driver too.

    So its engine is the one in WebAssembly, and no other has to be loaded.
    """
    packages = Path(located("prisma") or "").resolve().parents[2]
    (folder / "node_modules").symlink_to(packages)
    version = json.loads((packages / "prisma" / "package.json").read_text())["version"]
    url = '  url = env("DATABASE_URL")\n' if int(version.partition(".")[0]) <= 6 else ""
    files = {
        "prisma.config.ts": _PRISMA_CONFIG,
        "prisma/schema.prisma": f'datasource db {{\n  provider = "postgresql"\n{url}}}\n',
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    }
    _put(folder, files)


def _of_prisma(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    del down
    return f"prisma/migrations/{_NUMBERS[name]}_{name}/migration.sql", _script(up)


def _supabase(folder: Path) -> None:
    _put(folder, {"supabase/config.toml": 'project_id = "shop"\n'})


def _of_supabase(name: str, up: tuple[str, ...], down: tuple[str, ...]) -> tuple[str, str]:
    del down
    return f"supabase/migrations/{_NUMBERS[name]}_{name}.sql", _script(up)


REAL: Mapping[str, Real] = {
    "alembic": Real("alembic", "alembic", _alembic(False), _of_alembic, "r_{name}", stays=()),
    "alembic, each alone": Real("alembic", "alembic", _alembic(True), _of_alembic, "r_{name}"),
    "django": Real(
        "django",
        "django-admin",
        _django,
        _of_django,
        "shop.{place}_{name}",
        _python_of_django,
        "shop",
    ),
    "rails": Real("rails", "rails", _rails, _of_rails, "{number}"),
    "dbmate": Real("dbmate", "dbmate", _nothing, _of_dbmate, "{number}_{name}.sql"),
    "prisma": Real(
        "prisma",
        "prisma",
        _prisma,
        _of_prisma,
        "{number}_{name}",
        lambda: "prisma",
        goes_back=False,
    ),
    "supabase": Real(
        "supabase",
        "supabase",
        _supabase,
        _of_supabase,
        "{number}",
        goes_back=False,
        sends_at_once=True,
    ),
}
