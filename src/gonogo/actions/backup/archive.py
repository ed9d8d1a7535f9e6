"""Reads a backup to its end without restoring it, and says what is wrong with it."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gonogo import process
from gonogo.actions.backup import cache, manifest, plain, telling, tools, tree
from gonogo.actions.backup.finding import ARCHIVES, DAMAGED, Form, Found
from gonogo.databases.deadline import Deadline
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_CHUNK = 1024 * 1024
_TAIL = 4096


@dataclass(frozen=True, slots=True)
class Read:
    """What a backup is found to be; `problem` is empty when it is readable to its end."""

    problem: str
    database: str = ""  # the name that stands in the archive
    tables: int | None = None
    unchanged: bool | None = None  # its checksum is that of its manifest; None: it has none


def read(
    found: Found, said_tools: str, context: Context, deadline: Deadline, *, whole: bool = True
) -> Read:
    """Read a backup to its end; without `whole` no further than the list of its contents.

    Raises:
        WorkError: it could not be looked at: no pg_restore, no permission, no time.
    """
    known = found.manifest
    unchanged: bool | None = None
    if known is not None:
        size = manifest.size_of(found.path)
        if size < known.size:
            return Read(f"it is cut off: {size} B, its manifest says {known.size} B", known.name)
        if whole:
            unchanged = manifest.checksum(found.path, deadline.refuse) == known.sha256
        if unchanged is False:
            problem = "it was changed since it was made: its checksum is not that of its manifest"
            return Read(problem, known.name, unchanged=False)
    match found.form:
        case Form.DUMP | Form.TAR | Form.FOLDER:
            seen = _dump(found.path, said_tools, context, deadline, whole=whole)
        case Form.PLAIN | Form.PACKED:
            seen = _text(found, deadline)
        case Form.KEYS | Form.FILES:
            seen = _others(found, deadline)
        case _:
            seen = Read(telling.words_for(found))
    if known is not None and not seen.problem:
        rows = known.content.get("rows", known.content.get("entries", 0))
        count = len(rows) if isinstance(rows, dict) else int(rows)
        return Read("", known.name, count, unchanged)
    return Read(seen.problem, seen.database, seen.tables, unchanged)


def database_of(found: Found, said_tools: str, context: Context, deadline: Deadline) -> str:
    """Return of which database a backup is, by its manifest or its own words; empty: it is silent.

    Raises:
        WorkError: there is no pg_restore, or no time.
    """
    if found.manifest is not None:
        return found.manifest.name
    if found.form in ARCHIVES:
        return _dump(found.path, said_tools, context, deadline, whole=False).database
    if found.form in (Form.PLAIN, Form.PACKED):
        try:
            with opened(found) as file:
                return _name_in(file.read(_TAIL))
        except DAMAGED:
            return ""
    return ""


def _dump(
    path: Path, said_tools: str, context: Context, deadline: Deadline, *, whole: bool
) -> Read:
    tool = tools.find("pg_restore", said_tools, context)
    listed = process.run_short(
        [tool.path, "--list", str(path)], timeout_s=deadline.left_s(), environment=_quiet(context)
    )
    if listed.exit_code != 0:
        return Read(f"its list of contents cannot be read: {_reason(listed.stderr)}")
    name = re.search(r"^;\s+dbname: (.*)$", listed.stdout, re.MULTILINE)
    tables = len(re.findall(r"^\d+; \d+ \d+ TABLE DATA ", listed.stdout, re.MULTILINE))
    database = name[1].strip() if name else ""
    if not whole:
        return Read("", database, tables)
    call = tools.Call(tool, ["--file=/dev/null", str(path)], None, "reading the backup")
    outcome = tools.run(call, context.folder / "pg_restore-read", context, deadline)
    if outcome.exit_code != 0:
        return Read(f"it cannot be read to its end: {_reason(outcome.stderr)}", database, tables)
    return Read("", database, tables)


def _quiet(context: Context) -> dict[str, str]:
    kept = {k: v for k, v in context.variables.items() if not k.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _reason(words: str) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    said = next((line for line in lines if "error:" in line), lines[-1] if lines else "no reason")
    return re.sub(r"^.*?error:\s*", "", said)


def _text(found: Found, deadline: Deadline) -> Read:
    """Read SQL text: pg_dump writes a line at its end that a cut text does not have."""
    tail = b""
    head = b""
    try:
        with opened(found) as file:
            while chunk := file.read(_CHUNK):
                head = head or chunk[:_TAIL]
                tail = (tail + chunk)[-_TAIL:]
                deadline.refuse(f"`{found.path.name}` was not read to its end")
    except DAMAGED as error:
        return Read(f"it is cut off or damaged: {error}")
    database = _name_in(head)
    last = plain.COMPLETE if plain.CLUSTER not in head else plain.CLUSTER + b" complete"
    cut = "" if last in tail else "it is cut off: the last line of pg_dump is missing"
    return Read(cut, database)


def _name_in(head: bytes) -> str:
    """Return the name that `pg_dump --create` writes into its text; a whole server has none."""
    if plain.CLUSTER in head:
        return ""
    name = re.search(rb"^-- Name: (.+); Type: DATABASE;", head, re.MULTILINE)
    return name[1].decode(errors="replace") if name else ""


def opened(found: Found) -> IO[bytes]:
    """Open SQL text, unpacked on the way if it is packed."""
    if found.form is Form.PACKED:
        return cast(IO[bytes], gzip.open(found.path))
    return found.path.open("rb")


def _others(found: Found, deadline: Deadline) -> Read:
    try:
        if found.form is Form.KEYS:
            count = sum(1 for _ in cache.keys(found.path, deadline.refuse))
        else:
            count = int(tree.read(found.path, deadline.refuse)["entries"])
    except WorkError as error:
        if not error.failed:
            raise
        return Read(error.message)
    return Read("", tables=count)
