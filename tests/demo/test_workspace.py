from __future__ import annotations

import sys

import pytest
from tests.demo.acting import succeed

from gonogo.demo.bundled import SEARCH
from gonogo.demo.pace import REAL_TIME, SHORT
from gonogo.demo.workspace import Workspace
from gonogo.errors import UsageError
from gonogo.services import Postgres


def test_its_programs_come_before_those_of_the_machine(bare: Workspace, postgres: Postgres) -> None:
    assert succeed(bare, "command -v pg_dump") == str(postgres.bin / "pg_dump")
    assert succeed(bare, "python3 -c 'import sys; print(sys.prefix)'") == sys.prefix


def test_it_is_a_copy_that_leaves_the_original_alone(bare: Workspace) -> None:
    before = (SEARCH.original() / "releases" / "v2" / "config.json").read_text()
    bare.plant("admin-open")
    planted = (bare.folder / "releases" / "v2" / "config.json").read_text()
    assert (SEARCH.original() / "releases" / "v2" / "config.json").read_text() == before != planted
    bare.plant("none")
    assert (bare.folder / "releases" / "v2" / "config.json").read_text() == before
    assert not (SEARCH.original() / "tokens.json").exists()


def test_another_pace_stands_in_the_heading_of_the_copy(bare: Workspace) -> None:
    original = (bare.folder / "deploy.md").read_text()
    bare.watch(SHORT)
    assert (bare.folder / "deploy.md").read_text() == original
    bare.watch(REAL_TIME)
    text = (bare.folder / "deploy.md").read_text()
    assert "\n## Watch for 1 hour in 5-minute buckets\n" in text
    assert "\nrecovery: { green: 2 buckets, within: 45m, rto: 45m }\n" in text
    text = text.replace(REAL_TIME.recovery, SHORT.recovery)
    assert text.replace(REAL_TIME.heading, SHORT.heading) == original
    with pytest.raises(UsageError, match="has no line"):
        bare.watch(SHORT)
