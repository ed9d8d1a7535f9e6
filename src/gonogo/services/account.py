"""Who a server runs as: ourselves, or `nobody` where we are root and the server refuses root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534  # where the machine has no user of that name


@dataclass(frozen=True, slots=True)
class Account:
    """A user that a program is run as; without a uid it is the one we are."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def unprivileged(cls) -> Account:
        """Return ourselves, or `nobody` when we are root."""
        if os.geteuid() != 0:
            return cls()
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            return cls(NOBODY, NOBODY)
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def name(self) -> str:
        """Return the name that a person knows this user by."""
        uid = os.geteuid() if self.uid is None else self.uid
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return str(uid)

    def give(self, folder: Path) -> None:
        """Make this user the owner of a folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Tell whether this user may pass through every folder down to `folder`."""
        if self.uid is None:
            return True
        way = folder.resolve()
        return all(step.stat().st_mode & 0o001 for step in (way, *way.parents) if step.exists())

    def run(
        self, command: Sequence[str | Path], env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a short program as this user to its end; raises OSError where that is impossible."""
        return subprocess.run(
            [str(word) for word in command],
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            env=dict(env),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )


def environment(home: Path | None = None) -> dict[str, str]:
    """Return our environment without anything that would steer a server or its tools.

    `home` replaces the home folder, for a server that may not see ours.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if home is not None:
        kept["HOME"] = str(home)
    return kept
