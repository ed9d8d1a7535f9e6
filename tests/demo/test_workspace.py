from __future__ import annotations

import sys

from tests.demo.acting import succeed

from gonogo.demo.workspace import Workspace, example
from gonogo.services import Postgres


def test_its_programs_come_before_those_of_the_machine(bare: Workspace, postgres: Postgres) -> None:
    assert succeed(bare, "command -v pg_dump") == str(postgres.bin / "pg_dump")
    assert succeed(bare, "python3 -c 'import sys; print(sys.prefix)'") == sys.prefix


def test_it_is_a_copy_that_leaves_the_original_alone(bare: Workspace) -> None:
    before = (example() / "releases" / "v2" / "config.json").read_text()
    bare.plant("admin-open")
    planted = (bare.folder / "releases" / "v2" / "config.json").read_text()
    assert (example() / "releases" / "v2" / "config.json").read_text() == before != planted
    bare.plant("none")
    assert (bare.folder / "releases" / "v2" / "config.json").read_text() == before
    assert not (example() / "tokens.json").exists()
