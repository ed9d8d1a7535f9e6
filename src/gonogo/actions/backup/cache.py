"""Saves all keys of a Redis or Valkey database through its protocol, and reads them again.

Every key is asked for with DUMP, its expiry with PTTL, while others go on writing: each value is
whole, but the keys are not all of one moment. It needs no file of the server and no right to
replicate, so that it works with a managed cache.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gonogo.actions.backup import manifest, sealing, target
from gonogo.actions.backup.manifest import Manifest
from gonogo.actions.backup.sealing import Made, Order
from gonogo.databases.deadline import Deadline
from gonogo.databases.redis import Connection, fields
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

MAGIC = b"gonogo keys 1\n"
_HEAD = struct.Struct("<IQQ")  # length of the key, of the value, expiry in ms since 1970 (0: none)
_TAIL = struct.Struct("<QI")  # how many keys, CRC-32 of all before
_END = 0xFFFFFFFF  # as length of a key: the tail follows


@dataclass(frozen=True, slots=True)
class Key:
    """One key with its value as the server packs it."""

    name: bytes
    value: bytes
    expires_ms: int


def series(on: str, context: Context, deadline: Deadline) -> str:
    """Return what tells this cache from others: its address without user and password."""
    return Connection(on, context, deadline).database


def save(order: Order, context: Context, deadline: Deadline) -> Made:
    """Save all keys of the database that the address names.

    Raises:
        WorkError: no connection, no rights, no room.
    """
    at, where = sealing.begin(order, context)
    known = sealing.sealed(context)
    if known is None:
        target.prepare(where)
        try:
            with Connection(order.on, context, deadline) as server:
                known = _saved(server, where, context, deadline, at)
        except OSError as error:
            raise WorkError(
                f"`{where.part}` cannot be written: {error.strerror or error}",
                hint="make room on that disk",
                failed=True,
            ) from error
        finally:
            if known is None:
                target.drop(where.part)
    return sealing.finish(known, where, order, context)


def _saved(
    server: Connection, where: target.Target, context: Context, deadline: Deadline, at: str
) -> Manifest:
    info = fields(server.say("INFO"))
    name = server.database
    target.require_room(where, name, int(info.get("used_memory", 0)), "the cache")
    count = 0
    check = zlib.crc32(MAGIC)
    target.keep_private(where.part, folder=False)
    with where.part.open("r+b") as file:
        file.write(MAGIC)
        for piece in _pieces(server):
            check = zlib.crc32(piece, check)
            count += 1
            file.write(piece)
        file.write(struct.pack("<I", _END) + _TAIL.pack(count, check))
        file.flush()
        os.fsync(file.fileno())
    return sealing.seal(
        Manifest(
            what="redis",
            path=where.path.name,
            size=manifest.size_of(where.part),
            sha256=manifest.checksum(where.part, deadline.refuse),
            started=at,
            duration_s=sealing.since(at),
            run=sealing.attempt_of(context),
            database=name,
            name=name,
            server=str(info.get("valkey_version") or info.get("redis_version") or ""),
            pattern=where.pattern,
            content={"entries": count},
        ),
        context,
    )


def _pieces(server: Connection) -> Iterator[bytes]:
    """Give one piece of the file per key."""
    seen: set[bytes] = set()
    for names in server.scan("*"):
        server.refuse_late("the keys were not saved")
        fresh = [name for name in dict.fromkeys(names) if name not in seen]
        seen.update(fresh)
        seconds, micro = server.say("TIME")
        now_ms = int(seconds) * 1000 + int(micro) // 1000
        replies = server.say_all([(word, name) for name in fresh for word in ("DUMP", "PTTL")])
        for name, value, left in zip(fresh, replies[::2], replies[1::2], strict=True):
            if value is not None:  # else it has expired meanwhile
                expires = now_ms + left if left >= 0 else 0
                yield _HEAD.pack(len(name), len(value), expires) + name + value


def keys(backup: Path, refuse: Callable[[str], None]) -> Iterator[Key]:
    """Read a file to its end.

    Raises:
        WorkError: it is cut off, changed, or none of ours.
    """
    with backup.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise WorkError(f"`{backup.name}` holds no keys of a cache", failed=True)
        check = zlib.crc32(MAGIC)
        count = 0
        while True:
            refuse(f"`{backup.name}` was not read to its end")
            start = _exactly(file, 4)
            if struct.unpack("<I", start)[0] == _END:
                break
            head = start + _exactly(file, _HEAD.size - 4)
            length, size, expires = _HEAD.unpack(head)
            body = _exactly(file, length + size)
            check = zlib.crc32(head + body, check)
            count += 1
            yield Key(body[:length], body[length:], expires)
        if _TAIL.unpack(_exactly(file, _TAIL.size)) != (count, check):
            raise WorkError(f"`{backup.name}` was changed since it was made", failed=True)


def _exactly(file: IO[bytes], count: int) -> bytes:
    # a damaged length may say exabytes: no more is asked for than the file still has
    left = os.fstat(file.fileno()).st_size - file.tell()
    data = file.read(min(count, left))
    if len(data) < count:
        name = Path(file.name).name
        raise WorkError(f"`{name}` is cut off", failed=True, hint="make a new backup")
    return data


def put_back(backup: Path, on: str, context: Context, deadline: Deadline, *, replace: bool) -> int:
    """Restore all keys, in place of those that are there when `replace`; return how many.

    Raises:
        WorkError: the database is not empty and `replace` is off, or the server refuses.
    """
    with Connection(on, context, deadline) as server:
        size = int(server.say("DBSIZE"))
        if size and not replace:
            raise WorkError(
                f"`{filling.shown(on)}` holds {size} keys, expected none",
                hint="write `replace: yes` to put the backup in their place",
            )
        for _ in keys(backup, deadline.refuse):  # all of it is readable, or nothing begins
            pass
        if size:
            server.say("FLUSHDB")
        count = 0
        for key in keys(backup, deadline.refuse):
            server.say("RESTORE", key.name, key.expires_ms, key.value, "REPLACE", "ABSTTL")
            count += 1
        return count
