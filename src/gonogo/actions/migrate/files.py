"""Reads a folder of migrations from the disk."""

from __future__ import annotations

from pathlib import Path

from gonogo.errors import WorkError
from gonogo.plan.migrations import Migration, Problem, is_migration, understand

_LARGEST = 5 * 1024 * 1024


def read_folder(folder: Path) -> tuple[tuple[Migration, ...], tuple[Problem, ...]]:
    """Return the migrations of a folder in their order, and what is wrong with it.

    Raises:
        WorkError: it cannot be read.
    """
    try:
        if not folder.is_dir():
            raise WorkError(
                f"there is no folder `{folder}`",
                hint="name the folder of the migrations: `folder: db/migrations`",
            )
        return understand((name, _text(path)) for name, path in _paths(folder))
    except OSError as error:
        raise WorkError(
            f"`{folder}` cannot be read: {error.strerror or error}",
            hint="look at its name and rights",
        ) from error


def usable(folder: Path) -> tuple[Migration, ...]:
    """Return the migrations of a folder that has no mistakes.

    Raises:
        WorkError: it cannot be read, or nobody can say what is to be applied.
    """
    migrations, problems = read_folder(folder)
    if problems:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WorkError(f"`{first.path}`: {first.message}{more}", hint=first.hint)
    return migrations


def _paths(folder: Path) -> list[tuple[str, Path]]:
    """Return the files that look like migrations; others in the folder are left alone."""
    found = [path for path in folder.iterdir() if path.suffix == ".sql"]
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.name.startswith("."):
            found += [
                path
                for path in inner.iterdir()
                if path.suffix == ".sql" and is_migration(f"{inner.name}/{path.name}")
            ]
    return [(path.relative_to(folder).as_posix(), path) for path in sorted(found)]


def _text(path: Path) -> str:
    if not path.is_file():  # reading a pipe would wait for ever
        raise WorkError(f"`{path.name}` is no file", hint="keep only migrations in this folder")
    if path.stat().st_size > _LARGEST:
        raise WorkError(
            f"`{path.name}` is larger than {_LARGEST // 1024 // 1024} MiB",
            hint="data does not belong into a migration; load it in a step of its own",
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WorkError(f"`{path.name}` is no text in UTF-8", hint="store it as UTF-8") from None
