"""A small database, and what looks at its integrity again and again, as the steps of one run do."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

from tests.support.backups import fill
from tests.support.kinds import a_context

from gonogo.judge.evaluate import Truth, evaluate_observation
from gonogo.plan import grammar
from gonogo.plan.kinds import Context, Observation
from gonogo.probes.integrity import Integrity
from gonogo.source import Span

SCHEMA = """
CREATE TABLE organizations (id int PRIMARY KEY, name text);
CREATE TABLE users (id int PRIMARY KEY, organization_id int REFERENCES organizations, name text);
CREATE INDEX ON users (organization_id);
CREATE TABLE documents (id int PRIMARY KEY, owner int REFERENCES users, body text);
CREATE VIEW busy AS SELECT * FROM users;
INSERT INTO organizations VALUES (1, 'a'), (2, 'b');
INSERT INTO users SELECT n, n % 2 + 1, 'u' || n FROM generate_series(1, 10) n;
INSERT INTO documents SELECT n, n % 10 + 1, 'd' || n FROM generate_series(1, 30) n;
"""


class Looker:
    """Looks again and again, as the steps of one run do."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._attempts = itertools.count(1)

    def context(self, attempt: int = 0, run: str = "run", **more: object) -> Context:
        base = a_context(self.folder, targets={"db": self.url}, timeout_s=30.0)
        place = self.folder / run / "steps" / "look" / str(attempt or next(self._attempts))
        return dataclasses.replace(base, folder=place, run_folder=self.folder / run, **more)  # type: ignore[arg-type]

    def look(self, attempt: int = 0, run: str = "run", **said: object) -> Observation:
        return Integrity(on="db", **said).perform(self.context(attempt, run))  # type: ignore[arg-type]

    def change(self, statements: str) -> None:
        fill(self.url, statements)


def numbers(seen: Observation, *names: str) -> tuple[object, ...]:
    return tuple(seen.indicators[name] for name in names)


def passes(seen: Observation, conditions: Sequence[str]) -> bool:
    for text in conditions:
        condition = grammar.read(text, Span.of_line(1)).condition
        assert condition is not None, text
        judged = evaluate_observation(condition, seen.indicators, seen.rows)
        if judged.truth is not Truth.PASS:
            return False
    return True


def row(seen: Observation, table: str) -> dict[str, object]:
    return next(dict(one) for one in seen.rows or () if one["table"] == table)
