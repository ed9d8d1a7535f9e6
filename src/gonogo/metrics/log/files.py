"""One file of a log, recognised again after it was renamed, copied or cut, by what is in it.

An inode number alone does not tell: file systems give the number of a deleted file to the next
one. So a file is known by its number together with its first bytes and the last bytes that were
read of it.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gonogo.plan.samples import position_of, whole

_KEPT = 256
_HEAD = 64
_COMPRESSED: dict[str, Callable[[Path], BinaryIO]] = {
    ".gz": gzip.GzipFile,  # type: ignore[dict-item]
    ".bz2": bz2.BZ2File,  # type: ignore[dict-item]
    ".xz": lzma.LZMAFile,  # type: ignore[dict-item]
}
_CLOSED_BOOK = (".zst", ".lz4", ".Z", ".zip")
# `access.log.1`, `access.log-20260301`, `access.log.2026-03-01_14`, `access.log.old`
_BEHIND = re.compile(r"[.\-_](?:\d[\d.\-_TZ:]{0,40}|old|prev|bak)")
# `access-20260301.log`, `access.1.log`: digits enough that it is no other log
_BEFORE = re.compile(r"[.\-_]\d{6}[\d.\-_TZ:]{0,40}|\.\d{1,3}")


def digest(data: bytes) -> str:
    """Return a short digest of some bytes."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def begins_like(data: bytes, head: tuple[int, str]) -> bool:
    """Tell whether some first bytes have the length and digest that were remembered."""
    length, text = head
    return 0 < length <= len(data) and digest(data[:length]) == text


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file it is, as far as the file system tells."""

    device: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """Return the identity in a stat."""
        return cls(found.st_dev, found.st_ino)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of a file: enough to find it, and to see that it is not another one."""

    identity: Identity
    offset: int  # everything before it was read
    head: tuple[int, str]  # how many first bytes, and their digest
    tail: tuple[int, str]  # how many bytes before the offset, and their digest
    skipping: bool = False  # in the middle of a line that is too long
    replaced_ms: int | None = None  # since when another file has its place

    def fits(self, handle: BinaryIO) -> bool:
        """Tell whether a file begins like it and has what was read last at the same place."""
        number = handle.fileno()
        if os.fstat(number).st_size < self.offset:
            return False
        head, tail = self.head[0], self.tail[0]
        return (
            digest(os.pread(number, head, 0)) == self.head[1]
            and digest(os.pread(number, tail, self.offset - tail)) == self.tail[1]
        )

    def as_json(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "device": self.identity.device,
            "inode": self.identity.inode,
            "offset": self.offset,
            "head": list(self.head),
            "tail": list(self.tail),
            "skipping": self.skipping,
            "replaced_ms": self.replaced_ms,
        }

    @classmethod
    def from_json(cls, stored: object) -> Trace | None:
        """Read what `as_json` wrote; None for anything else."""
        found = position_of(stored)
        numbers = [whole(found.get(name)) for name in ("device", "inode", "offset")]
        device, inode, offset = numbers
        head, tail = _mark(found, "head"), _mark(found, "tail")
        if device is None or inode is None or offset is None or head is None or tail is None:
            return None
        return cls(
            Identity(device, inode),
            offset,
            head,
            tail,
            found.get("skipping") is True,
            whole(found.get("replaced_ms")),
        )


def _mark(found: Mapping[str, object], name: str) -> tuple[int, str] | None:
    match found.get(name):
        case [int() as length, str() as text]:
            return length, text
        case _:
            return None


