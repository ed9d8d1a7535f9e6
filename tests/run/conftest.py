"""One stage per test, a plan of one step unless the test says otherwise; and a run that tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.scenes import Stage
from tests.support.telling import World
from tests.support.works import a_phase, a_plan

from gonogo.plan.model import Plan, Step


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Build a stage from a plan, or from the steps of its only phase."""
    opened: list[Stage] = []

    def build(*steps: Step, plan: Plan | None = None, **more: Any) -> Stage:
        made = Stage(tmp_path, plan or a_plan(a_phase("smoke", *steps)), **more)
        opened.append(made)
        return made

    yield build
    for made in opened:
        made.journal.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Build the alerts and messages of a run from the channels of its contacts."""
    with ExitStack() as stack:

        def build(ways: Any, **more: Any) -> World:
            made = World(tmp_path, ways, **more)
            stack.callback(lambda: made.journal.close())  # noqa: PLW0108 - it is reborn with another
            return made

        yield build
