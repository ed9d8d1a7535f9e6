"""Texts of strangers in Markdown: cells, tables and fences that they cannot break."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gonogo.report import words

_ACTIVE = re.compile(r"([\\`*_\[\]#|~@$])")
_LINK = re.compile(r"(?i)(https?|ftp|mailto):|www\.")


def cell(text: object) -> str:
    """Return a stranger's text so that it is only text: no markup, link, mention or new row."""
    plain = words.one_line(str(text))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _ACTIVE.sub(r"\\\1", plain)
    return _LINK.sub(lambda match: match[0][:-1] + f"&#{ord(match[0][-1])};", plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are escaped already; empty without rows."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    if not body:
        return ""
    top = "| " + " | ".join(head) + " |"
    return "\n".join([top, "|" + " --- |" * len(head), *body])


def fenced(text: str) -> str:
    """Return an output in a fence that it cannot close."""
    shown = words.neutral(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"
