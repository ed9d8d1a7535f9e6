"""The one list of kinds: ours first, then those of installed packages.

A kind of ours is imported when a runbook first asks for it, and installed packages are looked at
only for what none of ours knows (entry point group `gonogo.kinds`), so that the start stays fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from gonogo.errors import UsageError
from gonogo.plan.kinds import Work

GROUP = "gonogo.kinds"


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind that is not imported yet: where it is, its name, the languages of its fences."""

    place: str
    name: str
    languages: str = ""

    def kind(self) -> type[Work]:
        """Import it."""
        module, _, name = self.place.partition(":")
        found: type[Work] = getattr(import_module(f"gonogo.{module}"), name)
        return found


ENTRIES: tuple[Entry, ...] = (
    Entry("actions.shell:Shell", "shell", "bash shell"),
    Entry("actions.sql:Sql", "sql", "sql postgresql pgsql postgres"),
    Entry("probes.http:Http", "http", "http rest"),
    Entry("probes.redis:Redis", "redis"),
    Entry("probes.tcp:Tcp", "tcp"),
    Entry("probes.file:File", "file"),
    Entry("probes.load:Load", "load"),
    Entry("probes.websocket:WebSocket", "websocket"),
    Entry("probes.browser:Browser", "browser"),
    Entry("actions.clear:Clear", "clear"),
    Entry("probes.history.past_run:PastRun", "run"),
    Entry("probes.history.drill:Drill", "drill"),
    Entry("probes.integrity:Integrity", "integrity"),
    Entry("actions.backup:Backup", "backup"),
    Entry("actions.backup:CheckBackup", "check backup"),
    Entry("actions.backup:CheckRestore", "check restore"),
    Entry("actions.backup:Restore", "restore"),
    Entry("actions.migrate:Migrate", "migrate"),
    Entry("actions.migrate:MigrateBack", "migrate-back"),
    Entry("actions.migrate:Migrations", "migrations"),
    Entry("actions.migrate:Rehearsal", "migration-rehearsal"),
)
# Told apart from their kind by the language of the fence only.
VARIANTS: tuple[Entry, ...] = (
    Entry("actions.shell:Sh", "shell", "sh"),
    Entry("actions.shell:Session", "shell", "console shell-session sh-session"),
    Entry("actions.shell:PowerShell", "shell", "powershell pwsh posh ps1"),
    Entry("actions.shell:Batch", "shell", "cmd bat batch dosbatch"),
    Entry("actions.shell:OtherShell", "shell", "zsh fish csh tcsh ksh"),
)

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

    def __init__(self, kinds: Sequence[Entry], variants: Sequence[Entry] = ()) -> None:
        """Hold `kinds`; `variants` are told apart by their fence language only."""
        self._by_name = {entry.name: entry for entry in kinds}
        self._by_language = {
            language: entry for entry in (*kinds, *variants) for language in entry.languages.split()
        }
        self._installed: tuple[type[Work], ...] | None = None

    def kind(self, name: str) -> type[Work] | None:
        """Return the kind of this name; a name with its verb (`check backup`) is one of ours."""
        found = self._by_name.get(name)
        if found is not None or " " in name:
            return found.kind() if found is not None else None
        return next((kind for kind in self._others() if kind.kind == name), None)

    def language(self, word: str) -> type[Work] | None:
        """Return the kind that a fence language means."""
        found = self._by_language.get(word.lower())
        if found is not None or not word or word.lower() in _DOCUMENTATION:
            return found.kind() if found is not None else None
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
    return Kinds(ENTRIES, VARIANTS)


def ours() -> tuple[type[Work], ...]:
    """Import all of our kinds and return them."""
    return tuple(entry.kind() for entry in ENTRIES)


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
