"""The migrations of a folder, understood: which there are, in which order, and their ways back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gonogo.plan import sqltext

_VERSION = r"V?(?P<version>\d[\d.]*)"
_SHAPES = (
    re.compile(rf"(?P<folder>{_VERSION}[_-]+(?P<name>[^/]+))/(?P<way>up|down|migration)\.sql"),
    re.compile(rf"{_VERSION}[_-]+(?P<name>[^/]+?)\.(?P<way>up|down)\.sql"),
    re.compile(r"(?P<undo>U)(?P<version>\d[\d.]*)__(?P<name>[^/]+)\.sql"),
    re.compile(rf"{_VERSION}[_-]+(?P<name>[^/]+)\.sql"),
)
_SECTION = re.compile(
    r"^--[ \t]*(?:migrate:|\+goose[ \t]+)(?P<way>up|down)\b(?P<more>[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_NO_TRANSACTION = re.compile(
    r"^--[ \t]*(?:gonogo:[ \t]*no[ -]?transaction|\+goose[ \t]+no[ \t]+transaction"
    r"|disable[- ]?(?:ddl[- ]?)?transaction)",
    re.IGNORECASE | re.MULTILINE,
)
_REPEATED = re.compile(r"R__[^/]+\.sql")


@dataclass(frozen=True, slots=True)
class Script:
    """The SQL of one way; its lines are numbered as those of its file."""

    path: str
    text: str
    in_transaction: bool = True


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: `version` is what the table of applied ones keeps."""

    version: str
    name: str
    up: Script
    down: Script | None

    @property
    def title(self) -> str:
        """Return how people call it: `0003_agent_metrics`."""
        return self.name if self.name == self.version else f"{self.version}_{self.name}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a folder cannot be used as it is."""

    path: str
    message: str
    hint: str


def is_migration(path: str) -> bool:
    """Say whether a file, by its path in the folder, belongs to a migration."""
    return any(shape.fullmatch(path) for shape in _SHAPES)


def understand(
    files: Iterable[tuple[str, str]],
) -> tuple[tuple[Migration, ...], tuple[Problem, ...]]:
    """Return the migrations in the order in which they are applied, and what is wrong.

    `files` are pairs of a path relative to the folder and the text of the file.
    """
    ups: dict[str, list[tuple[str, Script]]] = {}
    downs: dict[str, list[Script]] = {}
    problems: list[Problem] = []
    for path, text in sorted(files):
        if _REPEATED.fullmatch(path):
            problems.append(
                Problem(path, "a repeatable migration has no way back", "use `tool: flyway`")
            )
            continue
        match = next((m for shape in _SHAPES if (m := shape.fullmatch(path))), None)
        if match is None:
            hint = "call it `0001_what_it_does.up.sql`, and its way back `….down.sql`"
            problems.append(Problem(path, "the name has no version in front", hint))
            continue
        up, down = _ways(path, text, match)
        if up is not None:
            ups.setdefault(match["version"], []).append((match["name"], up))
        if down is not None:
            downs.setdefault(match["version"], []).append(down)
    problems += _doubled(ups, downs)
    found = [
        Migration(version, same[0][0], same[0][1], downs.get(version, [None])[0])
        for version, same in ups.items()
    ]
    return tuple(sorted(found, key=lambda item: order(item.version))), tuple(problems)


def order(version: str) -> tuple[tuple[int, ...], str]:
    """Return what versions are sorted by: as numbers, not as texts."""
    return tuple(int(part) for part in re.findall(r"\d+", version)), version


def _ways(path: str, text: str, match: re.Match[str]) -> tuple[Script | None, Script | None]:
    parts = match.groupdict()
    if parts.get("undo") or parts.get("way") == "down":
        return None, _script(path, text)
    sections = list(_SECTION.finditer(text))
    if parts.get("way") or not sections:
        return Script(path, text, _is_transactional(text)), None
    found: dict[str, Script | None] = {"up": None, "down": None}
    for number, section in enumerate(sections):
        end = sections[number + 1].start() if number + 1 < len(sections) else len(text)
        before = "\n" * text.count("\n", 0, section.end())  # so that lines keep their number
        plain = "transaction:false" not in section["more"].replace(" ", "").lower()
        body = before + text[section.end() : end]
        script = _script(path, body, in_transaction=plain and _is_transactional(text))
        found[section["way"].lower()] = script
    up = found["up"] or Script(path, "")
    return up, found["down"]


def _script(path: str, text: str, *, in_transaction: bool | None = None) -> Script | None:
    """Return a way back; one without a single statement is none."""
    if not sqltext.split(text).statements:
        return None
    plain = _is_transactional(text) if in_transaction is None else in_transaction
    return Script(path, text, plain)


def _is_transactional(text: str) -> bool:
    return _NO_TRANSACTION.search(text) is None


def _doubled(
    ups: dict[str, list[tuple[str, Script]]], downs: dict[str, list[Script]]
) -> list[Problem]:
    found = []
    for version, same in ups.items():
        found += [
            Problem(script.path, f"version {version} is there twice: `{same[0][1].path}` too",
                    "give one of them a new version")
            for _, script in same[1:]
        ]  # fmt: skip
    for version, scripts in downs.items():
        if version not in ups:
            found.append(
                Problem(scripts[0].path, "a way back without its way up", "remove or rename it")
            )
    return found


def split_pending(
    migrations: Sequence[Migration], applied: Iterable[str]
) -> tuple[tuple[Migration, ...], tuple[str, ...]]:
    """Return what is pending, and the applied versions that the folder does not know."""
    there = list(applied)
    known = {key for item in migrations for key in keys(item)}
    done = set(there)
    pending = tuple(item for item in migrations if not done & set(keys(item)))
    return pending, tuple(version for version in there if version not in known)


def keys(migration: Migration) -> tuple[str, ...]:
    """Return the ways in which tables write one version: `0003`, `3`, `0003_agent_metrics`."""
    plain = migration.version.lstrip("0") or "0"
    both = (migration.version, migration.title, f"{migration.version}_{migration.name}.sql")
    return (*both, plain) if migration.version.isdigit() else both
