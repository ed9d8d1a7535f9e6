"""The one list of kinds: ours first, then those of installed packages.

Installed packages add kinds through the entry point group `gonogo.kinds`. They are looked for only
when a runbook says something that none of our kinds knows, so that the start stays fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gonogo.actions.shell import Batch, OtherShell, PowerShell, Session, Sh, Shell
from gonogo.actions.sql import Sql
from gonogo.errors import UsageError
from gonogo.plan.kinds import Work
from gonogo.probes.file import File
from gonogo.probes.http import Http
from gonogo.probes.load import Load
from gonogo.probes.redis import Redis
from gonogo.probes.tcp import Tcp

GROUP = "gonogo.kinds"
KINDS: tuple[type[Work], ...] = (Shell, Sql, Http, Redis, Tcp, File, Load)
VARIANTS: tuple[type[Work], ...] = (Sh, Session, PowerShell, Batch, OtherShell)

# Languages of fences that are documentation; nobody is asked about them.
_DOCUMENTATION = frozenset(
    """text txt plain plaintext json json5 jsonc yaml yml toml ini conf config env properties
    markdown md mdx html css scss js jsx ts tsx javascript typescript python py ruby rb go rust
    java kotlin c cpp csharp php swift lua perl r diff patch xml csv tsv mermaid promql logql
    nginx dockerfile docker makefile make hcl terraform log output graphql svg cron
    crontab vim apache""".split()  # noqa: SIM905
)


class Kinds:
    """A catalog; see `gonogo.plan.kinds.Catalog`."""

    def __init__(self, kinds: Sequence[type[Work]], variants: Sequence[type[Work]] = ()) -> None:
        """Hold `kinds`; `variants` are told apart by their fence language only."""
        self._by_name = {kind.kind: kind for kind in kinds}
        self._by_language = {
            language: kind for kind in (*kinds, *variants) for language in kind.languages
        }
        self._installed: tuple[type[Work], ...] | None = None

    def kind(self, name: str) -> type[Work] | None:
        """Return the kind of this name."""
        if name in self._by_name:
            return self._by_name[name]
        return next((kind for kind in self._others() if kind.kind == name), None)

    def language(self, word: str) -> type[Work] | None:
        """Return the kind that a fence language means."""
        found = self._by_language.get(word.lower())
        if found is not None or not word or word.lower() in _DOCUMENTATION:
            return found
        return next((kind for kind in self._others() if word.lower() in kind.languages), None)

    def names(self) -> tuple[str, ...]:
        """Return the names of all kinds, ours first."""
        return (*self._by_name, *(k.kind for k in self._others() if k.kind not in self._by_name))

    def _others(self) -> tuple[type[Work], ...]:
        if self._installed is None:
            self._installed = tuple(_installed())
        return self._installed


def load() -> Kinds:
    """Return the catalog of all kinds."""
    return Kinds(KINDS, VARIANTS)


def _installed() -> Iterator[type[Work]]:
    """Load the kinds of installed packages.

    Raises:
        UsageError: one of them cannot be loaded or is no kind.
    """
    from importlib.metadata import entry_points

    for entry in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        try:
            kind = entry.load()
        except Exception as error:  # whatever a foreign package raises
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"the installed kind `{entry.name}` cannot be loaded: {reason}",
                hint="update or remove the package that brings it",
            ) from error
        lacking = [name for name in _NEEDED if not hasattr(kind, name)]
        if lacking:
            raise UsageError(
                f"the installed kind `{entry.name}` lacks `{lacking[0]}`",
                hint="see docs/kinds.md for what a kind must have",
            )
        yield kind


_NEEDED = (
    *("kind", "languages", "indicators", "example", "traceable", "effect", "default_expectation"),
    *("variables", "destroys", "review", "describe", "perform"),
)
