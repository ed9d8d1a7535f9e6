"""Packs a folder of files into one archive with the checksum of every file, and reads it again."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from gonogo.actions.backup import manifest, sealing, target
from gonogo.actions.backup.finding import DAMAGED
from gonogo.actions.backup.manifest import Manifest
from gonogo.actions.backup.sealing import Made, Order
from gonogo.databases.deadline import Deadline
from gonogo.errors import WorkError
from gonogo.plan import filling
from gonogo.plan.kinds import Context

_CHUNK = 1024 * 1024


def pack(path: str, order: Order, context: Context, deadline: Deadline) -> Made:
    """Pack `path` into `order.to`.

    Raises:
        WorkError: it is not there, changed while it was read, or there is no room.
    """
    source = context.cwd / Path(filling.fill(path, context)).expanduser()
    at, where = sealing.begin(order, context)
    known = sealing.sealed(context)
    if known is None:
        if not source.exists():
            raise WorkError(f"`{path}` is not there", hint="correct `path:`")
        target.prepare(where)
        try:
            target.require_room(where, str(source), manifest.size_of(source), f"`{path}`")
            known = _packed(source, where, context, deadline, at)
        except (OSError, tarfile.TarError) as error:
            raise WorkError(
                f"`{path}` was not backed up: {getattr(error, 'strerror', None) or error}",
                hint="look at the disk and at permissions",
                failed=True,
            ) from error
        finally:
            if known is None:
                target.drop(where.part)
    return sealing.finish(known, where, order, context)


def _packed(
    source: Path, where: target.Target, context: Context, deadline: Deadline, at: str
) -> Manifest:
    sums: dict[str, str] = {}

    def member(info: tarfile.TarInfo) -> tarfile.TarInfo:
        deadline.refuse("the files were not packed")
        if info.isfile():
            sums[info.name] = ""
        return info

    kind = "gz" if where.path.name.endswith((".tgz", ".gz")) else ""
    target.keep_private(where.part, folder=False)
    with where.part.open("r+b") as file:
        with tarfile.open(fileobj=file, mode=f"w:{kind}" if kind else "w") as archive:  # type: ignore[call-overload]
            archive.add(source, arcname=source.name, filter=member)
        file.flush()
        os.fsync(file.fileno())
    return sealing.seal(
        Manifest(
            what="files",
            path=where.path.name,
            size=manifest.size_of(where.part),
            sha256=manifest.checksum(where.part, deadline.refuse),
            started=at,
            duration_s=sealing.since(at),
            run=sealing.attempt_of(context),
            database=str(source),
            name=source.name,
            pattern=where.pattern,
            content={"entries": len(sums)},
        ),
        context,
    )


class _Whole(tarfile.TarInfo):
    """A head in an archive; one that is damaged or missing is an error, not the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # a block of zeros is how an archive says that it ends
            raise tarfile.ReadError(str(error)) from error


def read(backup: Path, refuse: Callable[[str], None]) -> dict[str, Any]:
    """Read an archive to its end, and its checksum where it is packed; return its count of files.

    Raises:
        WorkError: it is cut off, damaged or no archive.
    """
    count = 0
    try:
        with tarfile.open(backup, tarinfo=_Whole) as archive:
            for info in archive:
                stream: IO[bytes] | None = archive.extractfile(info) if info.isfile() else None
                if stream is None:
                    continue
                digest = hashlib.sha256()
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    refuse(f"`{backup.name}` was not read to its end")
                count += 1
            while archive.fileobj.read(_CHUNK):
                refuse(f"`{backup.name}` was not read to its end")
    except (*DAMAGED, tarfile.TarError) as error:
        raise WorkError(
            f"`{backup.name}` is cut off, damaged or no archive: {error}", failed=True
        ) from error
    return {"entries": count}
