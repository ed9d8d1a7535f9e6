"""The line to write instead of words that a reader understands and a judge does not."""

from __future__ import annotations

import re
from collections.abc import Collection

from gonogo.runbook import phrases
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import Fence
from gonogo.runbook.words import Words

_BARE = re.compile(r"\d{1,6}|true|false", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“'](?P<text>[^\"”']{1,60})[\"”']")
_VERSION = re.compile(r"v?\d+(?:\.\d+){1,3}(?:[-+][\w.]{1,20})?")
_ENDS_WELL = re.compile(
    r"(?:it |the (?:command|script) )?(?:succeeds?|succeeded|success(?:ful)?(?:ly)?|pass(?:es|ed)?|"
    r"ok|works?|no errors?|returns? (?:with )?(?P<code>\d{1,3})|"
    r"exit(?:s| code)?:? ?(?P<exit>\d{1,3}))",
    re.IGNORECASE,
)
_SHOWS = re.compile(
    r"(?:the )?(?P<name>output|stdout|stderr|body|value|reply)\s+"
    r"(?:(?:is|equals|shows?|reads?|prints?|says|should be|must be)\s+)?"
    r"[\"“'`]?(?P<text>[^\"”'`]{1,60})[\"”'`]?",
    re.IGNORECASE,
)
_IT = re.compile(r"^(?:it|this|that)\s+(?=(?:should|must)\b)", re.IGNORECASE)
_SAME = {"stdout": "output", "stderr": "errors"}
_TEXTS = ("output", "body", "value")


def names_of(fence: Fence | None, book: Notebook) -> Collection[str]:
    """Return the names that a condition under a block may use; none when it is no block of ours."""
    kind = book.catalog.language(fence.language) if fence is not None and fence.language else None
    return kind.indicators if kind is not None else ()


def of_announced(words: Words, names: Collection[str]) -> str:
    """Return the `Expect` for an expectation that a comment or sentence announces."""
    text = " ".join(words.text.split())
    condition = phrases.read(words).condition
    if condition is None or _QUOTED.fullmatch(text):
        return of_words(words, names) or (condition.say() if condition is not None else "…")
    return _IT.sub("", text)


def of_words(words: Words, names: Collection[str]) -> str:
    """Return the condition that words were meant as, for a block with these names; else nothing."""
    text = " ".join(words.text.split())
    if _BARE.fullmatch(text):
        name = next((n for n in ("status", *_TEXTS) if n in names), None)
        return f"{name} = {text}" if name else ""
    place = next((name for name in _TEXTS if name in names), None)
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        return f'{place} contains "{quoted["text"]}"' if place else ""
    ended = _ENDS_WELL.fullmatch(text)
    if ended is not None and "exit code" in names:
        return f"exit code = {ended['code'] or ended['exit'] or 0}"
    shown = _SHOWS.fullmatch(text)
    if shown is not None:
        name = _SAME.get(shown["name"].casefold(), shown["name"].casefold())
        return f'{name} = "{shown["text"].strip()}"' if name in names else ""
    if place is None or len(text) > 60 or '"' in text:
        return ""
    is_code = len(words.code) == 1 and words.code[0] == (0, len(words.text))
    if is_code or _VERSION.fullmatch(text) or " " not in text:
        return f'{place} = "{text}"'
    default = "exit code = 0" if "exit code" in names else f"{place} exists"
    return f'{default}` or `{place} contains "…"'
