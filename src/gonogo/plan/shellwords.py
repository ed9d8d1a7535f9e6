"""The words of a shell text: quotes, comments and expansions, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

_META = frozenset(" \t\n;&|<>()")
_DEEPEST = 40
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_BRACED = re.compile(r"\$\{[#!]?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<op>:?[-=?+])?")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\]\n]*\])?\+?=")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as written, and with its quotes taken off (expansions stay as written)."""

    text: str
    value: str
    at: int

    @property
    def end(self) -> int:
        """Return the offset behind the word."""
        return self.at + len(self.text)


@dataclass(frozen=True, slots=True)
class Use:
    """`$NAME` or `${NAME…}` where the shell would expand it."""

    name: str
    at: int
    end: int
    has_default: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, without its `#`; `alone` on its line or behind a command."""

    text: str
    at: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command with what stands around it."""

    words: tuple[Word, ...]
    assignments: tuple[Word, ...]
    redirects: tuple[tuple[str, Word], ...]
    documents: tuple[str, ...]  # bodies of its here documents
    lead: tuple[str, ...]  # reserved words in front: while, if, !, done …
    ends: str  # the operator behind it; "" at the end of the text
    at: int
    level: int  # commands of one list share it; 0 is the script itself
    nested: bool  # inside $( ), backquotes or <( )

    @property
    def has_input(self) -> bool:
        """Say whether its standard input comes from a file or a here document."""
        return bool(self.documents) or any(op in {"<", "<<<", "<>"} for op, _ in self.redirects)


@dataclass(frozen=True, slots=True)
class Script:
    """A shell text, taken apart; commands in the order in which they start."""

    text: str
    commands: tuple[Command, ...]
    comments: tuple[Comment, ...]
    uses: tuple[Use, ...]
    functions: frozenset[str]
    loop_names: frozenset[str]  # set by for and select
    endless_for: tuple[int, ...]  # offsets of `for ((;;))`
    broken: tuple[int, ...]  # offsets of quotes and brackets that are never closed

    @property
    def code(self) -> str:
        """Return the text with comments blanked; offsets stay the same."""
        parts = list(self.text)
        for comment in self.comments:
            end = comment.at + 1 + len(comment.text)
            parts[comment.at : end] = " " * (end - comment.at)
        return "".join(parts)


class WordReader:
    """Reads words from left to right; what lies inside `$( )` is left to the reader of commands."""

    def __init__(self, text: str) -> None:
        """Stand at the beginning of `text`."""
        self.text = text
        self.at = 0
        self.depth = 0
        self.ends: list[str] = []
        self.comments: list[Comment] = []
        self.uses: list[Use] = []
        self.broken: list[int] = []

    def _list(self, end: str, *, nested: bool) -> None:
        """Read commands up to `end`."""
        raise NotImplementedError

    def _peek(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:  # hostile nesting: give up on the rest, not on the program
            self.at = len(self.text)

    def _comment(self) -> None:
        start = self.at
        end = self.text.find("\n", start)
        self.at = end if end >= 0 else len(self.text)
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        self.comments.append(Comment(self.text[start + 1 : self.at], start, not before.strip()))

    def _test(self) -> None:
        """Skip over `[[ … ]]`, where < and && are not what they are elsewhere."""
        while self.at < len(self.text) and self._peek() != "\n":
            if self._peek() in _META:
                self.at += 1
            elif self._word().text == "]]":
                return

    def _word(self) -> Word:
        start = self.at
        value: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "(" and ASSIGNMENT.fullmatch(self.text, start, self.at):
                self.at += 1
                self._array()
                value.append("(…)")
            elif char in _META or (char == "`" and self.ends[-1:] == ["`"]):
                break
            else:
                value.append(self._piece(char))
        if self.at == start:  # cannot happen in words; never loop
            self.at += 1
        return Word(self.text[start : self.at], "".join(value), start)

    def _piece(self, char: str) -> str:
        start = self.at
        if char == "\\":
            self.at = min(self.at + 2, len(self.text))
            return self.text[start + 1 : self.at].replace("\n", "")
        if char == "'":
            return self._single(self.at + 1)
        if char == '"':
            return self._double()
        if self._peek(2) == "$'":
            return self._ansi()
        if char == "$":
            self._dollar()
            return self.text[start : self.at]
        self.at += 1
        if char == "`":
            self._list("`", nested=True)
        return self.text[start : self.at]

    def _array(self) -> None:
        while self.at < len(self.text):
            char = self._peek()
            if char == ")":
                self.at += 1
                return
            if char == "#":
                self._comment()
            elif char in _META:
                self.at += 1
            else:
                self._word()

    def _single(self, start: int) -> str:
        end = self.text.find("'", start)
        if end < 0:
            self.broken.append(self.at)
            end = len(self.text)
        self.at = min(end + 1, len(self.text))
        return self.text[start:end]

    def _ansi(self) -> str:
        start = self.at
        match = _ANSI.match(self.text, self.at)
        if match is None:
            self.broken.append(start)
            self.at = len(self.text)
            return self.text[start:]
        self.at = match.end()
        return match[1]

    def _double(self) -> str:
        start = self.at
        self.at += 1
        value: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(value)
            if char == "\\":
                pair = self._peek(2)
                value.append(pair[1:] if pair[1:] in {"$", "`", '"', "\\"} else pair)
                self.at = min(self.at + 2, len(self.text))
            elif char in "$`":
                value.append(self._piece(char) if self._peek(2) != "$'" else self._lone())
            else:
                value.append(self._lone())
        self.broken.append(start)
        return "".join(value)

    def _lone(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _dollar(self) -> None:
        start = self.at
        if self._peek(3) == "$((":
            self._arithmetic(self.at + 3)
        elif self._peek(2) == "$(":
            self.at += 2
            self._list(")", nested=True)
        elif self._peek(2) == "${":
            self._braced()
        else:
            match = _NAME.match(self.text, start + 1)
            if match is None:
                self.at = min(start + 2, len(self.text)) if self._special() else start + 1
                return
            self.at = match.end()
            self.uses.append(Use(match[0], start, self.at, has_default=False))

    def _special(self) -> bool:
        return self.text[self.at + 1 : self.at + 2] in set("0123456789@*#?$!-")

    def _arithmetic(self, start: int) -> str:
        """Skip arithmetic up to its `))`; only names with a dollar count as used."""
        depth = 2
        self.at = start
        while self.at < len(self.text) and depth:
            char = self.text[self.at]
            if char == "$" and self._peek(2) != "$(":
                self._dollar()
                continue
            depth += (char == "(") - (char == ")")
            self.at += 1
        return self.text[start : max(self.at - 2, start)]

    def _braced(self) -> None:
        start = self.at
        match = _BRACED.match(self.text, start)
        self.at = match.end() if match else start + 2
        self._deeper()
        while self.at < len(self.text) and self.text[self.at] != "}":
            char = self.text[self.at]
            if char == "'":  # inside double quotes it is plain text; then it has no partner here
                self.at += 1
            else:
                self._piece(char)
        self.depth -= 1
        if self.at >= len(self.text):
            self.broken.append(start)
        self.at = min(self.at + 1, len(self.text))
        if match:
            default = (match["op"] or "") in {":-", "-", ":=", "=", ":+", "+"}
            self.uses.append(Use(match["name"], start, self.at, default))
