"""Finds pg_dump and pg_restore, runs them so that they survive us, and explains what they say."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gonogo import process
from gonogo.databases.deadline import Deadline
from gonogo.databases.postgres import as_environment
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context
from gonogo.redaction.flow import Flow

_TAIL = 600
_GRACE_S = 5.0  # between SIGTERM and SIGKILL
_SECONDS = 15.0  # for `--version`


@dataclass(frozen=True, slots=True)
class Tool:
    """One program of PostgreSQL and its release."""

    path: str
    version: str

    @property
    def major(self) -> int:
        """Return the release line, for example 18."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def find(name: str, said: str, context: Context, server: int = 0) -> Tool:
    """Return the first program of this name that is not older than the server (180006).

    `said` is a folder from the runbook; without it every folder of PATH is looked at, in order.

    Raises:
        WorkError: there is none, or all are too old.
    """
    folders = context.variables.get("PATH", os.defpath).split(os.pathsep)
    if said:
        folders = [str(context.cwd / Path(filling.fill(said, context)).expanduser())]
    old: list[Tool] = []
    places = dict.fromkeys(shutil.which(name, path=folder) for folder in folders if folder)
    for place in (found for found in places if found):
        told = process.run_short(
            [place, "--version"], timeout_s=_SECONDS, environment=_plain(context)
        )
        match = re.search(r"\)\s*(\d[\w.]*)", told.stdout)
        if told.exit_code != 0 or match is None:
            continue
        tool = Tool(place, match[1])
        if tool.major >= server // 10_000:
            return tool
        old.append(tool)
    if old:
        raise WorkError(
            f"`{name}` {old[0].version} is older than the server, which is "
            f"{server // 10_000}.{server % 10_000}",
            hint=f"install the client programs of PostgreSQL {server // 10_000}, "
            "or name their folder with `tools:`",
        )
    raise WorkError(
        f"`{name}` was not found {f'in `{said}`' if said else 'on PATH'}",
        hint="install the client programs of PostgreSQL, or name their folder with `tools:`",
    )


def _plain(context: Context) -> dict[str, str]:
    """Return the environment without settings of libpq that somebody may have left in it."""
    return {k: v for k, v in context.variables.items() if not k.startswith("PG")}


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a program: what for, with what, how long."""

    tool: Tool
    arguments: Sequence[str]
    parts: Mapping[str, Any] | None  # a connection; None: the program opens none
    what: str  # for messages: `the dump`


def command(call: Call, context: Context, deadline: Deadline) -> process.Command:
    """Return the command; passwords stand in its environment, which is never written down."""
    environment = _plain(context)
    connection: list[str] = []
    if call.parts is not None:
        more, rest = as_environment(call.parts)
        environment |= {**more, "PGAPPNAME": "gonogo"}
        connection = ["--no-password", f"--dbname={rest}"]
    environment["LC_ALL"] = "C"  # its messages are read
    return process.Command(
        argv=(call.tool.path, *call.arguments, *connection),
        cwd=context.cwd.absolute(),
        environment=environment,
        timeout_s=deadline.left_s(),
    )


def run(call: Call, folder: Path, context: Context, deadline: Deadline) -> process.Outcome:
    """Run a program to its end, or attach to it; return how it ended, whatever its exit code.

    Raises:
        WorkError: it did not end in time, or somebody stopped it.
    """
    live = Flow(context.redact, context.on_output)
    outcome = process.run(
        command(call, context, deadline),
        folder,
        on_output=live.take,
        should_stop=context.should_stop,
    )
    live.finish()
    name = Path(call.tool.path).name
    if outcome.ended_by is process.EndedBy.ABORT:
        raise WorkError(f"{call.what} was stopped", hint=f"`{name}` was ended", failed=True)
    if outcome.ended_by is process.EndedBy.DEADLINE:
        raise WorkError(
            f"{call.what} did not end within {context.timeout_s:g} s",
            hint="allow more time with `timeout:`; pg_stat_activity shows what it waits for",
            failed=True,
        )
    return outcome


def forget(folder: Path) -> None:
    """Remove the record of a program that has ended, so that it may be started again."""
    process.end(folder, _GRACE_S)
    shutil.rmtree(folder, ignore_errors=True)


def failed(call: Call, outcome: process.Outcome, context: Context) -> WorkError:
    """Say why a program failed, in its own words and with what to do."""
    words = (outcome.stderr.strip() or outcome.stdout.strip())[-_TAIL:]
    lines = [line for line in words.splitlines() if line.strip()]
    first = next((line for line in lines if "error:" in line or "FATAL" in line), "")
    reason = re.sub(r"^.*?error:\s*", "", first or (lines[-1] if lines else "it said nothing"))
    low = words.lower()
    hint = next((hint for said, hint in _HINTS if any(word in low for word in said)), "")
    detail = "; ".join(lines[lines.index(first) + 1 :][:2]) if first else ""
    end = f"exit code {outcome.exit_code}"
    if outcome.exit_code is None:
        end = f"signal {outcome.signal}" if outcome.signal else "nobody knows how it ended"
    name = Path(call.tool.path).name
    return WorkError(
        context.redact(f"{call.what} failed: `{name}`: {reason} ({end})"),
        hint=context.redact(hint or detail or "run it by hand to see more"),
        failed=True,
    )


_HINTS = (
    (("no space left", "disk full"), "make room on that disk"),
    (("permission denied", "must be owner"), "the user of the target may not read all of it"),
    (("row-level security", "row security"), "dump as the owner, or as a role with BYPASSRLS"),
    (("server closed the connection", "connection to server was lost", "terminating connection",
      "no connection to the server"), "the connection was lost; look at the server's log"),
    (("server version mismatch",), "install the client programs of the server's release"),
    (("could not access file", "extension \""), "the extension is not installed on that server"),
    (("role \"",), "create the role there first"),
)  # fmt: skip
