"""Dumps a PostgreSQL database: counted and dumped in one snapshot, complete before it has its name.

The rows are counted while pg_dump reads the same snapshot. One attempt keeps three things in its
folder: when it began (`began.json`), what was counted and in which snapshot
(`round-N/counted.json`), and the finished manifest (`sealed.json`). An attempt that is entered
again after a kill goes on from the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gonogo import process
from gonogo.actions.backup import manifest, sealing, target, tools
from gonogo.actions.backup.manifest import Manifest
from gonogo.actions.backup.sealing import Made, Order
from gonogo.actions.backup.target import Target
from gonogo.actions.backup.tools import Tool
from gonogo.databases import content
from gonogo.databases.content import Choice, Content
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_GRACE_S = 5.0  # between SIGTERM and SIGKILL


def dump(order: Order, context: Context, deadline: Deadline) -> Made:
    """Make the backup, or finish what an earlier life of this attempt has begun.

    Raises:
        WorkError: it could not be made; nothing is left that looks like a backup.
    """
    at, where = sealing.begin(order, context)
    known = sealing.sealed(context)
    if known is None:
        attempt = _Attempt(order, where, context, deadline, at)
        try:
            known = attempt.dumped()
        except WorkError:
            attempt.clean()
            raise
    return sealing.finish(known, where, order, context)


@dataclass(frozen=True, slots=True)
class _Done:
    """A dump that has ended well: what was counted in its snapshot."""

    counted: Content
    choice: Choice
    tool: Tool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a dump, in one or more lives of ours."""

    order: Order
    where: Target
    context: Context
    deadline: Deadline
    at: str

    def dumped(self) -> Manifest:
        """Return the manifest of a dump that is complete and lies on the disk, without its name."""
        with Server(self.order.on, self.context, self.deadline) as server:
            rounds = sorted(self.context.folder.glob("round-*"), key=lambda p: int(p.name[6:]))
            done = self._attached(rounds[-1], server) if rounds else None
            if done is None:
                folder = self.context.folder / f"round-{len(rounds) + 1}"
                done = self._fresh(server, folder)
            return self._sealed(done, server)

    def clean(self) -> None:
        """End what runs and take away what is not complete."""
        for folder in self.context.folder.glob("round-*/pg_dump"):
            process.end(folder, _GRACE_S)
        target.drop(self.where.part)

    def _call(self, tool: Tool, choice: Choice, snapshot: str, server: Server) -> tools.Call:
        order = self.order
        found = [f"--snapshot={snapshot}", f"--format={order.format}", f"--file={self.where.part}"]
        if order.format == "directory":
            found.append(f"--jobs={order.jobs}")
        for table in choice.tables:
            schema, _, name = table.partition(".")
            found.append(f"--table={_quoted(schema)}.{_quoted(name)}")
        found += [f"--schema={_quoted(schema)}" for schema in choice.schemas]
        return tools.Call(tool, found, server.parts, "the dump")

    def _fresh(self, server: Server, folder: Path) -> _Done:
        tool = tools.find("pg_dump", self.order.tools, self.context, server.version)
        target.prepare(self.where)
        size = int(server.ask("SELECT pg_database_size(current_database())")[0][0])
        target.require_room(self.where, server.identity(), size, f"database `{server.database}`")
        with server.snapshot() as snapshot:
            choice = content.settle(server, self.order.tables, self.order.schemas)
            named = [content.full_name(server, table) for table in self.order.compare]
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            note: dict[str, Any] = {"snapshot": snapshot}
            note |= {"tool": tool.path, "version": tool.version}
            note |= {"tables": choice.tables, "schemas": choice.schemas, "named": named}
            call = self._call(tool, choice, snapshot, server)
            with ThreadPoolExecutor(1, thread_name_prefix="gonogo-count") as pool:
                counting = pool.submit(self._counted, server, choice, folder, note)
                self._run_beside(counting, call, folder, server)
                counted = counting.result()
        return _Done(counted, choice, tool)

    def _counted(
        self, server: Server, choice: Choice, folder: Path, note: Mapping[str, Any]
    ) -> Content:
        """Count in the snapshot that pg_dump reads, and write down what a later life needs."""
        counted = content.look(server, self.deadline, choice, note["named"])
        manifest.put(folder / "counted.json", {**note, "content": counted.as_json()})
        return counted

    def _run_beside(
        self, counting: Future[Content], call: tools.Call, folder: Path, server: Server
    ) -> None:
        """Dump while the rows are counted; when one of the two fails, the other ends."""

        def is_useless() -> bool:
            failed = counting.done() and counting.exception() is not None
            return failed or self.context.should_stop()

        try:
            context = replace(self.context, should_stop=is_useless)
            outcome = tools.run(call, folder / "pg_dump", context, self.deadline)
            if outcome.exit_code != 0:
                raise tools.failed(call, outcome, self.context)
        except WorkError:
            if counting.done():
                counting.result()  # why the dump was ended
            server.cancel()
            raise

    def _attached(self, folder: Path, server: Server) -> _Done | None:
        """Wait for the dump of an earlier life; None when it cannot count and must begin anew."""
        note = manifest.load(folder / "counted.json")
        known = (process.Trace.RUNNING, process.Trace.ENDED)
        if note is None or process.trace(folder / "pg_dump") not in known:
            process.end(folder / "pg_dump", _GRACE_S)
            return None
        tool = Tool(note["tool"], note["version"])
        choice = Choice(tuple(note["tables"]), tuple(note["schemas"]))
        call = self._call(tool, choice, note["snapshot"], server)
        outcome = tools.run(call, folder / "pg_dump", self.context, self.deadline)
        if outcome.exit_code == 0 and self.where.part.exists():
            return _Done(Content.of_json(note["content"]), choice, tool)
        return None  # it died of our death: its snapshot was gone before it had taken it

    def _sealed(self, done: _Done, server: Server) -> Manifest:
        """Write down what the finished dump is, before it gets its name."""
        where = self.where
        manifest.sync(where.part)
        known = Manifest(
            what="postgresql",
            path=where.path.name,
            size=manifest.size_of(where.part),
            sha256=manifest.checksum(where.part, self.deadline.refuse),
            started=self.at,
            duration_s=sealing.since(self.at),
            run=sealing.attempt_of(self.context),
            database=server.identity(),
            name=server.database,
            server=f"{server.version // 10_000}.{server.version % 10_000}",
            tool=done.tool.version,
            pattern=where.pattern,
            complete=done.choice.is_all,
            tables=done.choice.tables,
            content=done.counted.as_json(),
            place=content.place(server),
        )
        return sealing.seal(known, self.context)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
