"""Settings in the making: what was read of the front matter so far, and what is wrong with it."""

from __future__ import annotations

import yaml

from gonogo.plan.model import Metric, Mode, Retry, Target
from gonogo.plan.receivers import Receivers
from gonogo.plan.receiving import Written, read_receivers
from gonogo.plan.windows import Freeze
from gonogo.runbook import yaml_nodes
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import FrontMatter
from gonogo.source import Span


class SettingsDraft:
    """Settings in the making, and the notebook for what is wrong with them."""

    def __init__(self, front: FrontMatter, book: Notebook) -> None:
        """Begin with an empty page."""
        self.front = front
        self.book = book
        self.mode = Mode.EXPLICIT
        self.texts: dict[str, str] = {}
        self.targets: list[Target] = []
        self.metrics: list[Metric] = []
        self.environments: dict[str, dict[str, str]] = {}
        self.env: dict[str, str] = {}
        self.automatic = True
        self.timeout_s: float | None = None
        self.retry: Retry | None = None
        self.told: dict[str, yaml.Node] = {}
        self.freezes: list[Freeze] = []
        self.places: dict[str, Span] = {}

    def span(self, node: yaml.Node) -> Span:
        """Return where a value stands on the page."""
        return yaml_nodes.span_of(node, self.front.place)

    def wrong(self, node: yaml.Node, message: str, hint: str = "") -> None:
        """Say what is wrong with a value."""
        self.book.error("GN302", message, self.span(node), hint=hint)

    def written(self) -> dict[str, Written]:
        """Return the settings that other rooms read."""
        return {
            name: yaml_nodes.written(node, self.front.place) for name, node in self.told.items()
        }

    def receivers(self) -> Receivers:
        """Read contacts and alerts together, since alerts name contacts, in whichever order."""
        written = self.written()
        found, diagnostics = read_receivers(written.get("contacts"), written.get("alerts"))
        self.book.extend(diagnostics)
        return found
