"""A small terminal for tests: what is on the screen after all that was written."""

from __future__ import annotations

import io
import re

_PIECE = re.compile(r"\x1b\[(?P<codes>[?\d;]*)(?P<end>[A-Za-z])|(?P<newline>\n)|(?P<start>\r)|.")


def shown(stream: io.StringIO) -> list[str]:
    """Return the lines that a reader sees; unknown control sequences fail."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(stream.getvalue()):
        if piece["newline"]:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif piece["start"]:
            column = 0
        elif piece["end"] == "A":
            row = max(0, row - int(piece["codes"] or 1))
        elif piece["end"] == "K":
            assert piece["codes"] == "2"
            lines[row] = ""
        elif piece["end"]:
            assert piece["end"] in "mlh", f"unknown sequence {piece[0]!r}"
        else:
            lines[row] = lines[row].ljust(column)[:column] + piece[0] + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]
