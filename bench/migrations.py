"""A thousand migrations read and judged before a run, beside one, and beside the parser alone."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import Cost, cost

COUNT = 1_000
_BOOK = """---
gonogo: 1
service: shop
targets:
  db: ${DATABASE_URL}
---
# Shop

## Deployment
1. Migrate
   ```yaml
   action: migrate
   on: db
   unproved: a benchmark
   ```
   - No dump: a benchmark
"""
_UPS = (
    "CREATE TABLE t{n} (\n    id bigint PRIMARY KEY,\n    name text NOT NULL,\n"
    "    made_at timestamptz NOT NULL DEFAULT now()\n);\nCREATE INDEX ON t{n} (name);\n",
    "ALTER TABLE orders ADD COLUMN c{n} int NOT NULL DEFAULT 0;\n"
    "UPDATE orders SET c{n} = id % 7 WHERE c{n} = 0;\n",
    "CREATE INDEX CONCURRENTLY i{n} ON orders (customer, made_at) WHERE state <> 'done';\n",
    "CREATE FUNCTION f{n}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
    "    NEW.made_at := now();\n    RETURN NEW;\nEND $$;\n",
)
_DOWNS = (
    "DROP TABLE t{n};\n",
    "ALTER TABLE orders DROP COLUMN c{n};\n",
    "DROP INDEX CONCURRENTLY i{n};\n",
    "DROP FUNCTION f{n}();\n",
)
_PARSER = (
    "import sys, pathlib, postgast\n"
    "for path in pathlib.Path(sys.argv[1]).glob('*.sql'): postgast.parse(path.read_text())\n"
)


def report() -> str:
    """Return the section of the results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, many = _book(folder / "one", 1), _book(folder / "many", COUNT)
        floor = cost([sys.executable, "-c", _PARSER, str(many.parent / "migrations")], runs=3)
        rows = [
            ("the parser alone, 2,000 files", floor),
            ("`gonogo lint`, one migration", _lint(few)),
            (f"`gonogo lint`, {COUNT:,} migrations", _lint(many)),
        ]
    lines = [
        f"### Reading {COUNT:,} migrations (up and down, 1 to 6 lines each)",
        "",
        "| | CPU s | wall s | CPU / parser |",
        "|---|---|---|---|",
        *(f"| {what} | {c.cpu:.3f} | {c.wall:.3f} | {c.times(floor)} |" for what, c in rows),
    ]
    return "\n".join(lines) + "\n"


def _lint(book: Path) -> Cost:
    return cost(
        [sys.executable, "-m", "gonogo", "lint", "--quiet", str(book)], runs=3, cwd=book.parent
    )


def _book(folder: Path, count: int) -> Path:
    where = folder / "migrations"
    where.mkdir(parents=True)
    for n in range(1, count + 1):
        for way, texts in (("up", _UPS), ("down", _DOWNS)):
            text = texts[n % len(texts)].replace("{n}", str(n))
            (where / f"{n:04d}_change.{way}.sql").write_text(text, encoding="utf-8")
    path = folder / "deploy.md"
    path.write_text(_BOOK, encoding="utf-8")
    return path
