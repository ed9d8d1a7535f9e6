"""What the tests of the runbook hop may ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.runbook.scripted import ScriptedCatalog

from gonogo import catalog as catalog_of_kinds
from gonogo.plan.kinds import Catalog
from gonogo.runbook.assemble import Understanding, understand
from gonogo.runbook.markdown import read
from gonogo.source import Source

Reader = Callable[[str], Understanding]


@pytest.fixture
def catalog() -> Catalog:
    """Return kinds that do nothing."""
    return ScriptedCatalog()


@pytest.fixture
def really_understood() -> Reader:
    """Return the same with the kinds that gonogo has."""
    kinds = catalog_of_kinds.load()
    return lambda text: understand(read(Source("deploy.md", text)), kinds)


@pytest.fixture
def understood(catalog: Catalog) -> Reader:
    """Return a function from the text of a runbook to what is understood."""
    return lambda text: understand(read(Source("deploy.md", text)), catalog)
