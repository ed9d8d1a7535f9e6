"""Whether a browser can be driven on this machine."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest

from gonogo.probes.browser.loading import PROGRAMS

driven = pytest.mark.skipif(
    find_spec("playwright") is None or not any(map(shutil.which, PROGRAMS)),
    reason="there is no browser here, or playwright, which drives it, is not installed",
)