class OpenFile:
    """A file of the log that is being read."""

    def __init__(self, handle: BinaryIO, offset: int = 0) -> None:
        """Begin at an offset; what stands before it counts as read."""
        self.handle = handle
        self.identity = Identity.of(os.fstat(handle.fileno()))
        self.offset = offset
        self.skipping = False
        self.replaced_ms: int | None = None
        self.at_end = False  # nothing but half a line was left at the last look
        self._head = os.pread(handle.fileno(), min(offset, _KEPT), 0)
        length = min(offset, _KEPT)
        self._tail = os.pread(handle.fileno(), length, offset - length)

    @classmethod
    def resumed(cls, handle: BinaryIO, trace: Trace) -> OpenFile:
        """Go on where a trace says."""
        found = cls(handle, trace.offset)
        found.skipping = trace.skipping
        found.replaced_ms = trace.replaced_ms
        return found

    def advance(self, data: bytes) -> None:
        """Count bytes as read."""
        if self.offset == len(self._head) < _KEPT:
            self._head = (self._head + data[:_KEPT])[:_KEPT]
        self._tail = (self._tail + data[-_KEPT:])[-_KEPT:]
        self.offset += len(data)

    def restart(self) -> None:
        """Begin anew: the file was cut to nothing."""
        self.offset = 0
        self.skipping = False
        self._head = self._tail = b""

    def trace(self) -> Trace:
        """Return what is to be remembered."""
        return Trace(
            self.identity,
            self.offset,
            (len(self._head), digest(self._head)),
            (len(self._tail), digest(self._tail)),
            self.skipping,
            self.replaced_ms,
        )

    @property
    def size(self) -> int:
        """Return how long the file is now."""
        return os.fstat(self.handle.fileno()).st_size

    @property
    def is_whole(self) -> bool:
        """Whether what was read is still there: not cut, not written anew."""
        return self.trace().fits(self.handle)

    def begins(self, data: bytes) -> bool:
        """Tell whether some first bytes are those of this file."""
        return os.pread(self.handle.fileno(), len(data), 0) == data

    def is_copied_in(self, other: BinaryIO) -> bool:
        """Tell whether another file is a copy of this one, made at any time."""
        mine, theirs = self.handle.fileno(), other.fileno()
        shared = min(self.size, os.fstat(theirs).st_size)
        length = min(shared, _KEPT)
        return shared > 0 and all(
            os.pread(mine, length, at) == os.pread(theirs, length, at)
            for at in (0, shared - length)
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A file beside the log that has nothing new: it was read, or is older than the watch."""

    identity: Identity
    size: int
    head: tuple[int, str]

    @classmethod
    def of(cls, handle: BinaryIO, size: int) -> Known:
        """Remember a file of which `size` bytes are known."""
        head = os.pread(handle.fileno(), min(_HEAD, size), 0)
        identity = Identity.of(os.fstat(handle.fileno()))
        return cls(identity, size, (len(head), digest(head)))

    def fits(self, handle: BinaryIO) -> bool:
        """Tell whether a file is this one, and not one that got its number."""
        number = handle.fileno()
        return (
            Identity.of(os.fstat(number)) == self.identity
            and digest(os.pread(number, self.head[0], 0)) == self.head[1]
        )

    def begins(self, data: bytes) -> bool:
        """Tell whether some first bytes are those of this file."""
        return begins_like(data, self.head)

    def as_json(self) -> list[object]:
        """Return the JSON form."""
        return [self.identity.device, self.identity.inode, self.size, *self.head]

    @classmethod
    def from_json(cls, stored: object) -> Known | None:
        """Read what `as_json` wrote; None for anything else."""
        match stored:
            case [int() as device, int() as inode, int() as size, int() as length, str() as text]:
                return cls(Identity(device, inode), size, (length, text))
            case _:
                return None


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: it is not there, may not be read, or is something else.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"`{path.name}` is no regular file")
    return path.open("rb", buffering=0)


def siblings(path: Path) -> list[tuple[Path, int]]:
    """Return the files beside a log that rotation may have made of it, with their numbers."""
    found = []
    try:
        with os.scandir(path.parent) as entries:
            for entry in entries:
                plain = entry.name
                for ending in (*_COMPRESSED, *_CLOSED_BOOK):
                    plain = plain.removesuffix(ending)
                if _is_rotated(plain, path) and entry.is_file(follow_symlinks=False):
                    found.append((path.with_name(entry.name), entry.inode()))
    except OSError:
        return []
    return sorted(found)


def _is_rotated(name: str, path: Path) -> bool:
    if name.startswith(path.name):
        rest = name[len(path.name) :]
        return _BEHIND.fullmatch(rest) is not None
    if path.suffix and name.startswith(path.stem) and name.endswith(path.suffix):
        middle = name[len(path.stem) : len(name) - len(path.suffix)]
        return _BEFORE.fullmatch(middle) is not None
    return False


def is_compressed(path: Path) -> bool:
    """Tell whether a file is a compressed one, by its name."""
    return path.name.endswith((*_COMPRESSED, *_CLOSED_BOOK))


def first_bytes_inside(path: Path) -> bytes | None:
    """Return how a compressed file begins; None when that cannot be seen."""
    for ending, unpack in _COMPRESSED.items():
        if path.name.endswith(ending):
            try:
                with unpack(path) as stream:
                    return stream.read(_KEPT)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                return None
    return None
