"""What lies in a folder of migrations and is none: told by its name, never waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gonogo.actions.migrate.files import read_folder, usable
from gonogo.errors import WorkError

ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "`002_b.up.sql` is no file"),
    "folder": (Path.mkdir, "`002_b.up.sql` is no file"),
    "ring": (lambda path: path.symlink_to(path), "`002_b.up.sql` is no file"),
    "binary": (lambda path: path.write_bytes(b"\xff\xfe\x00\x01"), "no text in UTF-8"),
    "huge": (lambda path: path.write_bytes(b"-" * (5 * 1024 * 1024 + 1)), "larger than 5 MiB"),
}


@pytest.mark.parametrize(("make", "said"), ODD.values(), ids=[*ODD])
def test_what_is_no_migration_is_named(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "001_a.up.sql").write_text("CREATE TABLE a ();\n")
    make(tmp_path / "002_b.up.sql")
    with pytest.raises(WorkError, match=said):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="there is no folder"):
        usable(tmp_path / "migrations")
