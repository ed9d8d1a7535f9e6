"""Looks at one file: whether it is there, how big and how old it is, and its fingerprint."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from gonogo.clock import SystemClock
from gonogo.errors import Diagnostic, WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context, Datum, Looks, Observation, Variable
from gonogo.plan.said import says
from gonogo.plan.units import Quantity
from gonogo.source import Span

_CHUNK = 1024 * 1024
_PLAIN = frozenset(("path", "exists", "value"))  # said by the name itself


@dataclass(frozen=True, slots=True)
class File(Looks):
    """Look at one file or folder; a file that is not there is an observation, not an error."""

    kind: ClassVar[str] = "file"
    indicators: ClassVar[Mapping[str, str]] = {
        "path": "the path as written; absent when nothing is there: `path exists`",
        "exists": "true when there is something at the path, else false",
        "value": "the same as `exists`",
        "type": "`file`, `folder` or `other`",
        "size": "the size of the file (B)",
        "age": "the time since its content was last changed (s)",
        "mode": "its permissions as four octal digits: `0644`",
        "lines": "how many lines it has; only when it is read",
        "sha256": "its fingerprint; only when it is read",
        "target": "where a symbolic link leads; only for links",
    }
    example: ClassVar[str] = (
        "```yaml\ncheck: file\npath: backups/latest.dump\nread: off\n```\n\n"
        "- Expect: age < 1h\n- Expect: size > 1 MiB\n"
    )
    expects: ClassVar[str | None] = "path exists"

    path: str = says("the file, from the folder of the runbook")
    read: bool = says("read it, for `lines` and `sha256`", default=True)
    body: str = says("the text of the block")

    def variables(self) -> tuple[Variable, ...]:
        """Return the names in the path."""
        return filling.variables_of({"path": self.path}, self.body)

    def review(self) -> tuple[Diagnostic, ...]:
        """Return whether the path is missing."""
        if self.path.strip():
            return ()
        hint = "write `path: folder/file`"
        return (Diagnostic("GN517", "`path` is missing", Span.of_line(1), hint=hint),)

    def describe(self) -> str:
        """Return the path."""
        return f"look at {self.path}"

    def perform(self, context: Context) -> Observation:
        """Look once.

        Raises:
            WorkError: it may not be looked at, or could not be read in time.
        """
        name = filling.fill(self.path, context).strip()
        if not name:
            raise WorkError("`path` is empty", hint="write `path: folder/file`")
        try:
            return self._look(context.cwd / Path(name).expanduser(), name, context)
        except (FileNotFoundError, NotADirectoryError):
            return Observation(
                {"exists": False, "value": False}, text=context.redact(f"{name} is not there")
            )
        except (OSError, ValueError, RuntimeError) as error:  # the last: nobody has that name
            reason = getattr(error, "strerror", None) or str(error)
            raise WorkError(
                context.redact(f"`{name}` cannot be looked at: {reason.lower()}"),
                hint="look at its permissions, or at the path",
            ) from error

    def _look(self, path: Path, name: str, context: Context) -> Observation:
        found: dict[str, Datum] = {"path": name, "exists": True, "value": True}
        if path.is_symlink():
            found["target"] = str(path.readlink())
        facts = path.stat()
        is_file = stat.S_ISREG(facts.st_mode)
        is_folder = stat.S_ISDIR(facts.st_mode)
        age = SystemClock().now().timestamp() - facts.st_mtime
        found |= {
            "type": "file" if is_file else "folder" if is_folder else "other",
            "size": Quantity(Decimal(facts.st_size), "B"),
            "age": Quantity(Decimal(str(round(max(age, 0.0), 3))), "s"),
            "mode": f"{stat.S_IMODE(facts.st_mode):04o}",
        }
        if is_file and self.read:
            found |= _content(path, name, context)
        words = ", ".join(
            f"{key} {_shown(value)}" for key, value in found.items() if key not in _PLAIN
        )
        return Observation(found, text=context.redact(f"{name}: {words}"))


def _content(path: Path, name: str, context: Context) -> dict[str, Datum]:
    clock = SystemClock()
    until = clock.monotonic() + context.timeout_s
    digest = hashlib.sha256()
    lines = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
            if context.should_stop():
                raise WorkError(f"`{name}` was not read to its end: stopped")
            if clock.monotonic() > until:
                raise WorkError(
                    f"`{name}` was not read within {context.timeout_s:g} s",
                    hint="write `read: off` when its content does not matter",
                )
    if last and last != b"\n":
        lines += 1
    return {"lines": lines, "sha256": digest.hexdigest()}


def _shown(value: Datum) -> str:
    return f"{value.number} {value.unit}" if isinstance(value, Quantity) else str(value)
