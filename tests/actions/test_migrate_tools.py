"""Tools with commands of their own go up, and take back no more than what this run has applied."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.actions.migrating import context

from gonogo.actions.migrate import Migrate, MigrateBack, Migrations
from gonogo.errors import WorkError

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
