"""Names that stay: a step is known by its headings and its words, never by its position."""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Sequence

from gonogo.runbook import durations

_NOT_WORD = re.compile(r"[^\w]+", re.UNICODE)
_LONGEST = 60


def slug(text: str) -> str:
    """Return a short name of letters, digits and dashes; the same words give the same name.

    Long texts are cut and end in a mark of the whole text, so that two of them stay different.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
    name = _NOT_WORD.sub("-", folded).strip("-")
    if not name:
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"x-{mark}" if text.strip() else "unnamed"
    if len(name) <= _LONGEST:
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name[: _LONGEST - 7].rstrip('-')}-{mark}"


@functools.lru_cache(maxsize=4096)
def slug_of_title(title: str) -> str:
    """Return the short name of a heading or step; a duration at its end does not count."""
    return slug(durations.without(title))


def step_id(path: Sequence[str], title: str) -> str:
    """Return the identity of a step: its headings and its text."""
    return "/".join(slug_of_title(part) for part in (*path, title))


class Register:
    """Gives each thing a name of its own and says when two want the same."""

    def __init__(self) -> None:
        """Start with no name taken."""
        self._taken: dict[str, int] = {}
        self._seen: dict[str, int] = {}

    def claim(self, wanted: str, line: int) -> tuple[str, int | None]:
        """Return the name to use and, when it was taken, the line of the first owner."""
        first = self._taken.get(wanted)
        if first is None:
            self._taken[wanted] = line
            return wanted, None
        number = self._seen.get(wanted, 1)
        name = wanted
        while name in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._seen[wanted] = number
        self._taken[name] = line
        return name, first
