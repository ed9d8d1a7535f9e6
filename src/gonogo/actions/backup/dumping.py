"""Dumps a PostgreSQL database: counted and dumped in one snapshot, complete before it has its name.

The rows are counted while pg_dump reads the same snapshot. One attempt keeps three things in its
folder: when it began (`began.json`), what was counted and in which snapshot
(`round-N/counted.json`), and the finished manifest (`sealed.json`). An attempt that is entered
again after a kill goes on from the last of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gonogo import process
from gonogo.actions.backup import manifest, sealing, target, tools
from gonogo.actions.backup.manifest import Manifest
from gonogo.actions.backup.sealing import Made, Order
from gonogo.actions.backup.target import Target
from gonogo.actions.backup.tools import Tool
from gonogo.databases import content, room
from gonogo.databases.content import Choice, Content
from gonogo.databases.deadline import Deadline
from gonogo.databases.server import Server
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context

_GRACE_S = 5.0  # between SIGTERM and SIGKILL
_NO_SNAPSHOT = "could not import the requested snapshot"  # it is gone with the one who counts


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
    room: int  # bytes on the server


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a dump, in one or more lives of ours."""

    order: Order
    where: Target
    context: Context
    deadline: Deadline
    at: str

    @property
    def _is_folder(self) -> bool:
        return self.order.format == "directory"

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
        if self._is_folder:
            found.append(f"--jobs={order.jobs}")
        for table in choice.tables:
            schema, _, name = table.partition(".")
            found.append(f"--table={_quoted(schema)}.{_quoted(name)}")
        found += [f"--schema={_quoted(schema)}" for schema in choice.schemas]
        return tools.Call(tool, found, server.parts, "the dump")

    def _fresh(self, server: Server, folder: Path) -> _Done:
        tool = tools.find("pg_dump", self.order.tools, self.context, server.version)
        target.prepare(self.where)
        size = room.size(server, Choice())
        target.require_room(self.where, server.identity(), size, f"database `{server.database}`")
        with server.snapshot() as snapshot:
            choice = content.settle(server, self.order.tables, self.order.schemas)
            named = [content.full_name(server, table) for table in self.order.compare]
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.keep_private(self.where.part, folder=self._is_folder)
            note: dict[str, Any] = {"snapshot": snapshot}
            note |= {"tool": tool.path, "version": tool.version}
            note |= {"tables": choice.tables, "schemas": choice.schemas, "named": named}
            note["room"] = size if choice.is_all else room.size(server, choice)
            call = self._call(tool, choice, snapshot, server)
            with (
                self._counters(server, snapshot) as servers,
                ThreadPoolExecutor(1, thread_name_prefix="gonogo-count") as pool,
            ):
                counting = pool.submit(self._counted, servers, choice, folder, note)
                self._run_beside(counting, call, folder, servers)
                counted = counting.result()
        return _Done(counted, choice, tool, note["room"])

    @contextmanager
    def _counters(self, server: Server, snapshot: str) -> Iterator[list[Server]]:
        """Give the connections that count: several for a folder, which is dumped by several too."""
        more = content.helpers(server, self.order.jobs) if self._is_folder else 0
        with ExitStack() as stack:
            found = [server]
            for _ in range(more):
                helper = Server(self.order.on, self.context, self.deadline)
                found.append(stack.enter_context(helper))
                stack.enter_context(helper.sharing(snapshot))
            yield found

    def _counted(
        self, servers: Sequence[Server], choice: Choice, folder: Path, note: Mapping[str, Any]
    ) -> Content:
        """Count in the snapshot that pg_dump reads, and write down what a later life needs."""
        for each in servers:  # the dump and the people who work there need the processors more
            each.ask("SET LOCAL max_parallel_workers_per_gather = 0")
        first, *beside = servers
        counted = content.look(first, self.deadline, choice, note["named"], beside=beside)
        manifest.put(folder / "counted.json", {**note, "content": counted.as_json()})
        return counted

    def _run_beside(
        self, counting: Future[Content], call: tools.Call, folder: Path, servers: Sequence[Server]
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
        except WorkError as error:
            if counting.done() or _NO_SNAPSHOT in error.message:
                counting.result()  # why the dump was ended, or lost its snapshot
            for server in servers:
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
            return _Done(Content.of_json(note["content"]), choice, tool, note.get("room", 0))
        return None  # it died of our death: its snapshot was gone before it had taken it

    def _sealed(self, done: _Done, server: Server) -> Manifest:
        """Write down what the finished dump is, before it gets its name."""
        where = self.where
        target.close_to_others(where.part)
        with ThreadPoolExecutor(1, thread_name_prefix="gonogo-sum") as pool:
            summing = pool.submit(manifest.checksum, where.part, self.deadline.refuse)
            manifest.sync(where.part)  # the disk writes while the processor reads
            sha256 = summing.result()
        known = Manifest(
            what="postgresql",
            path=where.path.name,
            size=manifest.size_of(where.part),
            sha256=sha256,
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
            room=done.room,
        )
        return sealing.seal(known, self.context)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
