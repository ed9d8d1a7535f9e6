"""The tools for migrations themselves, where they are installed: up, back, failures and kills."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.actions.migrating import context, rows, until
from tests.actions.real_tools import AUTHORS, BOOKS, HELD_DOWN, HELD_UP, PAGES, REAL, Real, located

from gonogo import records
from gonogo.actions.migrate import Migrate, MigrateBack, Migrations, Rehearsal
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Observation
from gonogo.services import Postgres

_TIME_S = 300.0
_WAITS = (
    "SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
)
_ALONE = (
    "SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend')"
)


def installed(*names: str, back: bool = False) -> list[Any]:
    return [
        pytest.param(
            real,
            id=name.replace(", ", "-").replace(" ", "-"),
            marks=pytest.mark.skipif(
                located(real.program) is None, reason=f"{real.program} is not installed"
            ),
        )
        for name, real in REAL.items()
        if (real.goes_back or not back) and (name in names or not names)
    ]


@dataclass(frozen=True, slots=True)
class Project:
    """A project of a tool, a database of its own, and `books` applied by an earlier run."""

    real: Real
    folder: Path
    url: str

    def context(self, run: str = "run", should_stop: Callable[[], bool] = bool) -> Context:
        made = context(self.url, self.folder, run, variables=self.real.variables(self.url))
        return replace(made, timeout_s=_TIME_S, should_stop=should_stop)

    def look(self) -> Observation:
        return Migrations(**self.real.block()).perform(self.context())  # type: ignore[arg-type]

    def up(self, run: str = "run", should_stop: Callable[[], bool] = bool) -> Observation:
        work = Migrate(unproved="a test", **self.real.block())  # type: ignore[arg-type]
        return work.perform(self.context(run, should_stop))

    def back(self, should_stop: Callable[[], bool] = bool) -> Observation:
        work = MigrateBack(**self.real.block())  # type: ignore[arg-type]
        return work.perform(self.context(should_stop=should_stop))

    def takes_back(self, *names: str) -> None:
        """Take back these and nothing else; a tool that cannot leaves all as it is."""
        before = self.there()
        if names and not self.real.goes_back:
            with pytest.raises(WorkError, match="no step back"):
                self.back()
            assert self.there() == before
            return
        assert self.back().indicators["undone"] == self.real.name(*names)
        assert self.there() == before - {*names}

    def there(self) -> set[str]:
        found = rows(
            self.url,
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " UNION SELECT column_name FROM information_schema.columns WHERE table_name = 'books'",
        )
        return {str(row[0]) for row in found} & {BOOKS, PAGES, AUTHORS, "half"}


@pytest.fixture
def project(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Project:
    real: Real = request.param
    real.project(tmp_path)
    made = Project(real, tmp_path, f"{database}?sslmode=disable")
    real.write(tmp_path, BOOKS)
    assert made.up("earlier").indicators["applied"] == real.name(BOOKS)
    return made


for_each = pytest.mark.parametrize("project", installed(), indirect=True)
for_each_with_a_way_back = pytest.mark.parametrize("project", installed(back=True), indirect=True)
for_each_that_settles_by_itself = pytest.mark.parametrize(
    "project", installed(*(name for name in REAL if name != "prisma")), indirect=True
)
slow = pytest.mark.timeout(_TIME_S)
long = pytest.mark.nightly  # they start a tool a dozen times, which takes seconds each


@slow
@for_each
def test_up_and_exactly_back_and_up_again(project: Project) -> None:
    real = project.real
    real.write(project.folder, PAGES, AUTHORS)
    seen = project.look().indicators
    assert (seen["applied"], seen["latest"]) == (1, real.name(BOOKS)[0])
    assert seen["pending names"] == real.name(PAGES, AUTHORS)
    up = project.up().indicators
    assert (up["applied"], up["left"]) == (real.name(PAGES, AUTHORS), 0)
    assert project.there() == {BOOKS, PAGES, AUTHORS}
    project.takes_back(AUTHORS, PAGES)
    rest = [PAGES, AUTHORS] if real.goes_back else []
    assert project.up().indicators["applied"] == real.name(*rest)


@slow
@for_each_that_settles_by_itself
def test_the_second_of_two_fails_and_only_what_is_there_is_taken_back(project: Project) -> None:
    real = project.real
    real.write(project.folder, PAGES)
    real.write(project.folder, AUTHORS, bad=True)
    with pytest.raises(WorkError, match="ended with") as caught:
        project.up()
    assert "already exists" in caught.value.hint
    assert project.there() == {BOOKS, *real.stays}
    project.takes_back(*real.stays)
    real.write(project.folder, AUTHORS)
    rest = [PAGES, AUTHORS] if real.goes_back else [AUTHORS]
    assert project.up().indicators["applied"] == real.name(*rest)


@slow
@pytest.mark.parametrize("project", installed("prisma"), indirect=True)
def test_what_prisma_holds_as_failed_is_for_a_person(project: Project) -> None:
    real = project.real
    real.write(project.folder, AUTHORS)
    real.write(project.folder, PAGES, bad=True)
    with pytest.raises(WorkError, match="ended with 1") as caught:
        project.up()
    assert 'relation "books" already exists' in caught.value.hint
    assert PAGES not in project.there()  # but `half` of it is, where the driver sends it by parts
    for work in (project.look, project.up, project.back):  # its status would tell `authors` only
        with pytest.raises(WorkError, match=r"_pages` has begun in this database and not ended"):
            work()
    with psycopg.connect(project.url) as connection:
        connection.execute("DROP TABLE IF EXISTS half")
    _prisma(project, "migrate", "resolve", "--rolled-back", *real.name(PAGES))
    assert project.look().indicators["pending names"] == real.name(PAGES, AUTHORS)
    real.write(project.folder, PAGES)
    assert project.up().indicators["applied"] == real.name(PAGES, AUTHORS)


def a_branch(folder: Path, name: str, before: str | tuple[str, str]) -> None:
    text = (
        f"from alembic import op\nrevision = {name!r}\ndown_revision = {before!r}\n"
        f"def upgrade():\n    op.execute('CREATE TABLE {name} ()')\n"
        f"def downgrade():\n    op.execute('DROP TABLE {name}')\n"
    )
    (folder / "schema" / "versions" / f"{name}.py").write_text(text)


@slow
@pytest.mark.parametrize("project", installed("alembic"), indirect=True)
def test_alembic_takes_back_its_branch_and_leaves_the_older_one(project: Project) -> None:
    a_branch(project.folder, "r_right", "r_books")
    assert project.up("earlier still").indicators["applied"] == ["r_right"]
    a_branch(project.folder, "r_left", "r_books")
    a_branch(project.folder, "r_merge", ("r_left", "r_right"))
    assert project.up().indicators["applied"] == ["r_left", "r_merge"]
    assert project.back().indicators["undone"] == ["r_merge", "r_left"]
    found = rows(project.url, "SELECT to_regclass('r_right'), to_regclass('r_left')")
    assert found == [("r_right", None)]


@long
@slow
@for_each_with_a_way_back
def test_up_down_up_on_a_copy(project: Project, postgres: Postgres) -> None:
    project.real.write(project.folder, PAGES, AUTHORS)
    work = Rehearsal(tools=str(postgres.bin), **project.real.block())  # type: ignore[arg-type]
    seen = work.perform(project.context()).indicators
    assert (seen["complete"], seen["migrations"], seen["differences"]) == (True, 2, 0)
    assert project.there() == {BOOKS}


# A run that a test can kill: it waits in a migration for a lock that the test holds.
_LIFE = """
import json, sys
from dataclasses import replace
from pathlib import Path
from tests.actions.migrating import context
from gonogo.actions.migrate import Migrate, MigrateBack
said = json.loads(sys.argv[1])
folder = Path(said["folder"])
work = MigrateBack if said["way"] == "back" else lambda **block: Migrate(unproved="x", **block)
made = context(said["url"], folder, variables=said["variables"], timeout_s=300)
work(**said["block"]).perform(replace(made, folder=folder / "life"))
"""


class Held:
    """A lock that lets the tool of a killed life wait in the middle of a migration."""

    def __init__(self, project: Project, number: int) -> None:
        self.connection = psycopg.connect(project.url, autocommit=True)
        self.connection.execute("SELECT pg_advisory_lock(%s)", (number,))

    def let_go(self) -> bool:
        """Also asked as `should_stop` by those who wait for the tool, which then goes on."""
        self.connection.close()
        return False


@contextlib.contextmanager
def a_life(project: Project, way: str) -> Any:
    """Yield a process that migrates `up` or `back`, when it is in the middle of a migration."""
    real = project.real
    said = {
        "url": project.url,
        "folder": str(project.folder),
        "way": way,
        "block": real.block(),
        "variables": real.variables(project.url),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _LIFE, json.dumps(said)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "src:."},
    )
    try:
        until(project.url, _WAITS)
        yield process
    finally:
        process.kill()
        process.wait()


def kill_its_tool(project: Project) -> None:
    """Kill the tool of the last call, and what keeps its result."""
    call = list(records.read(project.folder / "run", "migration-calls.jsonl"))[-1]
    pids = json.loads((Path(str(call["folder"])) / "pid.json").read_text())
    os.kill(pids["shim"], signal.SIGKILL)
    os.killpg(pids["child"], signal.SIGKILL)


def killed(project: Project, way: str, *, tool: bool) -> Held:
    """Kill a life in the middle of a migration; with `tool` what it called too, and its work."""
    held = Held(project, HELD_UP if way == "up" else HELD_DOWN)
    with a_life(project, way) as life:
        life.send_signal(signal.SIGKILL)
        if tool:
            kill_its_tool(project)
    if tool:
        held.let_go()
        until(project.url, _ALONE)  # the server has undone what was not committed
    return held


@long
@slow
@for_each
def test_gonogo_killed_in_the_middle_of_the_way_up(project: Project) -> None:
    real = project.real
    real.write(project.folder, PAGES, AUTHORS)
    held = killed(project, "up", tool=False)
    seen = project.up(should_stop=held.let_go).indicators  # waits until the tool has ended
    assert (seen["applied"], seen["left"]) == ([], 0)
    assert project.there() == {BOOKS, PAGES, AUTHORS}
    project.takes_back(AUTHORS, PAGES)


@long
@slow
@for_each_that_settles_by_itself
@pytest.mark.parametrize("first", ["up", "back"])
def test_gonogo_and_the_tool_killed_in_the_middle_of_the_way_up(
    project: Project, first: str
) -> None:
    real = project.real
    real.write(project.folder, PAGES, AUTHORS)
    killed(project, "up", tool=True)
    there = (PAGES, AUTHORS) if real.sends_at_once else real.stays
    assert project.there() == {BOOKS, *there}
    if first == "back":
        project.takes_back(*reversed(there))
        return
    rest = [name for name in (PAGES, AUTHORS) if name not in there]
    assert project.up().indicators["applied"] == real.name(*rest)
    project.takes_back(AUTHORS, PAGES)


@long
@slow
@pytest.mark.parametrize("project", installed("prisma"), indirect=True)
def test_gonogo_and_prisma_killed_in_the_middle_of_the_way_up(project: Project) -> None:
    real = project.real
    real.write(project.folder, PAGES, AUTHORS)
    killed(project, "up", tool=True)
    for work in (project.up, project.back):
        with pytest.raises(WorkError, match=r"_authors` has begun in this database and not ended"):
            work()
    there = project.there()
    assert {BOOKS, PAGES} <= there  # `authors` too, where the driver had sent all of it at once
    word = "--applied" if AUTHORS in there else "--rolled-back"
    _prisma(project, "migrate", "resolve", word, *real.name(AUTHORS))
    assert project.up().indicators["left"] == 0
    assert project.there() == {BOOKS, PAGES, AUTHORS}


@long
@slow
@for_each_with_a_way_back
@pytest.mark.parametrize("tool", [False, True], ids=["gonogo", "both"])
def test_killed_in_the_middle_of_a_step_back(project: Project, tool: bool) -> None:
    real = project.real
    real.write(project.folder, PAGES, AUTHORS)
    project.up()
    held = killed(project, "back", tool=tool)
    assert project.there() == {BOOKS, PAGES}
    seen = project.back(should_stop=held.let_go).indicators
    assert (seen["undone"], seen["left"]) == (real.name(PAGES) if tool else [], 0)
    assert project.there() == {BOOKS}
    assert project.up().indicators["applied"] == real.name(PAGES, AUTHORS)


def _prisma(project: Project, *words: str) -> None:
    subprocess.run(
        ["prisma", *words],
        cwd=project.folder,
        env=project.real.variables(project.url),
        check=True,
        capture_output=True,
    )
