"""Says in words what a file is that cannot be used as the backup of a database."""

from __future__ import annotations

from pathlib import Path

from gonogo.actions.backup.finding import Form, Found

_HEAD = 512
_ENCRYPTED = (
    (b"Salted__", "OpenSSL"),
    (b"age-encryption.org/", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE", "age"),
    (b"-----BEGIN PGP MESSAGE", "OpenPGP"),
)
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_USUAL = {
    Form.PLAIN: "it is SQL text",
    Form.PACKED: "it is SQL text, packed with gzip",
    Form.KEYS: "it holds the keys of a cache, no database",
    Form.FILES: "it is an archive of files, none of pg_dump",
}


def words_for(found: Found) -> str:
    """Return what lies there, where that is no archive of pg_dump, and what to do with it."""
    return _USUAL.get(found.form) or _strange(found.path)


def _strange(path: Path) -> str:
    if path.is_dir():
        return "it is a folder that pg_dump has not written: there is no `toc.dat` in it"
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        return "it is empty"
    lock = next((name for start, name in _ENCRYPTED if head.startswith(start)), "")
    if lock or _is_openpgp(head):
        return f"it is encrypted ({lock or 'OpenPGP'}): decrypt it first"
    pack = next((name for start, name in _PACKED if head.startswith(start)), "")
    if pack:
        return f"it is packed ({pack}): unpack it first"
    return "it is no backup that is known here: encrypted, damaged, or of another program"


def _is_openpgp(head: bytes) -> bool:
    """Say whether it begins with an encrypted session key: its packet's tag, length, version."""
    first = head[0]
    if first in {0x84, 0x85, 0xC1}:  # for a public key
        return 3 in head[2:4]
    return first in {0x8C, 0xC3} and head[2:3] in {b"\4", b"\5", b"\6"}  # for a password
