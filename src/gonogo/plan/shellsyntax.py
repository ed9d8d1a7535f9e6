"""Takes a shell text apart into commands, with what stands around each of them.

Not a shell: it knows what is a command and what is only text, so that `echo "rm -rf /"` is not
taken for a removal. What it cannot follow it leaves out; `bash -n` judges the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from gonogo.plan.shellwords import ASSIGNMENT, Command, Script, Word, WordReader

RESERVED = frozenset(
    """if then else elif fi while until do done case esac for select function { } ! time
    coproc""".split()  # noqa: SIM905 - reads better than twenty quoted words
)
_META = frozenset(" \t\n;&|<>()")
_PATTERN = re.compile(r"\|[ \t]*[^\s;&|()]+[ \t]*[|)]")
_OPERATOR = re.compile(r"&&|\|\||;;&|;;|;&|\|&|[;&|]")
_REDIRECT = re.compile(r"<<<|<<-|<<|<>|<&|>>|>\||>&|&>>|&>|<|>")


@lru_cache(maxsize=32)  # each question about a block takes its text apart again
def split(text: str) -> Script:
    """Take a shell text apart; never raises, in time linear in its length."""
    return _Reader(text).script()


@dataclass(slots=True)
class _Draft:
    """A command while it is read."""

    words: list[Word] = field(default_factory=list)
    assignments: list[Word] = field(default_factory=list)
    redirects: list[tuple[str, Word]] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)
    at: int = -1


@dataclass(slots=True)
class _List:
    """A list of commands while it is read: the script, a subshell or a substitution."""

    level: int
    end: str
    nested: bool
    cases: int = 0
    draft: _Draft = field(default_factory=_Draft)


class _Reader(WordReader):
    """Reads the text once, from left to right."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.levels = 0
        self.commands: list[Command] = []
        self.functions: set[str] = set()
        self.loop_names: set[str] = set()
        self.endless_for: list[int] = []
        self.waiting: list[tuple[_Draft | int, str, bool, bool]] = []

    def script(self) -> Script:
        self._list("", nested=False)
        return Script(
            self.text,
            tuple(sorted(self.commands, key=lambda c: c.at)),
            tuple(self.comments),
            tuple(self.uses),
            frozenset(self.functions),
            frozenset(self.loop_names),
            tuple(self.endless_for),
            tuple(self.broken),
        )

    def _list(self, end: str, *, nested: bool) -> None:
        """Read commands up to the character `end`, which is consumed."""
        started = self.at
        closed = True
        here = _List(self.levels, end, nested)
        self.levels += 1
        self._deeper()
        self.ends.append(end)
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == end and not (end == ")" and here.cases):
                self._finish(here, "")
                self.at += 1
                break
            self._step(here, char)
        else:
            closed = not end
            self._finish(here, "")
        self.depth -= 1
        self.ends.pop()
        if not closed:
            self.broken.append(max(started - 1, 0))

    def _step(self, here: _List, char: str) -> None:
        if char in " \t\r":
            self.at += 1
        elif self._peek(2) == "\\\n":
            self.at += 2
        elif char == "\n":
            self._finish(here, "\n")
            self.at += 1
            self._documents()
        elif char == "#":
            self._comment()
        elif char in "<>" or self._peek(2) == "&>":
            self._redirect(here)
        elif char == "|" and here.cases and _PATTERN.match(self.text, self.at):
            here.draft = _Draft()  # one of the patterns of `case`
            self.at += 1
        elif char in ";&|":
            operator = _OPERATOR.match(self.text, self.at)
            assert operator is not None
            self._finish(here, operator[0])
            self.at = operator.end()
        elif char in "()":
            self._bracket(here, char)
        else:
            self._word_of(here)

    def _bracket(self, here: _List, char: str) -> None:
        draft = here.draft
        if char == ")":
            if here.cases:
                here.draft = _Draft()  # what stood before is a pattern of `case`
            self.at += 1
        elif not draft.words and self._peek(2) == "((":
            start = self.at
            body = self._arithmetic(self.at + 2)
            if draft.lead[-1:] == ["for"] and re.fullmatch(r"[^;]*;\s*;[^;]*", body):
                self.endless_for.append(start)
            here.draft = _Draft()
        elif not draft.words and not draft.assignments:
            self.at += 1
            here.draft = _Draft()
            self._list(")", nested=here.nested)
        elif re.match(r"\(\s*\)", self.text[self.at : self.at + 20]):
            self.functions.add(draft.words[-1].value if draft.words else "")
            here.draft = _Draft()
            self.at = self.text.index(")", self.at) + 1
        else:
            draft.words.append(Word("(", "(", self.at))
            self.at += 1

    def _finish(self, here: _List, ends: str) -> None:
        draft, here.draft = here.draft, _Draft()
        if draft.lead[-1:] in (["for"], ["select"]):
            self.loop_names |= {word.value for word in draft.words[:1]}
            if draft.lead[-1] == "for":
                return
        if draft.lead[-1:] == ["function"]:
            self.functions |= {word.value for word in draft.words[:1]}
            return
        if draft.at < 0:
            return
        self.commands.append(
            Command(
                tuple(draft.words),
                tuple(draft.assignments),
                tuple(draft.redirects),
                (),
                tuple(draft.lead),
                ends,
                draft.at,
                here.level,
                here.nested,
            )
        )
        index = len(self.commands) - 1
        self.waiting = [
            (index if owner is draft else owner, mark, strip, plain)
            for owner, mark, strip, plain in self.waiting
        ]

    def _word_of(self, here: _List) -> None:
        draft = here.draft
        if draft.at < 0:
            draft.at = self.at
        word = self._word()
        if word.text.isdigit() and self._peek() in {"<", ">"}:
            return  # a file descriptor
        if draft.words or draft.redirects:
            self._later_word(here, word)
        elif not draft.assignments and word.text in RESERVED and draft.lead[-1:] != ["for"]:
            draft.lead.append(word.text)
            here.cases = max(here.cases - (word.text == "esac"), 0)
        elif ASSIGNMENT.match(word.text):
            draft.assignments.append(word)
        elif word.text == "[[":
            draft.words.append(word)
            self._test()
        else:
            draft.words.append(word)

    def _later_word(self, here: _List, word: Word) -> None:
        draft = here.draft
        if draft.lead[-1:] == ["case"] and word.text == "in":
            here.cases += 1
            here.draft = _Draft()
        elif draft.lead[-1:] == ["function"] and word.text == "{":
            self._finish(here, "")
        else:
            draft.words.append(word)

    def _redirect(self, here: _List) -> None:
        draft = here.draft
        if draft.at < 0:
            draft.at = self.at
        if self._peek(2) in {"<(", ">("}:
            start = self.at
            self.at += 2
            self._list(")", nested=True)
            text = self.text[start : self.at]
            draft.words.append(Word(text, text, start))
            return
        match = _REDIRECT.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        while self._peek() in {" ", "\t"}:
            self.at += 1
        if self.at >= len(self.text) or self._peek() in _META:
            return
        word = self._word()
        if match[0] in {"<<", "<<-"}:
            plain = any(mark in word.text for mark in "'\"\\")
            self.waiting.append((draft, word.value, match[0] == "<<-", plain))
        else:
            draft.redirects.append((match[0], word))

    def _documents(self) -> None:
        """Read the bodies of the here documents that were announced on the line before."""
        waiting, self.waiting = self.waiting, []
        for owner, mark, strip, plain in waiting:
            start = self.at
            lines: list[str] = []
            closed = False
            while self.at < len(self.text) and not closed:
                end = self.text.find("\n", self.at)
                end = end if end >= 0 else len(self.text)
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                closed = (line.lstrip("\t") if strip else line) == mark
                if not closed:
                    lines.append(line)
            if not closed:
                self.broken.append(start)
            body = "\n".join(lines)
            if not plain:
                self._expansions_in(start, start + len(body))
            if isinstance(owner, int):
                old = self.commands[owner]
                self.commands[owner] = replace(old, documents=(*old.documents, body))

    def _expansions_in(self, start: int, end: int) -> None:
        """Find the expansions in a here document, where quotes mean nothing."""
        after = self.at
        self.at = start
        while self.at < end:
            char = self.text[self.at]
            if char == "\\":
                self.at += 2
            elif char == "$":
                self._dollar()
            elif char == "`":
                self.at += 1
                self._list("`", nested=True)
            else:
                self.at += 1
        self.at = after
