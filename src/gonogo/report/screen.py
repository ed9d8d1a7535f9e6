"""A terminal whose last lines are drawn again and again; finished lines scroll up and stay."""

from __future__ import annotations

import re
from typing import TextIO

from rich.console import Console
from rich.live import Live as Region
from rich.text import Text

# Colour repeats what the word says; it never says anything alone.
_STYLES = {
    "green": ("go", "pass", "GO", "resolved"),
    "bold red": ("no-go", "fail", "NO-GO", "UNPROVEN", "firing"),
    "yellow": (
        *("hold", "unknown", "error", "waived", "skipped", "rollback", "gap", "again"),
        *("HOLD", "ROLLED", "UNFINISHED", "unfinished", "asks", "pending", "alert"),
    ),
    "bold cyan": ("now", "runs"),
    "dim": ("not", "│", "…", "inactive"),
}
_COLOURS = {word: style for style, group in _STYLES.items() for word in group}
_FIRST = re.compile(r"^(?!  \S)\s*(\S+)")
# A line of a rule begins with the name that its author gave it; how it stands is at its end.
_STANDS = re.compile(
    r"^  \S.*  (?:(?P<firing>(?:firing|paged) [^ ].*)|(?P<pending>\d+ of \d+ since .*))$"
)


class Screen:
    """Lines that stay above lines that are redrawn; one thread at a time may use it."""

    def __init__(self, stream: TextIO, width: int) -> None:
        """Draw on `stream`, `width` columns wide."""
        self._console = Console(
            file=stream,
            width=width,
            force_terminal=True,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._region: Region | None = None

    def show(self, kept: list[str], drawn: list[str]) -> None:
        """Write lines that stay, and replace the lines that are redrawn below them.

        What is higher than the terminal is cut below.
        """
        if not drawn:
            self.stop()
        else:
            self._open()
            below = _styled(drawn[: max(3, self._console.height - 2)])
            assert self._region is not None, "just opened"
            self._region.update(below, refresh=not kept)
        if kept:
            self._console.print(_styled(kept))

    def _open(self) -> None:
        if self._region is not None:
            return
        self._region = Region(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._region.start()

    def stop(self) -> None:
        """Take the redrawn lines away and leave the terminal as it was."""
        if self._region is not None:
            self._region.stop()
            self._region = None


def _styled(lines: list[str]) -> Text:
    """Return lines with the status word of each in its colour, output and what is ahead dimmed."""
    text = Text(no_wrap=True, overflow="crop")
    for place, line in enumerate(lines):
        shown = Text(line)
        first = _FIRST.match(line)
        style = _COLOURS.get(first[1].rstrip(":")) if first else None
        if first is not None and style == "dim":
            shown.stylize("dim")
        elif first is not None and style:
            shown.stylize(style, first.start(1), first.end(1))
        stands = _STANDS.match(line)
        if stands is not None:
            group = stands.lastgroup or ""
            shown.stylize("bold red" if group == "firing" else "yellow", *stands.span(group))
        text.append_text(shown)
        text.append("\n" if place < len(lines) - 1 else "")
    return text
