"""Characters that were stored in one encoding and read in another, put right line by line."""

from __future__ import annotations

import re
from functools import cache, partial

_Looks = tuple[str, tuple[re.Pattern[str], ...]]
_CODECS = ("mac_roman", "cp1252")
_ALREADY_BLANKED = {"âš ï¸": "⚠"}
"""Sequences in which an editor turned the hard space into a plain one."""


def repair(lines: list[str]) -> list[int]:
    """Repair garbled lines in place and return the numbers (from 1) of those that changed.

    Only sequences that are UTF-8 of punctuation, symbols, emoji or Latin letters read as Mac Roman
    or Windows-1252 are touched. Short Mac Roman ones (`√π`) count only beside longer ones.
    """
    changed = []
    text = "\n".join(lines)
    if text.isascii():
        return []
    patterns: list[_Looks] = []
    for codec in _CODECS:
        strong, weak = _patterns(codec)
        is_sure = codec != "mac_roman" or strong.search(text) is not None
        patterns.append((codec, (strong, weak) if is_sure else (strong,)))
    for index, line in enumerate(lines):
        new = line if line.isascii() else _repaired(line, patterns)
        if new != line:
            lines[index] = new
            changed.append(index + 1)
    return changed


def _repaired(line: str, patterns: list[_Looks]) -> str:
    for wrong, right in _ALREADY_BLANKED.items():
        line = line.replace(wrong, right)
    for codec, kinds in patterns:
        for pattern in kinds:
            line = pattern.sub(partial(_decoded, codec), line)
    return line


def _decoded(codec: str, found: re.Match[str]) -> str:
    table = {character: byte for byte, character in enumerate(_characters(codec))}
    return bytes(table[character] for character in found[0]).decode("utf-8")


@cache
def _characters(codec: str) -> tuple[str, ...]:
    """Return what each byte looks like; an undefined one stays the control character it is."""
    shown = []
    for byte in range(256):
        character = bytes([byte]).decode(codec, errors="replace")
        shown.append(chr(byte) if character == "\ufffd" else character)
    return tuple(shown)


@cache
def _patterns(codec: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return how UTF-8 sequences look in a codec: of three or four bytes, and of two."""
    look = _characters(codec)
    following = "[" + re.escape("".join(look[0x80:0xC0])) + "]"
    sign, picture = re.escape(look[0xE2]), re.escape(look[0xF0] + look[0x9F])
    selector = re.escape(look[0xEF] + look[0xB8] + look[0x8F])
    strong = f"{sign}{following}{{2}}|{picture}{following}{{2}}|{selector}"
    weak = f"[{re.escape(look[0xC2] + look[0xC3])}]{following}"
    return re.compile(strong), re.compile(weak)
